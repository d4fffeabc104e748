"""A dump taken while jobs run is restored: open jobs go on, and what the dump forgot is not made again."""

import asyncio
import json
import subprocess
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from models.gen import campaign_jobs
from models.identity import AnotherDatabase
from models.job_views import job_views
from models.migrate import load
from mojito.main import main
from tests.conftest import named_programs
from tests.house.conftest import ROOT, until
from tests.house.copying import OPTIONS, another_server, dump, restore

PAID = ("campaign", "ad_set", "ad")


class Backup:
    """A dump of the house's database, and the database that is made of it."""

    def __init__(self, house, server, folder):
        self._house = house
        self._server = server
        self._file = folder / "backup.dump"
        self._name = f"restored_{uuid4().hex[:12]}"
        self.url = server.url(self._name)

    async def dump(self):
        await dump(self._server, self._house.settings.database_url, self._file)

    async def restore(self):
        self._server.create_database(self._name)
        await restore(self._server, self._file, self.url)


@pytest.fixture
async def backup(house, server, admin, tmp_path):
    backup = Backup(house, server, tmp_path)
    yield backup
    await admin.execute(f"drop database if exists {urlsplit(backup.url).path[1:]} with (force)")


@pytest.fixture
async def told(backup, house, capsys, monkeypatch):
    """What `mojito restored` says of the restored database."""

    async def run(*options):
        monkeypatch.setenv("MOJITO_DATABASE_URL", backup.url)
        monkeypatch.setenv("MOJITO_DATA_DIR", str(house.settings.data_dir))
        capsys.readouterr()  # what the house has logged
        assert await asyncio.to_thread(main, ["restored", "--json", *options]) == 0
        return json.loads(capsys.readouterr().out)

    return run


async def statuses(url):
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("select status::text from campaign_jobs")
    await connection.close()
    return [row["status"] for row in rows]


async def built(house):
    """How many paid objects the platform holds."""
    account = house.account["id"]
    return {kind: len(await house.sandbox.objects(account, kind)) for kind in PAID}


async def finish(house, url):
    """Workers of the installation build whatever is open in that database."""

    async def all_ended():
        return not {"PENDING", "PROCESSING"} & set(await statuses(url))

    async with house.working(database_url=url):
        await until(all_ended)


async def test_jobs_of_a_dump_go_on_and_nothing_is_made_twice(house, backup, told):
    jobs = [await house.submit(house.request(name=f"Job {n}", ads=2)) for n in range(12)]
    # four run at once; the second four are in the middle for long enough to be dumped there
    await house.sandbox.fault("slow", "*/adsets", seconds=8, skip=4, times=4)

    async with house.working(sandbox_call_deadline_seconds=30.0):

        async def some_made():
            return (await built(house))["campaign"] >= 6

        await until(some_made)
        await backup.dump()
        for job in jobs:
            await house.finished(job)
    before = await built(house)
    await backup.restore()
    open_in_dump = [status for status in await statuses(backup.url) if status != "SUCCESS"]
    done = await told()
    await finish(house, backup.url)

    assert before == {"campaign": 12, "ad_set": 12, "ad": 24}
    assert len(open_in_dump) == done["open_jobs"] > 0
    assert done["claims_freed"] > 0
    assert await statuses(backup.url) == ["SUCCESS"] * 12
    assert await built(house) == before


async def test_a_dump_from_before_the_first_step_forgets_everything_and_finds_it_again(
    house, backup, told
):
    for n in range(3):
        await house.submit(house.request(name=f"Job {n}", video=True, activate=True))
    await backup.dump()
    await finish(house, house.settings.database_url)
    before = await built(house)
    await backup.restore()

    done = [await told(), await told()]
    await finish(house, backup.url)

    assert [one["open_jobs"] for one in done] == [3, 3]
    assert await statuses(backup.url) == ["SUCCESS"] * 3
    assert await built(house) == before == {"campaign": 3, "ad_set": 3, "ad": 3}


async def test_what_was_never_made_is_made_after_the_looks(house, backup, told):
    await house.submit(house.request())
    await backup.dump()
    await backup.restore()

    await told()
    await finish(house, backup.url)

    assert await statuses(backup.url) == ["SUCCESS"]
    assert await built(house) == {"campaign": 1, "ad_set": 1, "ad": 1}


