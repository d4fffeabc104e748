"""Two databases with the same jobs: workers of a copy make nothing until somebody says that it is the one."""

import asyncio
import contextlib
import json

import asyncpg
import httpx
import pytest

from common.errors import ConfigurationError
from models.identity import AnotherDatabase
from models.migrate import migrate
from mojito.api_wiring import open_app
from mojito.doctor import Surroundings, examine
from mojito.main import main
from mojito.pools import opened_patiently
from mojito.wiring import open_worker
from tests.chaos.programs import Program
from tests.conftest import named_programs
from tests.house.conftest import until
from tests.house.copying import another_server, dumped, templated

ONE_OF_EACH = {"campaign": 1, "ad_set": 1, "ad": 1}
ROWS = """
select (select array_agg(j::text order by j.id) from campaign_jobs as j) as jobs,
    (select array_agg(s::text order by s.name) from job_steps as s) as steps,
    (select array_agg(w::text order by w.id) from workers as w) as workers
"""


@pytest.fixture(scope="module")
def elsewhere():
    with another_server(named_programs()) as server:
        yield server


@pytest.fixture(params=["a dump beside it", "a dump on another server", "a template"])
def copied(request, server, elsewhere, house, tmp_path):
    """Makes the copy when it is entered."""
    url = house.settings.database_url
    if request.param == "a template":
        return templated(server, url)
    target = elsewhere if request.param == "a dump on another server" else server
    return dumped(server, url, target, tmp_path)


async def built(house):
    kinds = [one["kind"] for one in await house.sandbox.objects(house.account["id"])]
    return {kind: kinds.count(kind) for kind in ONE_OF_EACH}


async def rows(url):
    connection = await asyncpg.connect(url)
    found = await connection.fetchrow(ROWS)
    await connection.close()
    return tuple(found)


@contextlib.contextmanager
def working(house, url):
    program = Program(house, "work", url)
    try:
        yield program
    finally:
        program.kill()


async def says(program, event):
    assert program.is_running, program.log()
    return event in program.log()


async def command(capsys, monkeypatch, house, url, *arguments):
    """The exit code and what was printed, here and there."""
    monkeypatch.setenv("MOJITO_DATABASE_URL", url)
    monkeypatch.setenv("MOJITO_DATA_DIR", str(house.settings.data_dir))
    capsys.readouterr()
    code = await asyncio.to_thread(main, list(arguments))
    told = capsys.readouterr()
    return code, told.out, told.err


async def finding(house, url):
    settings = type(house.settings)(database_url=url, data_dir=house.settings.data_dir)
    found = await examine(settings, Surroundings(patience_seconds=0.5))
    (one,) = [one for one in found if one.check == "identity"]
    return one


async def test_workers_of_a_copy_make_nothing_until_it_is_declared_and_then_nothing_twice(
    house, copied, capsys, monkeypatch
):
    await house.sandbox.fault("slow", "*/adsets", seconds=2.5)
    job_id = await house.submit(house.request())

    async def is_met():
        return not await house.sandbox.faults()

    with working(house, house.settings.database_url) as original:
        await until(is_met)
        async with contextlib.AsyncExitStack() as held:
            with original.paused():  # in the middle of the job until the copy is made
                copy = await held.enter_async_context(copied)
            before = await rows(copy)
            with working(house, copy) as program:
                await until(lambda: says(program, "database.another"))
                job = await house.finished(job_id)
                waiting, as_it_was = await built(house), await rows(copy)
                seen = await finding(house, copy)
                code, told, _ = await command(
                    capsys, monkeypatch, house, copy, "restored", "--json"
                )
                await until(lambda: says(program, "worker.started"))
                await until(lambda: has_ended(copy))
            at_last, log = await built(house), program.log()
            after = await finding(house, copy)

    assert job["status"] == "SUCCESS"
    assert waiting == at_last == ONE_OF_EACH
    assert as_it_was == before
    assert (seen.severity, after.severity) == ("error", "ok")
    assert "this database is a copy: it says that it is database " in seen.message
    assert "`mojito restored`" in seen.remedy
    assert (code, json.loads(told)["claims_freed"]) == (0, 1)
    assert log.count("database.another") == 1


async def has_ended(url):
    connection = await asyncpg.connect(url)
    told = await connection.fetchval("select bool_and(status = 'SUCCESS') from campaign_jobs")
    await connection.close()
    return told


async def test_where_nothing_was_lost_jobs_go_on_as_they_are_and_the_log_tells(
    server, elsewhere, house, tmp_path, capsys, monkeypatch
):
    url = house.settings.database_url
    await house.submit(house.request())
    before = await rows(url)

    async with dumped(server, url, elsewhere, tmp_path) as copy:
        told = await command(capsys, monkeypatch, house, copy, "restored", "--nothing-lost")
        as_it_was = await rows(copy)
        async with house.working(database_url=copy):
            await until(lambda: has_ended(copy))
        connection = await asyncpg.connect(copy)
        entry = await connection.fetchrow(
            "select actor, detail from audit_log where action = 'database.identified'"
        )
        await connection.close()

    assert told[0] == 0
    assert as_it_was == before
    assert await built(house) == ONE_OF_EACH
    assert entry["actor"].startswith("command:restored user:")
    detail = json.loads(entry["detail"])
    assert detail["before"] != detail["after"]
    assert detail["before"].startswith("database ")


async def test_a_worker_waits_at_a_copy_for_as_long_as_for_a_database_that_is_away(
    server, house, tmp_path
):
    async with dumped(server, house.settings.database_url, server, tmp_path) as copy:
        settings = type(house.settings)(database_url=copy, data_dir=house.settings.data_dir)
        async with contextlib.AsyncExitStack() as opened:
            with pytest.raises(AnotherDatabase, match="is a copy") as met:
                await opened_patiently(
                    opened, lambda: open_worker(settings), asyncio.Event(), seconds=0
                )

    # which the program ends with 1 for, and tells as it stands
    assert isinstance(met.value, ConfigurationError)
    assert "`mojito restored --nothing-lost`" in met.value.message


async def test_migrating_a_copy_does_not_make_it_the_one(server, house, tmp_path):
    async with dumped(server, house.settings.database_url, server, tmp_path) as copy:
        assert await migrate(copy) == []

        assert (await finding(house, copy)).severity == "error"


async def test_the_api_of_a_copy_accepts_what_waits_there(server, house, tmp_path):
    async with dumped(server, house.settings.database_url, server, tmp_path) as copy:
        settings = type(house.settings)(database_url=copy, data_dir=house.settings.data_dir)
        async with open_app(settings) as app:
            transport = httpx.ASGITransport(app=app)
            headers = house.client.headers
            async with httpx.AsyncClient(
                transport=transport, base_url="http://api", headers=headers
            ) as caller:
                accepted = await caller.post("/api/v1/ads/meta", json=house.request())
                ready = await caller.get("/readyz")

    assert (accepted.status_code, ready.status_code) == (202, 200)
