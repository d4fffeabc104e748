"""What Meta tells of credentials is read as from a stranger, whatever its form."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from common.errors import Retry, Wait
from models.credentials import Account, MetaCredentials
from models.verification import MinimumBudgets
from workers.platforms.meta import Meta, told

TOKEN = "EAAB" + "7" * 40
ALL = ["ads_management", "ads_read", "pages_manage_ads", "pages_read_engagement", "pages_show_list"]
GOOD = {
    "debug_token": {"data": {"is_valid": True, "expires_at": 0, "scopes": ALL, "app_id": "9"}},
    "permissions": {"data": [{"permission": name, "status": "granted"} for name in ALL]},
    "act_1": {
        "id": "act_1",
        "name": "Client X",
        "account_status": 1,
        "currency": "EUR",
        "timezone_name": "Europe/Berlin",
        "user_tasks": ["ADVERTISE"],
        "funding_source": "5",
    },
    "minimum_budgets": {"data": [{"currency": "EUR", "min_daily_budget_imp": 100}]},
    "accounts": {"data": [{"id": "7", "name": "Page", "tasks": ["ADVERTISE"]}]},
}


class Graph:
    """Answers each path with what a test put there; a text is sent as it is."""

    def __init__(self):
        self.answers = dict(GOOD)
        self.asked = []
        self.port = 0

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ")[1].decode().partition("?")[0]
            self.asked.append(path.rpartition("/")[2])
            answer = self.answers[self.asked[-1]]
            body = answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()
            size = len(body.encode())
            line = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n{body}"
            writer.write(line.encode())
            await writer.drain()
        writer.close()


@pytest.fixture
async def graph():
    graph = Graph()
    listening = await asyncio.start_server(graph.serve, "127.0.0.1", 0)
    graph.port = listening.sockets[0].getsockname()[1]
    yield graph
    listening.close()


async def check(graph, **changes):
    meta = Meta(
        live_base_url="http://127.0.0.1:9",
        live_video_base_url="http://127.0.0.1:9",
        sandbox_base_url=f"http://127.0.0.1:{graph.port}",
        api_version="v26.0",
    )
    credentials = MetaCredentials(access_token=TOKEN, page_id="7")
    account = Account(UUID(int=1), "act_1", "sandbox", credentials)
    graph.answers.update(changes)
    try:
        return await meta.check(account, 30)
    finally:
        await meta.close()


def codes(checked):
    return [found.code for found in checked.findings]


async def test_four_reads_tell_everything(graph):
    checked = await check(graph)

    assert checked.is_well
    assert checked.findings == []
    assert sorted(graph.asked) == ["accounts", "act_1", "debug_token", "minimum_budgets"]
    assert checked.account.minimum_budgets == MinimumBudgets(100)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": None},
        {"data": []},
        {"data": "EAAB"},
        {"data": {"is_valid": "yes"}},
        {"data": {"is_valid": 1, "expires_at": []}},
        {"error": {"code": 100, "message": "You must provide an app access token"}},
    ],
)
async def test_what_debug_token_does_not_tell_is_asked_elsewhere(graph, answer):
    checked = await check(graph, debug_token=answer)

    assert "permissions" in graph.asked
    assert (checked.token.works, checked.token.expires) == (True, "unknown")
    assert checked.token.permissions == ALL
    assert checked.is_well
    assert codes(checked) == ["token_expiry_unknown"]


@pytest.mark.parametrize("ends", [None, "soon", -5, True, 10**30, 1e300, [], {}])
async def test_an_end_that_is_no_time_is_unknown(graph, ends):
    data = {**GOOD["debug_token"]["data"], "expires_at": ends, "data_access_expires_at": ends}

    checked = await check(graph, debug_token={"data": data})

    assert (checked.token.expires, checked.token.expires_at) == ("unknown", None)
    assert checked.token.data_access_expires_at is None
    assert codes(checked) == ["token_expiry_unknown"]


async def test_fields_that_nobody_knows_are_left_alone(graph):
    data = {**GOOD["debug_token"]["data"], "granular_scopes": [{"scope": 1}], "colour": {"a": [1]}}

    checked = await check(graph, debug_token={"data": data, "more": 1})

    assert checked.findings == []


async def test_a_token_that_debug_token_calls_invalid_is_dead(graph):
    error = {"code": 190, "subcode": 463, "message": f"Malformed access token {TOKEN}"}

    checked = await check(graph, debug_token={"data": {"is_valid": False, "error": error}})

    assert codes(checked) == ["token_expired"]
    assert checked.is_token_dead
    assert graph.asked == ["debug_token"]
    assert TOKEN not in str(checked)


@pytest.mark.parametrize("data", [{"is_valid": False}, {"is_valid": False, "error": "x"}])
async def test_a_dead_token_needs_no_reason(graph, data):
    checked = await check(graph, debug_token={"data": data})

    assert codes(checked) == ["token_rejected"]


async def test_a_token_that_meta_repeats_in_its_complaint_is_not_passed_on(graph):
    error = {"code": 190, "message": f"Malformed access token {TOKEN}", "type": "OAuthException"}

    checked = await check(graph, debug_token={"error": error})

    assert codes(checked) == ["token_rejected"]
    assert TOKEN not in str(checked)
    assert "***" in checked.findings[0].message


@pytest.mark.parametrize("scopes", [None, "ads_management", {"a": 1}])
async def test_scopes_that_are_no_list_are_asked_for_again(graph, scopes):
    data = {**GOOD["debug_token"]["data"], "scopes": scopes}

    checked = await check(graph, debug_token={"data": data}, permissions={"data": "none"})

    assert codes(checked) == ["permissions_unknown"]


async def test_declined_permissions_are_missing(graph):
    rows = [{"permission": name, "status": "granted"} for name in ALL[1:]]
    rows.append({"permission": ALL[0], "status": "declined"})

    checked = await check(graph, debug_token={}, permissions={"data": [*rows, 7, {}]})

    assert codes(checked) == ["permission_missing", "token_expiry_unknown"]
    assert "ads_management" in checked.findings[0].message


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"account_status": 77}, "UNKNOWN_77", "ad_account_state_unknown"),
        ({"account_status": "1"}, None, "ad_account_state_unknown"),
        ({"account_status": True}, None, "ad_account_state_unknown"),
        ({"currency": "euro"}, "ACTIVE", "minimum_budgets_unknown"),
        ({"currency": 7}, "ACTIVE", "minimum_budgets_unknown"),
        ({"user_tasks": []}, "ACTIVE", "ad_account_role_missing"),
    ],
)
async def test_an_account_of_an_odd_form_is_told_as_far_as_it_is_understood(
    graph, change, status, code
):
    checked = await check(graph, act_1={**GOOD["act_1"], **change})

    assert code in codes(checked)
    assert checked.account.status == status


@pytest.mark.parametrize(
    "rows",
    [
        None,
        [],
        ["EUR"],
        [{"currency": "USD", "min_daily_budget_imp": 100}],
        [{"currency": "EUR", "min_daily_budget_imp": -1}],
        [{"currency": "EUR", "min_daily_budget_imp": 10**40}],
        [{"currency": "EUR", "min_daily_budget_imp": "much"}],
        [{"currency": "EUR"}],
    ],
)
async def test_budgets_that_are_not_understood_are_unknown(graph, rows):
    checked = await check(graph, minimum_budgets={"data": rows})

    assert checked.account.minimum_budgets is None
    assert codes(checked) == ["minimum_budgets_unknown"]
    assert checked.is_well


async def test_amounts_may_come_as_text_and_in_many_currencies(graph):
    rows = [
        {"currency": "USD", "min_daily_budget_imp": 1},
        {"currency": "EUR", "min_daily_budget_imp": "95", "min_daily_budget_high_freq": "475"},
    ]

    checked = await check(graph, minimum_budgets={"data": rows})

    assert checked.account.minimum_budgets == MinimumBudgets(95, 475)


@pytest.mark.parametrize(
    ("told", "least"), [("15000", 15_000), (15_000, 15_000), (-1, None), ("much", None), ({}, None)]
)
async def test_the_least_cap_on_a_campaign_is_learnt_with_the_budgets(graph, told, least):
    checked = await check(graph, act_1={**GOOD["act_1"], "min_campaign_group_spend_cap": told})

    assert checked.account.minimum_budgets == MinimumBudgets(100, campaign_spend_cap=least)
    assert codes(checked) == []


async def test_a_list_of_pages_without_end_is_not_followed_for_ever(graph):
    endless = {**GOOD["accounts"], "paging": {"next": "x", "cursors": {"after": "c"}}}

    checked = await check(graph, accounts=endless)

    assert graph.asked.count("accounts") == 5
    assert checked.is_well


@pytest.mark.parametrize("answer", [{"data": 5}, {}, {"error": {"code": 200, "message": "no"}}])
async def test_pages_that_are_not_told_are_unknown(graph, answer):
    checked = await check(graph, accounts=answer)

    assert codes(checked) == ["pages_unknown"]


@pytest.mark.parametrize("path", ["debug_token", "act_1", "minimum_budgets", "accounts"])
@pytest.mark.parametrize("text", ["<html>", "[1]", "", '{"success": false}'])
async def test_an_unreadable_answer_is_no_answer(graph, path, text):
    with pytest.raises(Retry):
        await check(graph, **{path: text})


async def test_a_retired_version_is_a_finding_with_its_remedy(graph):
    error = {"error": {"code": 2635, "message": "deprecated"}}

    checked = await check(graph, debug_token=error, act_1=error, accounts=error)

    assert "version_retired" in codes(checked)
    assert not checked.is_well


async def test_a_throttle_is_told_as_one(graph):
    with pytest.raises(Wait) as throttled:
        await check(graph, act_1={"error": {"code": 17, "message": "slow down"}})

    assert throttled.value.seconds == 60


def test_a_name_is_cut_and_cleaned():
    assert told.name("x" * 500) == "x" * 200
    assert told.name("\x00") is None


async def test_an_end_within_a_week_is_soon(graph):
    later = datetime.now(UTC) + timedelta(days=6)
    data = {**GOOD["debug_token"]["data"], "expires_at": int(later.timestamp())}

    checked = await check(graph, debug_token={"data": data})

    assert codes(checked) == ["token_expires_soon"]
    assert checked.token.expires == "at"
