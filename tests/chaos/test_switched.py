"""A name or a proxy that leads to another server in mid-job: nothing more is made, whoever was led there."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from tests.chaos.programs import worker
from tests.conftest import named_programs
from tests.house.conftest import until
from tests.house.copying import another_server, dump, restore

pytestmark = pytest.mark.alone

TABLES = ("campaign_jobs", "job_steps", "job_events", "workers", "database_identity")


@pytest.fixture(scope="module")
def elsewhere():
    with another_server(named_programs()) as server:
        yield server


@pytest.fixture
async def copy(elsewhere, database):
    """An empty database of the same name on the other server."""
    name = urlsplit(database).path[1:]
    elsewhere.create_database(name)
    yield elsewhere.url(name)
    admin = await asyncpg.connect(elsewhere.url())
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


def socket_of(url):
    return Path(parse_qs(urlsplit(url).query)["host"][0]) / ".s.PGSQL.5432"


async def rows(url):
    connection = await asyncpg.connect(url)
    found = {
        table: await connection.fetchval(
            f"select array_agg(t::text order by t::text) from {table} as t"  # noqa: S608 - of this test
        )
        for table in TABLES
    }
    await connection.close()
    return found


async def built(house):
    kinds = [one["kind"] for one in await house.sandbox.objects(house.account["id"])]
    return {kind: kinds.count(kind) for kind in ("campaign", "ad_set", "ad")}


async def begun(house):
    """Steps whose intent stands in the database that the worker began with: only those may be made."""
    found = await house.pool.fetch(
        "select campaign_job_id, name, kind from job_steps where kind in ('campaign', 'ad_set', 'ad')"
    )
    return {tuple(row) for row in found}


@pytest.mark.parametrize(
    ("led", "goes_on"),
    [
        ((), False),
        (("mojito intents",), False),
        # until it is noticed steps begin and end in the right database
        (("mojito claim",), True),
        (("mojito presence",), True),
        (("mojito worker",), True),
    ],
    ids=["all connections", "intents", "claims", "presence", "pool"],
)
async def test_a_worker_led_to_a_copy_in_mid_job_makes_nothing_more_and_ends(
    house, server, proxy, proxied, elsewhere, copy, tmp_path, led, goes_on
):
    await house.pool.execute("update ad_accounts set max_running = 1")
    for path in ("*/adsets", "*/adcreatives", "*/ads"):
        await house.sandbox.fault("slow", path, seconds=2)
    jobs = [await house.submit(house.request(name=f"Job {n}", ads=2)) for n in range(2)]

    async def is_in_a_call():
        return len(await house.sandbox.faults()) < 3

    async with worker(house, proxied, grace_seconds="4") as program:
        await until(is_in_a_call)
        await dump(server, house.settings.database_url, tmp_path / "copy")
        await restore(elsewhere, tmp_path / "copy", copy)
        before = await rows(copy)

        proxy.lead_to(socket_of(copy), *led)
        begun_then = await begun(house)
        code = await program.exit_code(60)
    begun_since = await begun(house) - begun_then
    made, after, log = await built(house), await rows(copy), program.log()
    async with worker(house):
        ended = [await house.finished(job) for job in jobs]

    assert code == 1
    assert after == before
    if not goes_on:
        assert begun_since == set()
        assert sum(made.values()) <= len(begun_then)
    assert '"event":"database.another"' in log
    assert "mojito: connections lead to another database since: database " in log
    assert {job["status"] for job in ended} == {"SUCCESS"}
    assert await built(house) == {"campaign": 2, "ad_set": 2, "ad": 4}
