"""`mojito keys`: a key may have an end, and lists say what became of each."""

import asyncio
import json
from datetime import UTC, datetime

import asyncpg
import pytest

from mojito.main import main


@pytest.fixture
def keys(database, tmp_path, monkeypatch, capsys):
    """Runs a command; its exit code, standard output and standard error."""
    monkeypatch.setenv("MOJITO_DATABASE_URL", database)
    monkeypatch.setenv("MOJITO_DATA_DIR", str(tmp_path))

    async def run(*arguments):
        code = await asyncio.to_thread(main, ["keys", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


async def test_a_key_is_made_with_an_end(keys):
    code, out, _ = await keys("create", "--team", "ads", "--expires", "2999-01-01", "--json")

    _, listed, _ = await keys("list")
    assert code == 0
    assert datetime.fromisoformat(json.loads(out)["expires_at"]) == datetime(2999, 1, 1, tzinfo=UTC)
    assert "active" in listed
    assert "until 2999-01-01 00:00" in listed


@pytest.mark.parametrize("expires", ["2020-01-01", "soon", "0001-01-01T00:00:00+14:00"])
async def test_an_end_that_is_over_or_none_is_refused(keys, expires):
    code, out, err = await keys("create", "--team", "ads", "--expires", expires)

    assert (code, out) == (2, "")
    assert err.startswith("mojito: ")


async def test_a_list_says_what_became_of_each_key(keys, database):
    for name in ("over", "ended", "good"):
        await keys("create", "--team", "ads", "--name", name)
    connection = await asyncpg.connect(database)
    await connection.execute(
        "update api_keys set expires_at = now() - interval '1 day' where name = 'over'"
    )
    ended = await connection.fetchval("select id from api_keys where name = 'ended'")
    await connection.close()
    await keys("revoke", str(ended))

    _, listed, _ = await keys("list")

    states = [line.split()[2] for line in listed.splitlines()]
    assert states == ["expired", "revoked", "active"]


async def test_an_end_is_in_the_audit_log(keys, database):
    await keys("create", "--team", "ads", "--expires", "2999-01-01")

    connection = await asyncpg.connect(database)
    rows = await connection.fetch("select action, actor, detail from audit_log order by id")
    await connection.close()
    assert [row["action"] for row in rows] == ["team.created", "api_key.created"]
    assert all(row["actor"].startswith("command:keys create user:") for row in rows)
    assert json.loads(rows[1]["detail"])["ends"] == "2999-01-01T00:00:00+00:00"


@pytest.mark.parametrize("rate", ["1e-320/5", "0.000001/2000000", "1e300/5"])
async def test_a_rate_that_cannot_be_reckoned_with_is_refused(keys, rate):
    code, out, err = await keys("create", "--team", "ads", "--rate", rate)

    assert (code, out) == (2, "")
    assert err.startswith(f"mojito: --rate {rate}: ")


async def test_a_key_is_revoked_once_and_both_answers_say_what_it_means(keys):
    _, made, _ = await keys("create", "--team", "ads", "--json")
    key_id = json.loads(made)["id"]

    first = await keys("revoke", key_id)
    again = await keys("revoke", key_id)

    assert first[:2] == (0, f"key {key_id} is revoked; every API process notices within 30 s\n")
    assert (again[0], again[1]) == (2, "")
    assert "it is revoked already" in again[2]
