"""Accounts slow down before they are stopped."""

import json

import pytest

from common.errors import Wait
from workers.platforms.meta.pacing import LONGEST_PAUSE_SECONDS, Pacing, Usage, read_usage


def business(**values):
    return uses({"type": "ads_management", **values})


def uses(*entries):
    return {"x-business-use-case-usage": json.dumps({"1": entries})}


def test_the_tightest_limit_counts():
    usage = read_usage(
        {
            **business(call_count=20, total_time=88, estimated_time_to_regain_access=7),
            "x-ad-account-usage": '{"acc_id_util_pct": 9.67}',
            "x-app-usage": '{"call_count": 28}',
        }
    )

    assert usage == Usage(88, 420)


USED_UP = {"call_count": 100, "estimated_time_to_regain_access": 30}


@pytest.mark.parametrize("kind", ["ads_insights", "pages", "custom_audience", "catalog_batch"])
def test_the_limits_of_other_business_use_cases_hold_up_no_write(kind):
    told = uses({"type": kind, **USED_UP}, {"type": "ads_management", "call_count": 20})

    pacing = Pacing()
    pacing.heard("a", read_usage(told))

    assert read_usage(told) == Usage(20, None)
    assert pacing.before_write("a") == 0


def test_an_entry_that_does_not_say_of_what_it_is_counts():
    assert read_usage(uses(USED_UP)) == Usage(100, 1800)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"1": 5}', '{"1": [5]}'])
def test_odd_headers_say_nothing(text):
    assert read_usage({"x-business-use-case-usage": text}) == Usage()


def test_no_header_stops_an_account_for_longer_than_a_day_or_for_less_than_nothing():
    assert read_usage(business(estimated_time_to_regain_access=10**15)).regain_seconds == 86_400
    assert read_usage(business(estimated_time_to_regain_access=-5)).regain_seconds is None


def test_pauses_grow_from_three_quarters_on():
    pacing = Pacing()

    pauses = []
    for percent in (10, 75, 85, 94.9):
        pacing.heard("a", Usage(percent))
        pauses.append(pacing.before_write("a"))

    assert pauses[:2] == [0, 0]
    assert 0 < pauses[2] < pauses[3] <= LONGEST_PAUSE_SECONDS


def test_writes_stop_when_the_limit_is_all_but_used_up_and_one_tries_again_after_the_wait():
    pacing = Pacing()
    pacing.heard("a", Usage(97, 120))

    with pytest.raises(Wait) as wait:
        pacing.before_write("a")

    assert (wait.value.reason, wait.value.seconds) == ("throttled", 120)
    assert pacing.before_write("a") == 0
    assert pacing.before_write("b") == 0


def test_the_usage_of_other_accounts_holds_up_no_write_where_the_own_is_told():
    entry = {"type": "ads_management"}
    told = {"7": [{**entry, "call_count": 20}], "8": [{**entry, **USED_UP}]}
    headers = {"x-business-use-case-usage": json.dumps(told)}

    assert read_usage(headers, account="act_7") == Usage(20, None)
    assert read_usage(headers, account="act_9") == Usage(100, 1800)
