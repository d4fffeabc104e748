"""compose.yaml as a whole, its services as plain processes: the order, the secrets, one job, the end."""

import asyncio
import json
import re
import shlex
import subprocess
from functools import partial
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import pytest

from common.keyring import Keyring
from common.postgres_binaries import find_binaries
from config.settings import Settings
from tests.chaos.slow_proxy import opened_proxy
from tests.docs.test_container import COMPOSE, OURS
from tests.free_ports import free_port
from tests.house.composed import Composed, grace_seconds
from tests.house.conftest import ROOT, House, Sandbox, until

GUIDE = (ROOT / "docs" / "operations" / "containers.md").read_text()
MAKES_SECRETS = [line for line in GUIDE.splitlines() if re.match(r"    (mkdir|head|printf) ", line)]
RUN = re.compile(r"^    docker compose run --rm (\w+) (.+)$", re.MULTILINE)


@pytest.fixture
async def empty_database(server, admin):
    """Nothing was ever done in it."""
    name = f"composed_{uuid4().hex[:12]}"
    await admin.execute(f"create database {name}")
    yield server.url(name)
    await admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def secrets(tmp_path):
    """Made as the guide says."""
    for line in MAKES_SECRETS:
        subprocess.run(["sh", "-euc", line], cwd=tmp_path, check=True)
    return {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}


def test_the_guide_makes_every_secret_and_they_fit_together(secrets, tmp_path):
    address = urlsplit(secrets["database-url"].strip())
    postgres = COMPOSE["services"]["postgres"]["environment"]

    assert set(secrets) == set(COMPOSE["secrets"])
    assert address.hostname in COMPOSE["services"]
    assert (address.username, address.path) == (
        postgres["POSTGRES_USER"],
        f"/{postgres['POSTGRES_DB']}",
    )
    assert address.password == secrets["postgres-password"].strip()
    assert Keyring.from_file(tmp_path / "secrets" / "encryption-keys").key_ids == ["k1"]


async def test_the_services_run_one_job_and_end_within_their_grace_time(
    empty_database, secrets, tmp_path
):
    composed = Composed(tmp_path, {**secrets, "database-url": empty_database})
    asked = {words.split()[0]: (name, *shlex.split(words)) for name, words in RUN.findall(GUIDE)}
    migrated = composed.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    names = ["api", "work", "work", "sandbox"]

    with composed.running(*names) as processes:
        for name in ("api", "sandbox"):
            await until(partial(asked_of, composed, name))
        key = composed.run(*asked["keys"]).stdout.strip()
        job = await one_job(composed, key)
        await until(partial(are_registered, empty_database, 2))
        told = json.loads(composed.run(*asked["doctor"], "--json").stdout)
        for process in processes:
            process.terminate()
        codes = [
            process.wait(timeout=grace_seconds(name))
            for name, process in zip(names, processes, strict=True)
        ]
    found = {one["check"]: one["message"] for one in told["findings"]}

    assert job["status"] == "SUCCESS"
    assert found["workers"] == "2 live"
    assert codes == [0, 0, 0, 0]
    assert not composed.is_healthy("api")
    assert not composed.is_healthy("sandbox")


async def test_the_server_is_healthy_only_when_others_reach_it(server, tmp_path):
    """While its image fills a new volume, a server answers on its socket alone, and then it leaves."""
    (socket,) = server.home.glob("run/.s.PGSQL.5432")
    programs = find_binaries().folder
    kind, program, *options = COMPOSE["services"]["postgres"]["healthcheck"]["test"]

    async with opened_proxy(socket) as proxy:
        reached, closed = proxy.port, free_port()
        for port in (reached, closed):
            (tmp_path / f".s.PGSQL.{port}").symlink_to(socket)
        asked = {
            (words, port): await pg_isready(programs, words, tmp_path, port)
            for words in ((), tuple(options))
            for port in (reached, closed)
        }

    assert (kind, program) == ("CMD", "pg_isready")
    assert asked == {
        ((), reached): 0,
        ((), closed): 0,
        (tuple(options), reached): 0,
        (tuple(options), closed): 2,
    }


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_given_longer_than_the_grace_time_and_comes_back(name):
    restart = "no" if name == "migrate" else "unless-stopped"

    assert grace_seconds(name) >= Settings().grace_seconds + 10
    assert COMPOSE["services"][name]["restart"] == restart


async def asked_of(composed, name):
    return composed.is_healthy(name)


async def are_registered(database, workers):
    """Of two that are started together one may have built the job before the other was there."""
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetchval("select count(*) from workers") == workers
    finally:
        await connection.close()


async def pg_isready(programs, words, folder, port):
    process = await asyncio.create_subprocess_exec(
        programs / "pg_isready",
        *("-t", "60"),  # how long it waits for an answer, which the file does not say
        *words,
        env={"PGHOST": str(folder), "PGPORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    return await process.wait()


async def one_job(composed, key):
    """Through the API, with the key that the guide made."""
    async with (
        httpx.AsyncClient(trust_env=False, timeout=30) as control,
        httpx.AsyncClient(
            base_url=f"{composed.address('api')}/api/v1",
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
            timeout=30,
        ) as client,
    ):
        sandbox = Sandbox(composed.address("sandbox"), control)
        house = House(Settings(), None, sandbox, client)
        await house.move_in()
        return await house.finished(await house.submit(house.request()))
