"""Several calls in one are carried out one by one, each with a status and a body of its own."""

import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from facebook_business.adobjects.adaccount import AdAccount

from tests.sandbox.running import AD_SET, CAMPAIGN, READY_MADE, Running, as_text, error_of

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportIndexIssue=false
# the SDK has no types

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def body(params: dict[str, Any]) -> str:
    return urlencode({name: as_text(value) for name, value in params.items()})


def create(**changes: Any) -> dict[str, Any]:
    call = {"method": "POST", "relative_url": f"{READY_MADE}/campaigns", "body": body(CAMPAIGN)}
    return {**call, **changes}


def send(sandbox: Running, batch: Any, **rest: Any) -> httpx.Response:
    return sandbox.graph("POST", "", {"batch": batch, **rest})


def told(sandbox: Running, batch: list[dict[str, Any]]) -> list[Any]:
    answer = send(sandbox, batch)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_call_has_its_own_answer(sandbox: Running) -> None:
    missing = {"method": "GET", "relative_url": "v26.0/404404"}
    listed = {"method": "GET", "relative_url": f"/{READY_MADE}/campaigns?fields=name&limit=1"}

    made, refused, found = told(sandbox, [create(), missing, listed])

    assert [made["code"], refused["code"], found["code"]] == [200, 400, 200]
    campaign = json.loads(made["body"])["id"]
    assert json.loads(refused["body"])["error"]["error_subcode"] == 33
    assert json.loads(found["body"])["data"] == [{"name": "Spring sale", "id": campaign}]
    headers = {one["name"] for one in made["headers"]}
    assert {"x-fb-trace-id", "x-business-use-case-usage"} <= headers


def test_each_call_is_counted_and_written_down(sandbox: Running) -> None:
    told(sandbox, [create(), create(method="GET", body="")])

    assert [(one["method"], one["effect"]) for one in sandbox.calls()] == [
        ("POST", "created"),
        ("GET", "none"),
    ]


def test_the_sdk_builds_a_tree_in_one_batch(sandbox: Running) -> None:
    account = sandbox.sdk()
    ids: list[str] = []
    failures: list[Any] = []
    batch = account.get_api().new_batch()

    def add(edge: str, params: dict[str, Any], **rest: Any) -> None:
        batch.add(
            "POST",
            f"{READY_MADE}/{edge}",
            params=params,
            success=lambda answer: ids.append(answer.json()["id"]),
            failure=failures.append,
        ).update(**rest)

    add("campaigns", CAMPAIGN, name="campaign", omit_response_on_success=False)
    add("adsets", {**AD_SET, "campaign_id": "{result=campaign:$.id}"}, depends_on="campaign")
    left = batch.execute()

    assert (left, failures, len(ids)) == (None, [], 2)
    assert sandbox.objects("ad_set")[0]["parent_id"] == ids[0]


def test_typed_requests_of_the_sdk_go_into_a_batch(sandbox: Running) -> None:
    account: AdAccount = sandbox.sdk()
    made: list[Any] = []
    batch = account.get_api().new_batch()

    account.create_campaign(params=CAMPAIGN, batch=batch, success=made.append)
    account.api_get(fields=["currency"], batch=batch, success=made.append)
    batch.execute()

    assert [one.status() for one in made] == [200, 200]
    assert made[1].json()["currency"] == "USD"


def test_an_answer_that_others_use_is_left_out_unless_it_is_wanted(sandbox: Running) -> None:
    use = {"method": "GET", "relative_url": "{result=made:$.id}?fields=name"}

    omitted, used = told(sandbox, [create(name="made"), use])
    wanted, _ = told(sandbox, [create(name="made", omit_response_on_success=False), use])

    assert omitted is None
    assert json.loads(used["body"])["name"] == "Spring sale"
    assert wanted["code"] == 200


def test_lists_of_ids_lead_on(sandbox: Running) -> None:
    tree = sandbox.make_tree()
    listed = {"method": "GET", "relative_url": f"{tree['campaign']}/adsets", "name": "sets"}
    first = {"method": "GET", "relative_url": "{result=sets:$.data[0].id}?fields=daily_budget"}

    _, read = told(sandbox, [listed, first])

    assert json.loads(read["body"]) == {"daily_budget": "5000", "id": tree["ad_set"]}


def test_who_needs_a_call_that_failed_fails_and_the_others_stay(sandbox: Running) -> None:
    failing = create(name="made", body="name=x")
    needs = create(depends_on="made")
    lost = create(depends_on="nobody")

    answers = told(sandbox, [failing, needs, lost, create()])

    assert [one["code"] for one in answers] == [400, 424, 424, 200]
    assert len(sandbox.objects("campaign")) == 1


def test_a_call_may_bring_its_own_token(sandbox: Running) -> None:
    other = sandbox.account()
    with_token = f"me/adaccounts?access_token={other['access_token']}"

    own, dead = told(
        sandbox,
        [
            {"method": "GET", "relative_url": with_token},
            {"method": "GET", "relative_url": "me?access_token=nonsense"},
        ],
    )

    assert json.loads(own["body"])["data"][0]["id"] == other["id"]
    assert dead["code"] == 401


def test_fifty_calls_are_a_batch_and_one_more_is_not(sandbox: Running) -> None:
    look = {"method": "GET", "relative_url": "me"}

    most = told(sandbox, [look] * 50)
    too_many = send(sandbox, [look] * 51)

    assert {one["code"] for one in most} == {200}
    error = error_of(too_many)
    assert (error["code"], error["type"]) == (-3, "GraphBatchException")


@pytest.mark.parametrize("batch", [None, "x", {}, [], [1], [{"method": "GET"}], [{"body": 1}]])
def test_what_is_no_batch_is_refused(sandbox: Running, batch: Any) -> None:
    answer = send(sandbox, batch)

    assert error_of(answer)["code"] == 100
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ({"method": "GET", "relative_url": "me", "attached_files": "a"}, 501),
        ({"method": "POST", "relative_url": "?batch=[]"}, 501),
        ({"method": "BREW", "relative_url": "me"}, 400),
        ({"method": "GET", "relative_url": "v9.0/me"}, 400),
        ({"method": "POST", "relative_url": f"{READY_MADE}/copies"}, 501),
    ],
)
def test_a_call_that_cannot_be_carried_out_says_so_for_itself(
    sandbox: Running, call: dict[str, Any], code: int
) -> None:
    answers = told(sandbox, [call, create()])

    assert [one["code"] for one in answers] == [code, 200]


def test_a_call_that_is_not_answered_is_null(sandbox: Running) -> None:
    sandbox.order("reset", match={"path": "*/campaigns"})
    sandbox.order("lose_reply", match={"path": "*/campaigns"})

    answers = told(sandbox, [create(), create(), create()])

    assert [one and one["code"] for one in answers] == [None, None, 200]
    assert len(sandbox.objects("campaign")) == 2


def test_headers_can_be_left_out(sandbox: Running) -> None:
    answer = send(sandbox, [{"method": "GET", "relative_url": "me"}], include_headers=False)

    assert set(answer.json()[0]) == {"code", "body"}


def test_a_batch_that_fails_as_a_whole_does_nothing(sandbox: Running) -> None:
    sandbox.order("http_500", match={"path": "/meta/v26.0*"})

    answer = send(sandbox, [create()])

    assert answer.status_code == 500
    assert sandbox.objects("campaign") == []
