"""`mojito migrate` as an operator runs it: going down is asked for twice, and told."""

import asyncio
import os

import pytest

from models.migrate import load
from mojito.main import main

*_, BEFORE, NEWEST = load()


@pytest.fixture
def command(capsys, database, monkeypatch, tmp_path):
    """Runs it; its exit code, and what it said on either side."""
    monkeypatch.setenv("MOJITO_DATABASE_URL", database)
    monkeypatch.setenv("MOJITO_DATA_DIR", str(tmp_path))

    async def run(*arguments: str):
        code = await asyncio.to_thread(main, ["migrate", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def terminal(monkeypatch):
    """A person who types something."""
    leader, follower = os.openpty()
    with os.fdopen(follower) as keyboard:
        monkeypatch.setattr("sys.stdin", keyboard)
        yield lambda text: os.write(leader, text.encode())
    os.close(leader)


async def newest(sql):
    return await sql.fetchval("select max(version) from schema_migrations")


async def test_nobody_goes_down_unasked(command, sql):
    code, out, said = await command("--to", BEFORE.version)

    assert (code, out) == (2, "")
    assert f"down {NEWEST.name}; say --yes" in said
    assert await newest(sql) == NEWEST.version


async def test_a_script_says_yes_and_the_audit_log_knows(command, sql):
    down = await command("--to", BEFORE.version, "--yes")
    up = await command()

    told = await sql.fetch("select actor, action, detail from audit_log order by id")
    assert down[:2] == (0, f"down {NEWEST.name}\n")
    assert up[:2] == (0, f"up {NEWEST.name}\n")
    # which database it is was forgotten on the way down
    actions = ["database.migrated", "database.migrated", "database.identified"]
    assert [row["action"] for row in told] == actions
    assert [row["detail"] for row in told[:2]] == [
        f'{{"done": "down {NEWEST.name}"}}',
        f'{{"done": "up {NEWEST.name}"}}',
    ]
    assert {row["actor"].partition(" user:")[0] for row in told} == {"command:migrate"}


@pytest.mark.parametrize(("typed", "code"), [("yes\n", 0), ("no\n", 2), ("\n", 2)])
async def test_a_person_is_asked(command, sql, terminal, typed, code):
    terminal(typed)

    done, _, said = await command("--to", BEFORE.version)

    assert done == code
    assert "Type yes to go on" in said
    assert await newest(sql) == (NEWEST if code else BEFORE).version


async def test_to_look_and_to_go_up_needs_nobodys_leave(command):
    looked = await command("--to", BEFORE.version, "--dry-run")
    stayed = await command("--to", NEWEST.version)

    assert looked[:2] == (0, f"down {NEWEST.name}\n")
    assert stayed[:2] == (0, "nothing to do\n")


async def test_an_empty_database_is_made_without_a_word_in_the_log(command, sql):
    assert (await command("--to", "0000", "--yes"))[0] == 0
    assert (await command())[0] == 0

    assert await sql.fetchval("select count(*) from audit_log") == 0
