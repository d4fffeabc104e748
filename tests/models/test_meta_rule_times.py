"""When ads run, to the second, wherever the budget stands."""

from typing import get_args

import pytest

from models.meta_words import OptimizationGoal
from tests.models.meta_requests import ABSENT, CAMPAIGN, CAMPAIGN_BUDGET, SET, told

END = f"{SET}/end_time"
HOURS = [{"start_minute": 480, "end_minute": 600, "days": [1]}]
CAMPAIGN_LIFETIME = {
    **CAMPAIGN_BUDGET,
    f"{CAMPAIGN}/daily_budget": ABSENT,
    f"{CAMPAIGN}/lifetime_budget": 50_000,
}


@pytest.mark.parametrize(
    ("end", "is_refused"), [("2026-11-21T00:00:00Z", True), ("2026-11-21T00:00:01Z", False)]
)
def test_ads_end_later_than_now(end, is_refused):
    refused = (END, "end_in_past") in told({f"{SET}/start_time": ABSENT, END: end})

    assert refused is is_refused


def test_a_lifetime_budget_of_the_campaign_needs_an_end_at_its_ad_sets():
    assert told(CAMPAIGN_LIFETIME) == {(END, "lifetime_budget_without_end")}
    assert told(CAMPAIGN_LIFETIME, {END: "2026-12-11T00:00:00Z"}) == set()


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("2026-12-02T00:00:00Z", {(END, "daily_budget_for_less_than_a_day")}),
        ("2026-12-02T00:00:01Z", set()),
    ],
)
def test_a_daily_budget_of_the_campaign_needs_more_than_a_day(end, expected):
    assert told(CAMPAIGN_BUDGET, {END: end}) == expected


def test_hours_may_be_chosen_under_a_lifetime_budget_of_the_campaign():
    hours = {f"{SET}/adset_schedule": HOURS}
    refused = (f"{SET}/adset_schedule", "hours_need_lifetime_budget")

    assert refused not in told(CAMPAIGN_LIFETIME, hours)
    assert refused in told(CAMPAIGN_BUDGET, hours)


def test_chosen_hours_are_not_accepted_where_ads_would_run_at_all_hours():
    hours = {f"{SET}/adset_schedule": HOURS, END: "2026-12-11T00:00:00Z"}
    refused = (f"{SET}/pacing_type", "hours_need_day_parting")

    assert refused in told(CAMPAIGN_LIFETIME, hours)
    assert refused not in told(CAMPAIGN_LIFETIME)
    assert told(CAMPAIGN_LIFETIME, {**hours, f"{SET}/pacing_type": ["day_parting"]}) == set()


@pytest.mark.parametrize("pacing", [["day_parting"], ["standard", "day_parting"]])
def test_a_cost_cap_may_have_chosen_hours(pacing):
    capped = {f"{CAMPAIGN}/bid_strategy": "COST_CAP", f"{SET}/bid_amount": 200}
    hours = {f"{SET}/adset_schedule": HOURS, END: "2026-12-11T00:00:00Z"}

    assert told(CAMPAIGN_LIFETIME, capped, hours, {f"{SET}/pacing_type": pacing}) == set()


def test_how_often_people_see_ads_is_controlled_for_exactly_these_goals():
    specs = [{"event": "IMPRESSIONS", "interval_days": 7, "max_frequency": 2}]
    refused = (f"{SET}/frequency_control_specs", "frequency_does_not_fit_goal")

    fitting = {
        goal
        for goal in get_args(OptimizationGoal.__value__)
        if refused
        not in told({f"{SET}/frequency_control_specs": specs, f"{SET}/optimization_goal": goal})
    }

    assert fitting == {"REACH", "THRUPLAY"}
