"""Every rule of the table refuses what it should, where it should, and nothing else."""

import msgspec
import pytest

from models.meta import MetaCampaignRequest
from models.meta_rules import RULES, RuleContext, check, concerned, inspect, scopes
from models.meta_rules.table import Place
from models.verification import MinimumBudgets
from models.violation import Violation
from tests.models.meta_cases import objectives, people, showing, special, spending
from tests.models.meta_requests import CAMPAIGN, CONTEXT, NOW, SET, Case, Changes, found, request
from tests.sandbox.rules.generated import request_of

CASES = [
    *objectives.CASES,
    *spending.CASES,
    *people.CASES,
    *special.CASES,
    *showing.CASES,
]


def checked(*changes: Changes) -> list[Violation]:
    return check(msgspec.convert(request(*changes), MetaCampaignRequest), CONTEXT)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_refuses_at_the_place_to_change(case: Case):
    violations = checked(case.both, case.refused)

    assert found(violations) == {(case.at, case.code)}
    assert all(violation["message"].endswith(".") for violation in violations)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_accepts_the_like_that_is_right(case: Case):
    assert checked(case.both, case.accepted) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_says_the_same_of_plain_values(case: Case):
    document = request(case.both, case.refused)

    assert inspect(document, CONTEXT) == checked(case.both, case.refused)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_has_nothing_to_say_where_its_fields_are_not_given(case: Case):
    document = request(case.both, case.refused)
    asked = {
        rule.code
        for level, scope in scopes(Place(document, frozenset()), CONTEXT)
        for rule in concerned(level, scope)
    }

    speaking = {
        rule.code
        for level, scope in scopes(Place(document, frozenset()), CONTEXT)
        for rule in RULES
        if rule.level == level and rule.violations(scope)
    }

    assert case.code in speaking
    assert speaking <= asked


def test_rules_that_are_not_asked_would_have_had_nothing_to_say():
    missed: dict[str, object] = {}
    for seed in range(2_000):
        for level, scope in scopes(Place(request_of(seed), frozenset()), CONTEXT):
            asked = {rule.code for rule in concerned(level, scope)}
            rest = [rule for rule in RULES if rule.level == level and rule.code not in asked]
            missed |= {rule.code: found for rule in rest if (found := rule.violations(scope))}

    assert missed == {}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_rule_is_asked_at_its_own_level_alone(case: Case):
    document = request(case.both, case.refused)

    asked = [
        (level, rule.level)
        for level, scope in scopes(Place(document, frozenset()), CONTEXT)
        for rule in concerned(level, scope)
    ]

    assert all(level == own for level, own in asked)


def test_every_object_of_a_request_is_looked_at_with_the_whole_around_it():
    whole = Place(request(), frozenset())

    looked_at = list(scopes(whole, CONTEXT))

    assert [level for level, _ in looked_at] == ["request", "campaign", "ad_set", "ad"]
    assert all(scope.request is whole for _, scope in looked_at)


def test_every_rule_of_the_table_is_shown_here():
    shown = {(case.level, case.code) for case in CASES}

    assert shown == {(rule.level, rule.code) for rule in RULES}


def test_every_rule_names_its_source_and_what_it_is_about():
    assert all(rule.source and rule.about.endswith(".") for rule in RULES)
    assert all(rule.code.replace("_", "").isalpha() and rule.code.islower() for rule in RULES)


def test_the_example_of_the_documentation_is_accepted():
    assert checked() == []


def test_what_an_account_asks_for_is_left_to_meta_where_it_is_not_known():
    document = request({f"{SET}/daily_budget": 1, f"{CAMPAIGN}/spend_cap": 1})

    assert inspect(document, RuleContext(NOW)) == []


@pytest.mark.parametrize(
    ("billing_event", "least"),
    [("IMPRESSIONS", 100), ("LINK_CLICKS", 500), ("THRUPLAY", 200)],
)
def test_the_least_budget_depends_on_what_is_paid_for(billing_event, least):
    told = RuleContext(NOW, "EUR", 10_000, MinimumBudgets(100, 500, 200, 4000))

    def refused(budget):
        changes = {f"{SET}/daily_budget": budget, f"{SET}/billing_event": billing_event}
        return [
            v["message"]
            for v in inspect(request(changes), told)
            if v["code"] == "budget_too_small" and v["pointer"] == f"{SET}/daily_budget"
        ]

    assert refused(least) == []
    assert refused(least - 1) == [
        f"The least that this account takes for a day is {least} of the smallest unit of EUR."
    ]


def test_a_campaigns_budget_is_held_against_the_least_of_all():
    told = RuleContext(NOW, "EUR", minimum_budgets=MinimumBudgets(100))
    changes = {f"{CAMPAIGN}/daily_budget": 99, f"{SET}/daily_budget": None}

    violations = inspect(request(changes), told)

    assert (f"{CAMPAIGN}/daily_budget", "budget_too_small") in found(violations)


@pytest.mark.parametrize(
    ("currency", "told", "least"),
    [
        ("USD", None, 10_000),
        ("EUR", 9_500, 9_500),
        ("JPY", 15_000, 15_000),
        ("USD", 20_000, 20_000),
    ],
)
def test_a_cap_on_spending_is_held_against_what_the_account_told(currency, told, least):
    known = RuleContext(NOW, currency, minimum_budgets=MinimumBudgets(100, campaign_spend_cap=told))

    codes = [
        {v["code"] for v in inspect(request({f"{CAMPAIGN}/spend_cap": cap}), known)}
        for cap in (least - 1, least)
    ]

    assert ["spend_cap_too_small" in found for found in codes] == [True, False]


def test_a_cap_in_a_currency_of_which_nothing_was_told_is_the_platforms_business():
    known = RuleContext(NOW, "JPY", minimum_budgets=MinimumBudgets(100))

    assert inspect(request({f"{CAMPAIGN}/spend_cap": 1}), known) == []


def test_everything_wrong_is_told_at_once():
    violations = checked(
        {
            "/platform_account_id": "act_1",
            f"{SET}/lifetime_budget": 9000,
            f"{SET}/optimization_goal": "PAGE_LIKES",
            f"{SET}/targeting/genders": [0, 2],
            f"{SET}/ads/0/creative/image": "nobody",
        }
    )

    assert found(violations) == {
        ("/platform_account_id", "account_not_clear"),
        ("/media/hero", "media_not_used"),
        (f"{SET}/lifetime_budget", "two_budgets"),
        (f"{SET}/end_time", "lifetime_budget_without_end"),
        (f"{SET}/optimization_goal", "goal_does_not_fit_objective"),
        (f"{SET}/targeting/genders", "genders_contradict"),
        (f"{SET}/ads/0/creative/image", "media_unknown"),
    }


def test_each_ad_set_and_ad_is_checked_and_told_by_its_place():
    good = request()["ad_sets"][0]
    bad = request({f"{SET}/ads/0/creative/url_tags": "?a=b"})["ad_sets"][0]
    late = {**good, "ads": [*good["ads"], *bad["ads"]], "end_time": "2026-01-01T00:00:00Z"}

    violations = checked({"/ad_sets": [good, late]})

    assert found(violations) == {
        ("/ad_sets/1/ads/1/creative/url_tags", "url_tags_begin_with_question_mark"),
        ("/ad_sets/1/end_time", "end_in_past"),
        ("/ad_sets/1/end_time", "end_before_start"),
    }
