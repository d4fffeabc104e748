"""What Meta refuses, as a table with sources, checked before a request is accepted."""

from collections.abc import Iterator
from typing import Any

import msgspec

from models.inspection import violations
from models.meta import MetaCampaignRequest
from models.meta_rules import (
    apps,
    bids,
    budgets,
    countries,
    creatives,
    media,
    names,
    objectives,
    placements,
    regulation,
    schedule,
    special_categories,
    targeting,
)
from models.meta_rules.table import Level, Nowhere, Place, Rule, RuleContext, Scope, Unreadable
from models.violation import MOST_TOLD, Violation

RULES: tuple[Rule, ...] = (
    *names.RULES,
    *media.RULES,
    *objectives.RULES,
    *apps.RULES,
    *budgets.RULES,
    *bids.RULES,
    *schedule.RULES,
    *countries.RULES,
    *targeting.RULES,
    *placements.RULES,
    *special_categories.RULES,
    *regulation.RULES,
    *creatives.RULES,
)
LEVELS: tuple[Level, ...] = ("request", "campaign", "ad_set", "ad")


def _by_field(level: Level) -> dict[str, dict[str, dict[str, list[Rule]]]]:
    """Rules of the level that only a certain field can break, by object, field and word that stands there."""
    table: dict[str, dict[str, dict[str, list[Rule]]]] = {}
    for rule in RULES:
        for place, field, word in rule.when if rule.level == level else ():
            words = table.setdefault(place, {}).setdefault(field, {})
            words.setdefault(word, []).append(rule)
    return table


_ALWAYS = {
    level: tuple(rule for rule in RULES if rule.level == level and not rule.when)
    for level in LEVELS
}
_BY_FIELD = {level: _by_field(level) for level in LEVELS}


def check(request: MetaCampaignRequest, context: RuleContext) -> list[Violation]:
    """Every rule over a request whose types are right."""
    return rule_violations(msgspec.to_builtins(request), context)


def inspect(document: Any, context: RuleContext) -> list[Violation]:
    """Everything wrong with any JSON value: its types, and every rule whose fields are readable; as far
    as it is told."""
    found = violations(MetaCampaignRequest, document)
    if not isinstance(document, dict) or len(found) == MOST_TOLD:
        return found  # what else is unreadable is not known then
    invalid = frozenset(violation["pointer"] for violation in found)
    return found + rule_violations(document, context, invalid)  # pyright: ignore[reportUnknownArgumentType]  # JSON of a caller


def rule_violations(
    document: dict[str, Any], context: RuleContext, invalid: frozenset[str] = frozenset()
) -> list[Violation]:
    """What the table says of a document, leaving out what is not readable."""
    # a rule about the whole may meet the same place through several of its parts
    once: dict[tuple[str, str], Violation] = {}
    for level, scope in scopes(Place(document, invalid), context):
        for rule in concerned(level, scope):
            for found in rule.violations(scope):
                once[found["pointer"], found["code"]] = found
                if len(once) == MOST_TOLD:
                    return list(once.values())
    return list(once.values())


def concerned(level: Level, scope: Scope) -> list[Rule]:
    """The rules that can have anything to say here; most cannot, and need not be asked."""
    rules = [*_ALWAYS[level]]
    for place, fields in _BY_FIELD[level].items():
        rules += getattr(scope, place).filled(fields)
    return rules


def scopes(request: Place, context: RuleContext) -> Iterator[tuple[Level, Scope]]:
    """Every object of a request that rules look at."""
    campaign = _object(request, "campaign")
    whole = Scope(context, request, campaign)
    yield "request", whole
    yield "campaign", whole
    for ad_set in _objects(request, "ad_sets"):
        targeting = _object(ad_set, "targeting")
        places = _object(targeting, "geo_locations")
        yield "ad_set", Scope(context, request, campaign, ad_set, targeting, places)
        for ad in _objects(ad_set, "ads"):
            creative = _object(ad, "creative")
            yield "ad", Scope(context, request, campaign, ad_set, targeting, places, ad, creative)


def _object(place: Place, name: str) -> Place:
    try:
        return place.below(name)
    except Unreadable:
        return Nowhere()


def _objects(place: Place, name: str) -> Iterator[Place]:
    try:
        yield from place.each(name)
    except Unreadable:
        return


__all__ = [
    "RULES",
    "RuleContext",
    "check",
    "concerned",
    "inspect",
    "rule_violations",
    "scopes",
]
