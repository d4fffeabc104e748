"""What Meta refuses, as a table with sources, checked before a request is accepted."""

from collections.abc import Iterator
from typing import Any

import msgspec

from models.gen.rows import AdAccount
from models.inspection import Violation, violations
from models.meta import MetaCampaignRequest
from models.meta_rules import budgets, creatives, odax, targeting
from models.meta_rules.table import Level, Place, Rule, RuleContext, Scope, Unreadable

RULES: tuple[Rule, ...] = (*odax.RULES, *budgets.RULES, *targeting.RULES, *creatives.RULES)
_BY_LEVEL: dict[Level, tuple[Rule, ...]] = {
    level: tuple(rule for rule in RULES if rule.level == level)
    for level in ("request", "campaign", "ad_set", "ad")
}


def check(request: MetaCampaignRequest, account: AdAccount | None) -> list[Violation]:
    """Rules over a request whose types are right; with the account's own limits where it is known."""
    config = {} if account is None else msgspec.json.decode(account.additional_config)
    return rule_violations(msgspec.to_builtins(request), RuleContext.at_present(config))


def inspect(document: Any) -> list[Violation]:
    """Everything wrong with any JSON value: its types, and every rule whose fields are readable."""
    found = violations(MetaCampaignRequest, document)
    if not isinstance(document, dict):
        return found
    invalid = frozenset(violation["pointer"] for violation in found)
    return found + rule_violations(document, RuleContext.at_present({}), invalid)  # pyright: ignore[reportUnknownArgumentType]  # JSON of a caller


def rule_violations(
    document: dict[str, Any], context: RuleContext, invalid: frozenset[str] = frozenset()
) -> list[Violation]:
    """What the table says of a document, leaving out what is not readable."""
    found = [
        violation
        for level, scope in _scopes(Place(document, "", invalid), context)
        for rule in _BY_LEVEL[level]
        for violation in rule.violations(scope)
    ]
    # a rule about the whole may meet the same place through several of its parts
    return list({(v["pointer"], v["code"]): v for v in found}.values())


def _scopes(request: Place, context: RuleContext) -> Iterator[tuple[Level, Scope]]:
    nothing = Place({}, "", frozenset())
    try:
        campaign = request.below("campaign")
    except Unreadable:
        campaign = nothing
    whole = Scope(context, request, campaign, nothing, nothing, nothing)
    yield "request", whole
    if campaign is not nothing and campaign.names():
        yield "campaign", whole
    for ad_set in _each(request, "ad_sets"):
        inside = msgspec.structs.replace(whole, ad_set=ad_set)
        yield "ad_set", inside
        for ad in _each(ad_set, "ads"):
            try:
                creative = ad.below("creative")
            except Unreadable:
                creative = nothing
            yield "ad", msgspec.structs.replace(inside, ad=ad, creative=creative)


def _each(place: Place, name: str) -> Iterator[Place]:
    try:
        yield from place.each(name)
    except Unreadable:
        return


__all__ = ["RULES", "check", "inspect", "rule_violations"]
