"""Failures on order: each hits the calls it was ordered for, in the way it was ordered."""

import contextlib
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.running import CAMPAIGN, READY_MADE, Running, as_text, error_of

CAMPAIGNS = f"{READY_MADE}/campaigns"
CREATING = {"platform": "META", "method": "POST", "path": "*/campaigns"}


def create(sandbox: Running) -> httpx.Response:
    return sandbox.graph("POST", CAMPAIGNS, CAMPAIGN)


def test_a_lost_reply_leaves_the_effect_behind(sandbox: Running) -> None:
    sandbox.order("lose_reply", match=CREATING)

    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        create(sandbox)

    made = sandbox.objects("campaign")
    last = sandbox.calls()[-1]
    assert len(made) == 1
    assert (last["status"], last["effect"], last["fault"]) == (None, "created", "lose_reply")
    assert last["object_id"] == made[0]["id"]


def test_a_reset_comes_before_the_effect(sandbox: Running) -> None:
    sandbox.order("reset", match=CREATING)

    with pytest.raises(httpx.ReadError):
        create(sandbox)

    assert sandbox.objects("campaign") == []
    assert sandbox.calls()[-1]["fault"] == "reset"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [("http_500", 500, 2), ("throttle", 400, 17), ("token_expired", 401, 190)],
)
def test_errors_come_in_place_of_the_effect(
    sandbox: Running, fault: str, status: int, code: int
) -> None:
    sandbox.order(fault)

    refused = create(sandbox)
    accepted = create(sandbox)

    assert (refused.status_code, error_of(refused)["code"]) == (status, code)
    assert accepted.status_code == 200
    calls = [(c["status"], c["code"], c["effect"], c["fault"]) for c in sandbox.calls()]
    assert calls == [(status, code, "none", fault), (200, None, "created", None)]


def test_garbage_is_a_page_and_no_json(sandbox: Running) -> None:
    sandbox.order("garbage")

    answer = create(sandbox)

    assert answer.status_code == 502
    assert answer.headers["content-type"].startswith("text/html")
    assert sandbox.objects("campaign") == []
    assert (sandbox.calls()[-1]["status"], sandbox.calls()[-1]["code"]) == (502, None)


@pytest.mark.parametrize(
    ("code", "subcode", "header", "field", "told"),
    [
        (4, 1504022, "x-app-usage", "call_count", 100),
        (17, 2446079, "x-ad-account-usage", "reset_time_duration", 120),
        (613, 1487742, "x-ad-account-usage", "reset_time_duration", 120),
        (80004, 2446079, "x-business-use-case-usage", "estimated_time_to_regain_access", 2),
        (80000, 2446079, "x-business-use-case-usage", "estimated_time_to_regain_access", 2),
    ],
)
def test_a_throttle_is_of_the_family_that_was_ordered(
    sandbox: Running, code: int, subcode: int, header: str, field: str, told: int
) -> None:
    sandbox.order("throttle", code=code, seconds=120)

    answer = create(sandbox)

    usage: Any = httpx.Response(200, content=answer.headers[header]).json()
    usage = usage.get(READY_MADE.removeprefix("act_"), [usage])[0]
    assert (error_of(answer)["code"], error_of(answer)["error_subcode"]) == (code, subcode)
    assert usage[field] == told


def test_an_expired_token_on_order_does_not_change_the_account(sandbox: Running) -> None:
    sandbox.order("token_expired")

    refused = create(sandbox)

    assert error_of(refused)["error_subcode"] == 463
    assert "invalid_token" in refused.headers["www-authenticate"]
    assert create(sandbox).status_code == 200


@contextlib.contextmanager
def leaving(sandbox: Running, path: str, form: dict[str, str]) -> Generator[None]:
    """A client that has sent this, reads nothing, and is gone when the block ends."""
    request = sandbox.client.build_request("POST", path, data=form)
    lines = [
        f"POST {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in request.headers.items()),
    ]
    with socket.create_connection(("127.0.0.1", sandbox.port)) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + request.read())
        yield


def test_a_slow_call_takes_effect_after_its_client_has_gone(sandbox: Running) -> None:
    sandbox.order("slow", match=CREATING, seconds=3)
    form = {name: as_text(value) for name, value in CAMPAIGN.items()}

    with leaving(sandbox, f"/meta/v26.0/{CAMPAIGNS}", {**form, "access_token": sandbox.token()}):
        while sandbox.control("GET", "faults").json()["data"]:  # until the call has met it
            pass
    before = sandbox.objects("campaign")
    while not sandbox.calls():  # until it is over
        pass

    assert before == []
    assert len(sandbox.objects("campaign")) == 1
    assert [call["fault"] for call in sandbox.calls()] == ["slow"]


