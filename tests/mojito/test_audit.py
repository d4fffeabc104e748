"""`mojito audit export` and `mojito retention` as an operator runs them."""

import asyncio
import json

import asyncpg
import pytest

from models.gen import audit_log
from mojito.main import main
from tests.workers.test_retention import find as rows_of

DAYS = (40, 20, 10, 0)


@pytest.fixture
async def entries(database, monkeypatch, tmp_path):
    """Four entries, two of team A, the last one of this moment."""
    monkeypatch.setenv("MOJITO_DATABASE_URL", database)
    monkeypatch.setenv("MOJITO_DATA_DIR", str(tmp_path))
    connection = await asyncpg.connect(database)
    await connection.execute(
        "insert into teams (id, name) values (gen_random_uuid(), 'A'), (gen_random_uuid(), 'B')"
    )
    for nth, days in enumerate(DAYS):
        await connection.execute(
            """insert into audit_log (at, team_id, actor, action, object_type, after_hash, detail)
               select now() - make_interval(days => $1), id, 'me', 'thing.made', 'thing', '\\xbeef',
                   '{"n": 1}'
               from teams where name = $2""",
            days,
            "AB"[nth % 2],
        )
    yield connection
    await connection.close()


@pytest.fixture
def command(capsys, entries):
    """Runs a command; its exit code, lines, and what it said beside them."""

    async def run(*arguments: str):
        code = await asyncio.to_thread(main, arguments)
        said = capsys.readouterr()
        return code, said.out.splitlines(), said.err

    return run


def numbers(lines):
    return [json.loads(line)["id"] for line in lines]


async def test_an_entry_is_a_line_and_the_last_minute_is_held_back(command):
    code, lines, said = await command("audit", "export")

    first = json.loads(lines[0])
    assert code == 0
    assert numbers(lines) == [1, 2, 3]
    assert said == "1 entry of the last minute is held back (--fresh)\n"
    assert first["team"] == "A"
    assert first["actor"] == "me"
    assert first["action"] == "thing.made"
    assert first["before_hash"] is None
    assert first["after_hash"] == "beef"
    assert first["detail"] == {"n": 1}
    assert first["at"].endswith("Z")


async def test_the_last_minute_can_be_asked_for(command):
    assert numbers((await command("audit", "export", "--fresh"))[1]) == [1, 2, 3, 4]


async def test_an_export_goes_on_behind_the_last_line(command):
    assert numbers((await command("audit", "export", "--after", "2"))[1]) == [3]


async def test_an_export_is_of_one_team_or_of_some_days(command, entries):
    since, until = [
        (await entries.fetchval("select now() - make_interval(days => $1)", days)).isoformat()
        for days in (30, 15)
    ]

    team = await command("audit", "export", "--team", "B")
    some = await command("audit", "export", "--since", since, "--until", until)

    assert numbers(team[1]) == [2]
    assert numbers(some[1]) == [2]


async def test_pages_follow_each_other(command, monkeypatch):
    monkeypatch.setattr("mojito.audit._PAGE", 1)

    assert numbers((await command("audit", "export"))[1]) == [1, 2, 3]


async def test_no_statement_looks_at_more_than_so_many_entries(command, entries):
    await entries.execute(
        """insert into audit_log (at, actor, action, object_type)
           select now() - interval '5 days', 'me', 'thing.made', 'thing' from generate_series(1, 250000);
           insert into audit_log (at, team_id, actor, action, object_type)
           select now() - interval '4 days', id, 'me', 'thing.made', 'thing' from teams where name = 'B'"""
    )
    await entries.execute("analyze audit_log")
    sql = f"explain (analyze, format json) {audit_log.LIST_AUDIT_ENTRIES}"
    looked_at = await entries.fetchval(sql, 0, 100_000, None, None, 0.0, "B", 1000)

    lines = await command("audit", "export", "--team", "B")

    assert rows_of(json.loads(looked_at), "audit_log") <= 100_000
    assert numbers(lines[1]) == [2, 250_005]


async def test_what_is_no_moment_is_refused(command):
    code, lines, said = await command("audit", "export", "--since", "yesterday")

    assert (code, lines) == (2, [])
    assert "'yesterday' is no day and no moment" in said


async def test_retention_says_what_it_would_do_and_does_it(command, entries, monkeypatch):
    monkeypatch.setenv("MOJITO_RETENTION_AUDIT_DAYS", "30")

    planned = await command("retention", "--dry-run")
    before = await entries.fetchval("select count(*) from audit_log")
    done = await command("retention", "--json")
    again = await command("retention")

    assert before == 4
    assert "audit_log: 1 would go" in planned[1]
    assert "webhook_deliveries: 0 would go" in planned[1]
    assert json.loads(done[1][0])["audit_log"] == 1
    assert "audit_log: 0 went" in again[1]
    assert (
        await entries.fetchval(
            "select detail ->> 'audit_log' from audit_log where action = 'retention.ran'"
        )
        == "1"
    )


IMPATIENT = """
create or replace function oldest_kept_id(p_days float8) returns uuid language plpgsql as $$
begin
    if current_setting('statement_timeout') <> '0' then
        raise query_canceled;
    end if;
    return 'ffffffff-ffff-ffff-ffff-ffffffffffff';
end
$$
"""


async def test_the_server_ends_no_count_of_a_large_past(command, entries):
    await entries.execute(IMPATIENT)

    code, lines, said = await command("retention", "--dry-run")

    assert (code, said) == (0, "")
    assert "campaign_jobs: 0 would go" in lines


async def test_retention_while_a_worker_is_at_it_says_so(command, entries):
    await entries.execute("select pg_advisory_lock(7092418)")

    code, lines, said = await command("retention")

    assert (code, lines) == (2, [])
    assert "a worker is deleting just now" in said


async def test_retention_that_keeps_everything_says_so(command, monkeypatch):
    monkeypatch.setenv("MOJITO_RETENTION_AUDIT_DAYS", "0")
    monkeypatch.setenv("MOJITO_RETENTION_JOBS_DAYS", "0")
    monkeypatch.setenv("MOJITO_RETENTION_DELIVERIES_DAYS", "0")

    assert (await command("retention"))[1] == ["everything is kept for ever"]
