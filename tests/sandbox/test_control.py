"""The control plane, and what stands beside it for people."""

from html import escape
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from sandbox.app import create_app
from sandbox.state import State
from tests.sandbox.running import CAMPAIGN, PAGE, READY_MADE, Running


def test_the_ready_made_account_is_always_there(sandbox: Running) -> None:
    found = sandbox.control("GET", "accounts").json()["data"]

    assert len(found) == 1
    assert (found[0]["id"], found[0]["page_id"], found[0]["tier"]) == (READY_MADE, PAGE, "full")
    assert found[0]["access_token"] == found[0]["token"] == sandbox.token()


def test_an_account_is_made_as_wished(sandbox: Running) -> None:
    made = sandbox.account(
        tier="development", currency="EUR", name="Mine", pages=2, app_secret=True,
        timezone="Europe/Berlin", min_daily_budget=500,
    )  # fmt: skip

    read = sandbox.sdk(made["id"], made["app_secret"]).api_get(
        fields=["name", "currency", "timezone_name", "min_daily_budget"]
    )
    assert made["id"].startswith("act_")
    assert len(made["page_ids"]) == 2
    assert made["page_id"] == made["page_ids"][0]
    assert (read["name"], read["currency"]) == ("Mine", "EUR")
    assert (read["timezone_name"], read["min_daily_budget"]) == ("Europe/Berlin", 500)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("accounts", {}),
        ("accounts", {"platform": "MARS"}),
        ("accounts", {"platform": "META", "tier": "gold"}),
        ("accounts", {"platform": "META", "currency": "euro"}),
        ("accounts", {"platform": "META", "timezone": "Mars/Olympus"}),
        ("accounts", {"platform": "META", "colour": "red"}),
        ("clock", {}),
        ("clock", {"advance_seconds": -1}),
        ("clock", {"advance_seconds": 1, "back": True}),
    ],
)
def test_orders_that_mean_nothing_are_refused(
    sandbox: Running, path: str, body: dict[str, Any]
) -> None:
    assert sandbox.control("POST", path, body).status_code == 400


def told(answer: httpx.Response) -> dict[str, str]:
    """What was refused, by its place."""
    assert answer.status_code == 400
    return {
        one.get("pointer", one.get("parameter")): one["message"] for one in answer.json()["errors"]
    }


def test_a_refused_order_names_every_field_and_what_would_do(sandbox: Running) -> None:
    fault = sandbox.control(
        "POST", "faults", {"fault": "boom", "match": {"verb": "GET"}, "skip": -1}
    )
    account = sandbox.control(
        "POST", "accounts", {"platform": "MARS", "currency": "euro", "account_status": 4}
    )
    names = sandbox.control(
        "POST", "accounts", {"platform": "META", "permissions": ["x"], "timezone": "Mars"}
    )
    token = sandbox.control("POST", "accounts/act_1000000001/token", {"revoke": True})

    assert told(fault) == {
        "/fault": "Expected one of garbage, http_500, lose_reply, reset, slow, throttle, token_expired.",
        "/match/verb": "There is no such field; there are platform, method, path.",
        "/skip": "Expected at least 0.",
    }
    assert told(account) == {
        "/platform": "Expected one of META.",
        "/currency": "Expected text like ^[A-Z]{3}$.",
        "/account_status": "Expected one of 1, 2, 3, 7, 8, 9, 100, 101.",
    }
    assert told(names)["/permissions"].startswith("Expected one of ads_management, ads_read")
    assert told(names)["/timezone"] == "Expected a name like Europe/Berlin."
    assert told(token) == {
        "/revoke": "There is no such field; there are revoke_old, expires_in_seconds."
    }
    assert "/fault: Expected one of garbage" in fault.json()["detail"]


def test_an_order_that_is_missing_or_is_no_object_is_told_what_there_is(sandbox: Running) -> None:
    missing = sandbox.control("POST", "faults")
    listed = sandbox.control("POST", "clock", [1])

    assert told(missing)["/fault"].startswith("This field is required. Expected one of garbage,")
    assert told(listed) == {"": "Expected an object with advance_seconds."}


