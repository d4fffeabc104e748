"""No key, no answer; a key does what its scopes say, and no longer than it lives."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from litestar import Request, get
from litestar.testing import RequestFactory

from common.api_keys import make_key
from common.errors import Invalid, NotFound, Unauthorized
from common.uuid7 import uuid7
from middleware.auth import RequireAuth
from models.api_keys import create_key, list_keys, revoke_key
from tests.routes.conftest import Api

URL = "/api/v1/ad_accounts"


def key_of(client: httpx.AsyncClient) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")


def operations(document: dict) -> list[tuple[str, str, dict]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


async def test_every_documented_route_asks_for_a_key_unless_it_says_that_it_is_open(api: Api):
    document = (await api.client.get("/api/v1/openapi.json")).json()

    answers = {
        (method, path): await api.client.request(method, path.replace("{", "").replace("}", ""))
        for method, path, operation in operations(document)
        if operation.get("security") != []
    }

    assert len(answers) >= 10
    for answer in answers.values():
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "unauthorized"


async def test_every_documented_route_asks_for_a_scope(api: Api):
    caller = await api.caller(scopes=["jobs:read"])
    other = await api.caller(scopes=["accounts:read"])
    document = (await api.client.get("/api/v1/openapi.json")).json()

    for method, path, operation in operations(document):
        if operation.get("security") == [] or path == "/api/v1/me":
            continue
        who = other if "`jobs:read`" in operation["description"] else caller
        answer = await who.request(method, path.replace("{", "").replace("}", ""))
        assert answer.status_code == 403, path
        assert answer.json()["code"] == "missing_scope"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/", "/docs", "/api/v1/openapi.json"])
async def test_health_and_documentation_are_open(api: Api, path):
    assert (await api.client.get(path)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer mj_test_short",
        f"Bearer {make_key('sandbox')[:-1]}x",
        f"Bearer {make_key('sandbox')} more",
        f"Bearer {make_key('sandbox')}",
        f"Token {make_key('live')}",
        "Bearer \xff\xfe",
    ],
    ids=[
        "empty",
        "scheme",
        "scheme and space",
        "other scheme",
        "too short",
        "wrong end",
        "more behind",
        "unknown",
        "unknown scheme",
        "no text",
    ],
)
async def test_what_is_no_known_key_is_refused(api: Api, header):
    answer = await api.client.get(URL, headers={"Authorization": header.encode("latin-1")})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", [URL, "/api/v1/ads/meta"])
async def test_of_two_keys_none_counts(api: Api, path):
    key, other = key_of(await api.caller()), key_of(await api.caller(team="Other"))
    pairs = [(key, other), (key, key), (key, "")]

    answers = [
        await api.client.post(path, headers=[("Authorization", f"Bearer {one}") for one in pair])
        for pair in pairs
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
        (401, "unauthorized")
    }
    assert "once" in answers[0].json()["detail"]


async def test_the_word_bearer_may_be_written_as_one_likes(api: Api):
    key = key_of(await api.caller())

    answer = await api.client.get(URL, headers={"Authorization": f"bearer  {key}"})

    assert answer.status_code == 200


async def test_a_key_in_the_address_does_not_count(api: Api):
    key = key_of(await api.caller())

    answer = await api.client.get(URL, params={"access_token": key})

    assert answer.status_code == 401


async def test_an_expired_key_is_refused(api: Api):
    ended = await api.caller(expires_at=datetime.now(UTC) + timedelta(hours=1))
    await api.pool.execute("update api_keys set expires_at = now() - interval '1 second'")

    assert (await ended.get(URL)).status_code == 401


async def test_a_key_ends_at_its_time_even_when_it_is_remembered(api: Api):
    guard = RequireAuth(api.pool)
    made = await create_key(
        api.pool, team="T", name="n", expires_at=datetime.now(UTC) + timedelta(hours=1)
    )
    caller = await guard._caller(made.key)
    assert caller is not None
    ended = type(caller)(
        caller.key_id, caller.team_id, caller.mode, caller.scopes, datetime.now(UTC)
    )
    guard._known = type(guard._known)(dict.fromkeys(guard._known, (1e18, ended)))

    with pytest.raises(Unauthorized):
        await guard(_request(made.key))


async def test_a_revoked_key_is_refused_within_thirty_seconds_and_not_asked_for_each_time(api: Api):
    now = 1000.0
    guard = RequireAuth(api.pool, seconds=lambda: now)
    made = await create_key(api.pool, team="T", name="n")
    assert await guard._caller(made.key) is not None

    await revoke_key(api.pool, made.id)

    now = 1029.9
    assert await guard._caller(made.key) is not None
    now = 1030.0
    assert await guard._caller(made.key) is None


async def test_an_unknown_key_is_looked_up_again_after_five_seconds(api: Api):
    now = 1000.0
    guard = RequireAuth(api.pool, seconds=lambda: now)
    made = await create_key(api.pool, team="T", name="n")
    await api.pool.execute("update api_keys set revoked_at = now()")
    assert await guard._caller(made.key) is None
    await api.pool.execute("update api_keys set revoked_at = null")

    now = 1004.9
    assert await guard._caller(made.key) is None
    now = 1005.0
    assert await guard._caller(made.key) is not None


async def test_guessing_does_not_fill_the_memory(api: Api):
    guard = RequireAuth(api.pool)

    for number in range(10_100):
        guard._remember(number.to_bytes(32), 1.0, None)

    assert len(guard._known) == 10_000


async def test_only_hashes_of_keys_are_stored(api: Api):
    made = await create_key(api.pool, team="T", name="n")

    (row,) = await api.pool.fetch("select * from api_keys")

    assert made.key not in str(dict(row))
    assert made.key not in repr(made)
    assert row["key_prefix"] == made.key[:12]


async def test_keys_are_listed_by_team_with_what_they_may(api: Api):
    first = await create_key(api.pool, team="A", name="one", scopes=["jobs:read"])
    await create_key(api.pool, team="B", name="two", live=True)
    await revoke_key(api.pool, first.id)

    (listed,) = await list_keys(api.pool, team="A")
    both = await list_keys(api.pool)

    assert (listed.name, listed.scopes, listed.mode) == ("one", ["jobs:read"], "sandbox")
    assert listed.revoked_at is not None
    assert [key.team for key in both] == ["A", "B"]
    assert both[1].mode == "live"


async def test_two_keys_of_one_name_of_team_belong_to_one_team(api: Api):
    first = await create_key(api.pool, team="A", name="one")
    second = await create_key(api.pool, team="A", name="two")

    assert first.team_id == second.team_id


@pytest.mark.parametrize("scopes", [[], ["jobs:read", "everything"]])
async def test_unknown_scopes_are_refused(api: Api, scopes):
    with pytest.raises(Invalid, match="jobs:write"):
        await create_key(api.pool, team="A", name="one", scopes=scopes)


async def test_a_key_that_is_not_there_cannot_be_revoked(api: Api):
    with pytest.raises(NotFound):
        await revoke_key(api.pool, uuid7())


def _request(key: str) -> Request:
    @get("/", opt={"scope": "jobs:read"})
    async def handler() -> None: ...

    headers = {"Authorization": f"Bearer {key}"}
    return RequestFactory().get("/", headers=headers, route_handler=handler)
