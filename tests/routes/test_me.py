"""A key tells its holder what it is, and nobody else."""

from datetime import UTC, datetime, timedelta

from models.api_keys import list_keys, revoke_key
from tests.routes.conftest import Api

URL = "/api/v1/me"


async def test_a_key_of_any_scope_shows_itself(api: Api):
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    holder = await api.caller(team="Agency", scopes=["jobs:read"], expires_at=end, rate=(5.0, 20))
    (kept,) = await list_keys(api.pool, team="Agency")

    shown = (await holder.get(URL)).json()

    assert shown["id"] == str(kept.id)
    assert (shown["name"], shown["key_prefix"]) == ("test", kept.key_prefix)
    assert shown["team"]["name"] == "Agency"
    assert (shown["mode"], shown["livemode"], shown["scopes"]) == ("sandbox", False, ["jobs:read"])
    assert shown["rate_limits"] == [{"name": "key", "per_second": 5.0, "burst": 20}]
    assert datetime.fromisoformat(shown["expires_at"]) == end
    assert holder.headers["authorization"].removeprefix("Bearer ") not in str(shown)


async def test_a_live_key_says_that_money_is_in_play(api: Api):
    holder = await api.caller(live=True)

    shown = (await holder.get(URL)).json()

    assert (shown["mode"], shown["livemode"]) == ("live", True)
    assert (shown["expires_at"], shown["rate_limits"]) == (None, [])


async def test_a_key_that_was_just_revoked_is_told_so_here_at_once(api: Api):
    holder = await api.caller(team="Agency")
    await holder.get(URL)
    (kept,) = await list_keys(api.pool, team="Agency")

    await revoke_key(api.pool, kept.id)
    answer = await holder.get(URL)

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


async def test_nobody_without_a_key_is_shown_anything(api: Api):
    answer = await api.client.get(URL)

    assert answer.status_code == 401