def test_a_filter_that_there_is_not_is_refused_and_not_passed_over(sandbox: Running) -> None:
    strange = sandbox.control("GET", "objects?platfrom=META&kind=adset")
    later = sandbox.control("GET", "calls?since=7")

    assert told(strange) == {
        "platfrom": "There is no such parameter; there are platform, account, kind.",
        "kind": "Expected one of campaign, ad_set, image, video, creative, ad.",
    }
    assert told(later) == {"since": "There is no such parameter; there are after."}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"fault": "\xff"}', "it is not UTF-8 (byte 11)"),
        (b"[" * 200_000, "it is nested too deeply"),
    ],
)
def test_an_order_that_cannot_be_read_is_no_failure_of_the_sandbox(
    sandbox: Running, body: bytes, why: str
) -> None:
    answer = sandbox.client.post("/_sandbox/faults", content=body)

    assert told(answer) == {"": f"The body is no JSON: {why}."}


@pytest.mark.parametrize("field", ["times", "skip", "code"])
def test_an_order_of_a_number_that_cannot_be_kept_is_refused(sandbox: Running, field: str) -> None:
    answer = sandbox.control("POST", "faults", {"fault": "reset", field: 10**19})

    assert told(answer) == {f"/{field}": "Expected at most 1000000000."}


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "1" * 19])
def test_calls_are_asked_for_by_a_number(sandbox: Running, after: str) -> None:
    answer = sandbox.control("GET", f"calls?after={after}")

    assert told(answer) == {"after": "Expected a whole number of at most 18 digits."}


def test_the_clock_stops_before_times_that_nobody_can_write(sandbox: Running) -> None:
    sandbox.state.clock.advance(220 * 10**9)

    answer = sandbox.control("POST", "clock", {"advance_seconds": 10**9})
    after = sandbox.control("GET", "clock").json()["now"]

    message = "The clock goes up to 9000; POST /_sandbox/reset sets it right."
    assert told(answer) == {"/advance_seconds": message}
    assert after < "9000"


def test_a_token_has_an_end_that_can_be_told(sandbox: Running) -> None:
    account = sandbox.control("GET", "accounts").json()["data"][0]["id"]

    answer = sandbox.control("POST", f"accounts/{account}/token", {"expires_in_seconds": 1e300})

    assert told(answer) == {"/expires_in_seconds": "Expected at most 1000000000.0."}


def test_a_fault_of_a_number_beyond_all_is_not_there(sandbox: Running) -> None:
    assert sandbox.control("DELETE", f"faults/{10**19}").status_code == 404


def test_an_account_that_is_not_there_gets_no_token(sandbox: Running) -> None:
    assert sandbox.control("POST", "accounts/act_5/token").status_code == 404


def test_tokens_are_told_to_this_machine_only() -> None:
    state = State()
    app = create_app(state)

    with TestClient(app) as client:
        answers = [client.get("/_sandbox/accounts"), client.post("/_sandbox/accounts/x/token")]
    state.close()

    # the test client calls itself "testclient", which is no address of this machine
    assert [answer.status_code for answer in answers] == [403, 403]


def test_objects_are_filtered(sandbox: Running) -> None:
    other = sandbox.account()
    sandbox.make_tree()
    sandbox.graph("POST", f"{other['id']}/campaigns", CAMPAIGN, token=other["access_token"])

    def kinds(query: str) -> list[str]:
        return [one["kind"] for one in sandbox.control("GET", f"objects?{query}").json()["data"]]

    assert kinds("") == ["campaign", "ad_set", "creative", "ad", "campaign"]
    assert kinds("kind=campaign") == ["campaign", "campaign"]
    assert kinds(f"account={other['id']}") == ["campaign"]
    assert kinds("platform=META&kind=ad") == ["ad"]
    assert kinds("platform=GOOGLE_ADS") == []


