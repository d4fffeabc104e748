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
    since = [migration.name for migration in load() if migration.version > "0017"]
    downs, ups = [f"down {name}" for name in reversed(since)], [f"up {name}" for name in since]

    down = await command("--to", "0017", "--yes")
    up = await command()

    told = await sql.fetch("select actor, action, detail from audit_log order by id")
    assert down[:2] == (0, "".join(f"{line}\n" for line in downs))
    assert up[:2] == (0, "".join(f"{line}\n" for line in ups))
    *migrated, identified = told
    assert [row["action"] for row in migrated] == ["database.migrated"] * 2 * len(since)
    # which database it is was forgotten on the way down
    assert identified["action"] == "database.identified"
    assert [row["detail"] for row in migrated] == [
        f'{{"done": "{line}"}}' for line in (*downs, *ups)
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