def test_a_call_whose_client_left_before_it_was_read_has_no_effect(sandbox: Running) -> None:
    form = {name: as_text(value) for name, value in CAMPAIGN.items()}
    form["access_token"] = sandbox.token()
    address = f"{sandbox.base}/meta/v26.0/{CAMPAIGNS}"

    with sandbox.busy(), pytest.raises(httpx.ReadTimeout):
        httpx.post(address, data=form, timeout=0.2, trust_env=False)

    assert sandbox.objects("campaign") == []
    assert create(sandbox).status_code == 200
    assert len(sandbox.objects("campaign")) == 1


def test_calls_that_do_not_match_pass(sandbox: Running) -> None:
    sandbox.order("http_500", match={"method": "GET"})
    sandbox.order("http_500", match={"path": "*/adsets"})
    sandbox.order("http_500", match={"platform": "GOOGLE_ADS"})

    assert create(sandbox).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["*/campaigns", "/act_*/campaigns", "act_*/campaigns", "/meta/v26.0/act_*/campaigns/", "*"],
)
def test_a_path_fits_with_platform_and_version_and_without(sandbox: Running, path: str) -> None:
    sandbox.order("http_500", match={"path": path})

    answer = sandbox.graph("POST", f"{READY_MADE}/campaigns/", CAMPAIGN)

    assert answer.status_code == 500


@pytest.mark.parametrize("path", ["campaigns", "/v26.0/*", "act_1/*", "*/camp", ""])
def test_a_path_fits_wholly_or_not_at_all(sandbox: Running, path: str) -> None:
    sandbox.order("http_500", match={"path": path})

    answer = sandbox.graph("POST", f"{READY_MADE}/campaigns", CAMPAIGN)

    assert answer.status_code == 200


def test_a_fault_skips_then_hits_as_often_as_ordered(sandbox: Running) -> None:
    sandbox.order("http_500", match=CREATING, skip=1, times=2)

    statuses = [create(sandbox).status_code for _ in range(4)]

    assert statuses == [200, 500, 500, 200]
    assert sandbox.control("GET", "faults").json() == {"data": []}


def test_each_fault_counts_its_own_calls_and_the_oldest_due_one_fires(sandbox: Running) -> None:
    sandbox.order("http_500", skip=1)
    sandbox.order("garbage", skip=1)

    statuses = [create(sandbox).status_code for _ in range(4)]

    assert statuses == [200, 500, 502, 200]


def test_what_is_left_of_a_fault_is_listed(sandbox: Running) -> None:
    fault = sandbox.order("http_500", match={"method": "POST"}, skip=1, times=3)
    forever = sandbox.order("slow", match={"method": "PUT"}, times=None, seconds=1)

    create(sandbox)
    create(sandbox)

    left = sandbox.control("GET", "faults").json()["data"]
    assert [(f["id"], f["times"], f["skip"]) for f in left] == [(fault, 2, 0), (forever, None, 0)]
    assert left[0]["match"] == {"method": "POST"}
    assert left[1]["seconds"] == 1


def test_faults_are_ended_one_by_one_or_all(sandbox: Running) -> None:
    first = sandbox.order("http_500")
    sandbox.order("garbage")
    sandbox.order("slow")

    one = sandbox.control("DELETE", f"faults/{first}")
    again = sandbox.control("DELETE", f"faults/{first}")
    after_one = len(sandbox.control("GET", "faults").json()["data"])
    everything = sandbox.control("DELETE", "faults")

    assert (one.status_code, again.status_code, everything.status_code) == (204, 404, 204)
    assert after_one == 2
    assert create(sandbox).status_code == 200


@pytest.mark.parametrize(
    "order",
    [
        {"fault": "earthquake"},
        {"fault": "slow", "when": "now"},
        {"fault": "slow", "match": {"body": "x"}},
        {"fault": "slow", "times": 0},
        {"fault": "slow", "skip": -1},
        {},
    ],
)
def test_an_order_that_means_nothing_is_refused(sandbox: Running, order: dict[str, Any]) -> None:
    answer = sandbox.control("POST", "faults", order)

    assert answer.status_code == 400


def test_faults_survive_a_restart(tmp_path: Path) -> None:
    first = Running(tmp_path / "state")
    first.order("http_500", match=CREATING, skip=1, times=2)
    create(first)
    first.stop()

    second = Running(tmp_path / "state")
    statuses = [create(second).status_code for _ in range(3)]
    second.stop()

    assert statuses == [500, 500, 200]