def test_calls_are_listed_after_a_number(sandbox: Running) -> None:
    campaign = sandbox.make("campaigns", CAMPAIGN)
    sandbox.graph("GET", campaign)
    sandbox.graph("POST", campaign, {"name": "New"})

    calls = sandbox.calls()
    rest = sandbox.control("GET", f"calls?after={calls[0]['seq']}").json()["data"]

    assert rest == calls[1:]
    assert [(c["method"], c["effect"], c["object_id"]) for c in calls] == [
        ("POST", "created", campaign),
        ("GET", "none", None),
        ("POST", "changed", campaign),
    ]
    assert calls[0]["path"] == f"/meta/v26.0/{READY_MADE}/campaigns"
    assert set(calls[0]) == {
        "seq", "at", "platform", "method", "path", "status", "code", "effect", "object_id", "fault",
    }  # fmt: skip


def test_the_control_plane_itself_is_not_among_the_calls(sandbox: Running) -> None:
    sandbox.client.get("/livez")
    sandbox.client.get("/")
    sandbox.control("GET", "objects")
    sandbox.client.get("/meta/files/placeholder.png")

    assert sandbox.calls() == []


def test_the_clock_moves_forward(sandbox: Running) -> None:
    before = sandbox.control("GET", "clock").json()

    after = sandbox.control("POST", "clock", {"advance_seconds": 86_400}).json()

    assert after["offset_seconds"] == before["offset_seconds"] + 86_400
    assert after["now"] > before["now"]
    assert after["now"].endswith("Z")


def test_the_front_page_says_what_this_is(sandbox: Running) -> None:
    front = sandbox.client.get("/")

    assert "sandbox" in front.text
    assert front.headers["content-type"].startswith("text/html")
    assert sandbox.client.get("/livez").json() == {"status": "ok"}


def test_fidelity_is_a_page_and_data(sandbox: Running) -> None:
    page = sandbox.client.get("/_sandbox/fidelity", headers={"Accept": "text/html"})
    data = sandbox.client.get("/_sandbox/fidelity", headers={"Accept": "application/json"})

    meta = data.json()["platforms"]["META"]
    assert "How faithful" in page.text
    assert {"method": "POST", "of": "account", "edge": "campaigns"}.items() <= meta["operations"][
        0
    ].items()
    assert all(row["source"] for row in meta["operations"])
    assert all(row["source"] and row["name"] for row in meta["rules"])
    assert all(row["kind"] for row in meta["rules"])
    assert meta["not_imitated"]
    for rule in meta["known_rules"]:
        assert escape(rule["rule"]) in page.text


def test_every_refusal_is_told_as_a_known_rule_and_no_other(sandbox: Running) -> None:
    meta = sandbox.client.get("/_sandbox/fidelity?format=json").json()["platforms"]["META"]
    known = meta["known_rules"]

    told = {name for rule in known for name in rule["shown_by"]}

    assert told == {rule["name"] for rule in meta["rules"]}
    assert {rule["state"] for rule in known} == {"imitated", "partly", "not"}
    assert all(rule["source"] and rule["topic"] for rule in known)
    assert not [rule for rule in known if rule["state"] == "not" and rule["shown_by"]]


def test_hundreds_of_calls_at_once_are_all_answered(sandbox: Running) -> None:
    token = sandbox.token()
    form = {"name": "c", "objective": "OUTCOME_TRAFFIC", "special_ad_categories": "[]"}
    form |= {"status": "PAUSED", "is_adset_budget_sharing_enabled": "false"}

    with sandbox.new_client() as client:
        statuses = {
            client.post(
                f"/meta/v26.0/{READY_MADE}/campaigns",
                data=form,
                headers={"Authorization": f"Bearer {token}"},
            ).status_code
            for _ in range(200)
        }

    assert statuses == {200}
    assert len({one["id"] for one in sandbox.objects("campaign")}) == 200