async def test_what_a_forgotten_retry_made_is_found_by_the_next_one(house, backup, told):
    body = house.request(ads=2)
    body["ad_sets"].append({**body["ad_sets"][0], "name": "Other"})
    await house.sandbox.fault("throttle", "*/adsets", code=368)
    job_id = await house.submit(body)
    async with house.working():
        ended = await house.finished(job_id)
        await backup.dump()
        await house.client.post(f"/campaign_jobs/{job_id}/retry")
        await house.finished(job_id)
    before = await built(house)
    await backup.restore()

    done = await told()
    await retry(backup.url, job_id)
    await finish(house, backup.url)

    assert ended["status"] == "PARTIAL_SUCCESS"
    assert (done["open_jobs"], done["ended_jobs"]) == (0, 1)
    assert await statuses(backup.url) == ["SUCCESS"]
    assert await built(house) == before == {"campaign": 1, "ad_set": 2, "ad": 4}


async def retry(url, job_id):
    """As the API does it."""
    connection = await asyncpg.connect(url)
    team_id = await connection.fetchval("select team_id from campaign_jobs where id = $1", job_id)
    assert await campaign_jobs.retry_campaign_job(connection, id=job_id, team_id=team_id)
    await connection.close()


async def test_without_the_command_workers_make_nothing(house, backup):
    await house.submit(house.request())
    await backup.dump()
    await finish(house, house.settings.database_url)
    await backup.restore()

    with pytest.raises(AnotherDatabase, match="this database is a copy"):
        await finish(house, backup.url)

    assert await statuses(backup.url) == ["PENDING"]
    assert await built(house) == {"campaign": 1, "ad_set": 1, "ad": 1}


async def test_when_nothing_is_said_to_be_lost_what_the_dump_forgot_is_made_twice(
    house, backup, told
):
    await house.submit(house.request())
    await backup.dump()
    await finish(house, house.settings.database_url)
    await backup.restore()

    await told("--nothing-lost")
    await finish(house, backup.url)

    assert await built(house) == {"campaign": 2, "ad_set": 2, "ad": 2}


async def test_a_dump_of_a_database_with_roles_is_restored_where_nobody_knows_them(
    server, database, tmp_path
):
    psql = server.binaries.folder / "psql"
    roles = ROOT / "docs/operations/roles.sql"
    file = tmp_path / "roles.dump"

    def run(program, *arguments):
        return subprocess.run([program, *arguments], check=True, cwd="/", capture_output=True)

    def restored():
        run(psql, database, "-q", "-v", "ON_ERROR_STOP=1", "-f", roles)
        run(server.binaries.folder / "pg_dump", "--format=custom", f"--file={file}", database)
        with another_server(named_programs()) as other:
            other.create_database("mojito")
            url = other.url("mojito")
            run(server.binaries.folder / "pg_restore", *OPTIONS, f"--dbname={url}", file)
            run(psql, url, "-q", "-v", "ON_ERROR_STOP=1", "-f", roles)
            app = url.replace("//mojito@", "//mojito_app@")
            return run(psql, app, "-Atc", "select count(*) from schema_migrations").stdout

    told = await asyncio.to_thread(restored)

    assert int(told) == len(load())


async def test_a_refusal_after_a_restore_does_not_hide_that_the_campaign_is_active(
    house, backup, told
):
    job_id = await house.submit(house.request(activate=True))
    await backup.dump()
    await finish(house, house.settings.database_url)
    await backup.restore()
    await told()
    await house.sandbox.fault("throttle", "*/v26.0/1*", code=200)
    await finish(house, backup.url)

    (campaign,) = await house.sandbox.objects(house.account["id"], "campaign")
    job = await shown(backup.url, job_id)

    assert (job.status, campaign["status"]) == ("PARTIAL_SUCCESS", "ACTIVE")
    assert job.steps[-1].status == "IN_DOUBT"
    assert job.error.code == "activation_in_doubt"
    assert job.error.remedy.startswith("The campaign may be ACTIVE on the platform")


async def shown(url, job_id):
    """As callers see it."""
    connection = await asyncpg.connect(url)
    team_id = await connection.fetchval("select team_id from campaign_jobs where id = $1", job_id)
    job = await campaign_jobs.get_campaign_job(connection, id=job_id, team_id=team_id)
    (view,) = await job_views(connection, [job])
    await connection.close()
    return view
