"""Tokens, permissions, versions, and the ways in which a call can be sent."""

from typing import Any

import pytest

from tests.sandbox.running import CAMPAIGN, CREATIVE, READY_MADE, Running, as_text, error_of

CAMPAIGNS = f"/meta/v26.0/{READY_MADE}/campaigns"


def form(sandbox: Running) -> dict[str, str]:
    fields = {name: as_text(value) for name, value in CAMPAIGN.items()}
    return {**fields, "access_token": sandbox.token()}


def test_a_token_is_taken_from_header_query_and_body(sandbox: Running) -> None:
    token = sandbox.token()

    answers = [
        sandbox.client.get(CAMPAIGNS, headers={"Authorization": f"Bearer {token}"}),
        sandbox.client.get(CAMPAIGNS, params={"access_token": token}),
        sandbox.client.post(CAMPAIGNS, data=form(sandbox)),
        sandbox.client.post(CAMPAIGNS, json={**CAMPAIGN, "access_token": token}),
        sandbox.client.post(
            CAMPAIGNS, data=form(sandbox), files={"unused": ("a.txt", b"x", "text/plain")}
        ),
    ]

    assert [answer.status_code for answer in answers] == [200] * 5


def test_forms_multipart_and_json_mean_the_same(sandbox: Running) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token()}"}
    fields = form(sandbox)
    del fields["access_token"]
    files = {"unused": ("a.txt", b"x", "text/plain")}

    sandbox.client.post(CAMPAIGNS, data=fields, headers=headers)
    sandbox.client.post(f"{CAMPAIGNS}/", json=CAMPAIGN, headers=headers)
    sandbox.client.post(CAMPAIGNS, data=fields, files=files, headers=headers)
    sandbox.client.post(CAMPAIGNS, params=fields, headers=headers)

    made = [one["fields"] for one in sandbox.objects("campaign")]
    assert len(made) == 4
    assert all(one == CAMPAIGN for one in made)


@pytest.mark.parametrize(
    ("headers", "code", "status"),
    [({}, 104, 401), ({"Authorization": "Bearer EAASnonsense"}, 190, 401)],
)
def test_without_a_token_that_works_nothing_is_done(
    sandbox: Running, headers: dict[str, str], code: int, status: int
) -> None:
    answer = sandbox.client.post(CAMPAIGNS, json=CAMPAIGN, headers=headers)

    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
    assert sandbox.objects("campaign") == []


def test_the_envelope_is_metas(sandbox: Running) -> None:
    answer = sandbox.graph("GET", "12345")

    error = error_of(answer)
    assert error["type"] == "GraphMethodException"
    assert error["fbtrace_id"].startswith("A")
    assert error["is_transient"] is False
    assert answer.headers["facebook-api-version"] == "v26.0"
    assert {"x-fb-trace-id", "x-fb-request-id", "x-fb-rev"} <= set(answer.headers)


def test_blamed_fields_come_as_json_text(sandbox: Running) -> None:
    answer = sandbox.graph("POST", f"{READY_MADE}/campaigns", {**CAMPAIGN, "status": "LOUD"})

    assert error_of(answer)["error_data"] == '{"blame_field_specs":[["status"]]}'


def test_a_token_opens_its_own_account_only(sandbox: Running) -> None:
    other = sandbox.account()
    tree = sandbox.make_tree()
    token = other["access_token"]

    listed = sandbox.graph("GET", f"{READY_MADE}/campaigns", token=token)
    made = sandbox.graph("POST", f"{READY_MADE}/campaigns", CAMPAIGN, token=token)
    read = sandbox.graph("GET", tree["campaign"], token=token)
    changed = sandbox.graph("POST", tree["campaign"], {"name": "mine"}, token=token)
    deleted = sandbox.graph("DELETE", tree["campaign"], token=token)
    nowhere = sandbox.graph("GET", "act_5/campaigns", token=token)

    assert [error_of(answer)["code"] for answer in (listed, made)] == [200, 200]
    assert listed.status_code == 403
    assert [error_of(a)["error_subcode"] for a in (read, changed, deleted, nowhere)] == [33] * 4
    assert sandbox.objects("campaign")[0]["name"] == "Spring sale"


def test_a_token_ends_when_its_time_is_over(sandbox: Running) -> None:
    made = sandbox.account(token_expires_in_seconds=3600)
    token = made["access_token"]

    before = sandbox.graph("GET", made["id"], token=token)
    sandbox.advance(3600)
    after = sandbox.graph("GET", made["id"], token=token)

    assert before.status_code == 200
    assert after.status_code == 401
    assert (error_of(after)["code"], error_of(after)["error_subcode"]) == (190, 463)


def test_a_new_token_can_replace_the_old_one(sandbox: Running) -> None:
    made = sandbox.account()
    path = f"accounts/{made['id']}/token"

    second = sandbox.control("POST", path).json()["access_token"]
    both = [sandbox.graph("GET", made["id"], token=t) for t in (made["access_token"], second)]
    third = sandbox.control("POST", path, {"revoke_old": True}).json()["access_token"]
    old = sandbox.graph("GET", made["id"], token=second)

    assert [answer.status_code for answer in both] == [200, 200]
    assert (error_of(old)["code"], error_of(old)["error_subcode"]) == (190, 467)
    assert sandbox.graph("GET", made["id"], token=third).status_code == 200
    assert sandbox.token(made["id"]) == third


