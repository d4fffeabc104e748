"""What Meta refuses, as a table with sources, written apart from our own checks: each proves the other.

Parameters that no rule names are ignored, as the platform does.
"""

from sandbox.meta.rules import ad, ad_set, campaign, creative, money, odax, placements, targeting
from sandbox.meta.rules.table import Params, Refusal, Rule, World

RULES: tuple[Rule, ...] = (
    *campaign.RULES,
    *ad_set.RULES,
    *odax.RULES,
    *money.RULES,
    *targeting.RULES,
    *placements.RULES,
    *creative.RULES,
    *ad.RULES,
)
_BY_KIND = {
    kind: sorted(
        (rule for rule in RULES if kind in rule.kinds),
        key=lambda rule: not rule.name.endswith("required"),
    )
    for kind in {kind for rule in RULES for kind in rule.kinds}
}


def refuse(kind: str, params: Params, world: World) -> Refusal | None:
    """The first refusal, or None. What is required comes first, so that later rules may count on it."""
    for rule in _BY_KIND.get(kind, ()):
        refusal = rule.refusal(params, world)
        if refusal is not None:
            return refusal
    return None


__all__ = ["RULES", "Params", "Refusal", "Rule", "World", "refuse"]