def test_a_new_token_can_have_an_end(sandbox: Running) -> None:
    made = sandbox.account()

    short = sandbox.control("POST", f"accounts/{made['id']}/token", {"expires_in_seconds": 60})
    sandbox.advance(60)

    answer = sandbox.graph("GET", made["id"], token=short.json()["access_token"])
    assert error_of(answer)["error_subcode"] == 463


@pytest.mark.parametrize(
    ("missing", "method", "edge", "params", "code"),
    [
        ("ads_management", "POST", "campaigns", CAMPAIGN, 200),
        ("ads_read", "GET", "campaigns", {}, 10),
        ("pages_manage_ads", "POST", "adcreatives", CREATIVE, 10),
        ("pages_read_engagement", "POST", "adcreatives", CREATIVE, 10),
    ],
)
def test_a_permission_can_be_missing(
    sandbox: Running, missing: str, method: str, edge: str, params: dict[str, Any], code: int
) -> None:
    made = sandbox.account(missing_permissions=[missing])
    token = made["access_token"]

    answer = sandbox.graph(method, f"{made['id']}/{edge}", params, token=token)
    granted = sandbox.graph("GET", "me/permissions", token=token)

    assert (answer.status_code, error_of(answer)["code"]) == (403, code)
    declined = [p["permission"] for p in granted.json()["data"] if p["status"] == "declined"]
    assert declined == [missing]


def test_permissions_may_be_told_as_the_granted_ones(sandbox: Running) -> None:
    made = sandbox.account(permissions=["ads_read"])
    token = made["access_token"]

    read = sandbox.graph("GET", f"{made['id']}/campaigns", token=token)
    written = sandbox.graph("POST", f"{made['id']}/campaigns", CAMPAIGN, token=token)

    assert read.status_code == 200
    assert error_of(written)["code"] == 200


def test_a_token_can_be_looked_at(sandbox: Running) -> None:
    made = sandbox.account(token_expires_in_seconds=3600)
    token = made["access_token"]

    good = sandbox.graph("GET", "debug_token", {"input_token": token}, token=token).json()["data"]
    bad = sandbox.graph("GET", "debug_token", {"input_token": "x"}, token=token).json()["data"]

    assert good["is_valid"] is True
    assert good["expires_at"] > 0
    assert "ads_management" in good["scopes"]
    assert bad["is_valid"] is False


def test_two_versions_are_served_and_others_are_retired(sandbox: Running) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token()}"}

    answers = {
        version: sandbox.client.get(f"/meta/{version}/me", headers=headers)
        for version in ("v26.0", "v25.0", "v24.0", "v99.0")
    }

    assert answers["v25.0"].headers["facebook-api-version"] == "v25.0"
    assert [answers[v].status_code for v in answers] == [200, 200, 400, 400]
    assert error_of(answers["v24.0"])["code"] == 2635


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/meta/v26.0/{READY_MADE}/insights"),
        ("POST", f"/meta/v26.0/{READY_MADE}/customaudiences"),
        ("GET", f"/meta/v26.0/{READY_MADE}/generatepreviews"),
        ("GET", "/meta/v26.0"),
        ("GET", "/meta/me"),
        ("GET", "/meta"),
        ("GET", "/meta/v26.0/search?type=adinterestvalid"),
        ("PUT", "/meta/v26.0/me"),
        ("GET", "/meta/v26.0/1/2/3"),
        ("DELETE", f"/meta/v26.0/{READY_MADE}"),
    ],
)
def test_what_is_not_imitated_answers_501(sandbox: Running, method: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token()}"}

    answer = sandbox.client.request(method, path, headers=headers)

    assert answer.status_code == 501
    assert "does not imitate" in error_of(answer)["message"]
    assert sandbox.calls()[-1]["status"] == 501


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/json", b"{not json"),
        ("application/json", b"[1]"),
        ("multipart/form-data; boundary=x", b"nonsense"),
        ("application/x-www-form-urlencoded", b"\xff\xfe=%ff"),
    ],
)
def test_a_body_that_cannot_be_read_is_an_error_and_no_crash(
    sandbox: Running, content_type: str, content: bytes
) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token()}", "Content-Type": content_type}

    answer = sandbox.client.post(CAMPAIGNS, content=content, headers=headers)

    assert error_of(answer)["code"] == 100
    assert sandbox.calls()[-1]["code"] == 100


def test_a_structured_parameter_must_be_an_object(sandbox: Running) -> None:
    tree = sandbox.make_tree()

    answer = sandbox.graph("POST", tree["ad_set"], {"targeting": "{broken"})

    assert error_of(answer)["error_data"] == '{"blame_field_specs":[["targeting"]]}'


def test_no_token_stands_in_the_list_of_calls(sandbox: Running) -> None:
    token = sandbox.token()

    sandbox.client.get(f"/meta/v26.0/me?access_token={token}")
    sandbox.client.get(f"/meta/v26.0/{token}/campaigns?access_token={token}")

    told = sandbox.control("GET", "calls").text
    assert token not in told
    assert "/meta/v26.0/***/campaigns" in told


def test_calls_are_answered_one_after_another_on_one_connection(sandbox: Running) -> None:
    with sandbox.new_client() as client:
        answers = [client.get("/livez").status_code for _ in range(3)]

    assert answers == [200, 200, 200]
