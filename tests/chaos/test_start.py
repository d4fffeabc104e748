"""Programs that are started while PostgreSQL is away wait for it, and say in a line what is wrong."""

import contextlib
import signal
import subprocess
import sys

import pytest

from common.version import program_version
from tests.chaos.programs import START_SECONDS, Program
from tests.free_ports import free_port
from tests.house.conftest import ENVIRONMENT, until

pytestmark = pytest.mark.alone

NOBODY = "postgresql://mojito@127.0.0.1:1/mojito"


async def test_programs_started_before_the_database_work_when_it_comes(house, proxy, proxied):
    proxy.refuse()
    with started(house, "serve", proxied) as serve, started(house, "work", proxied) as work:
        await until(lambda: says(serve, "database.awaited"), START_SECONDS)
        await until(lambda: says(work, "database.awaited"), START_SECONDS)

        await proxy.open()

        await until(lambda: says(serve, "api.started"))
        await until(lambda: says(work, "worker.started"))
        assert await says(serve, f'"version":"{program_version()}"')
        assert await says(work, f'"version":"{program_version()}"')


async def test_of_two_that_waited_with_one_port_the_slower_says_so(house, proxy, proxied):
    proxy.refuse()
    port = str(free_port())
    with (
        started(house, "serve", proxied, port) as one,
        started(house, "serve", proxied, port) as two,
    ):
        for program in (one, two):
            await until(lambda program=program: says(program, "database.awaited"), START_SECONDS)

        await proxy.open()
        await until(lambda: has_ended(one, two))

        slower = two if one.is_running else one
        assert one.is_running or two.is_running
        assert await slower.exit_code() == 1
    assert f"mojito: cannot listen on 127.0.0.1:{port}" in slower.log()
    assert "Traceback" not in slower.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_program_that_waits_for_its_database_leaves_when_told(house, number):
    with started(house, "serve", NOBODY) as serve, started(house, "work", NOBODY) as work:
        for program in (serve, work):
            await until(lambda program=program: says(program, "database.awaited"), START_SECONDS)
            program.tell(number)

        codes = [await serve.exit_code(), await work.exit_code()]

    assert codes == [0, 0]


async def test_a_database_that_refuses_us_is_told_at_once(house, proxied):
    elsewhere = f"{proxied.rpartition('/')[0]}/nowhere"
    with started(house, "serve", elsewhere) as serve, started(house, "work", elsewhere) as work:
        codes = [await program.exit_code(START_SECONDS) for program in (serve, work)]

    assert codes == [1, 1]
    for program in (serve, work):
        assert program.log().startswith("mojito: the database refuses us: ")
        assert 'database "nowhere" does not exist; look at MOJITO_DATABASE_URL' in program.log()


def test_a_command_without_its_database_says_so_in_a_line():
    told = {
        url: mojito("keys", "list", url)
        for url in (NOBODY, "postgresql://mojito@127.0.0.1/mojito?sslmode=maybe")
    }

    assert [answer.returncode for answer in told.values()] == [1, 1]
    nobody, unusable = (answer.stderr.splitlines() for answer in told.values())
    assert len(nobody) == len(unusable) == 1
    assert nobody[0].startswith("mojito: cannot reach the database: ")
    assert nobody[0].endswith("look at MOJITO_DATABASE_URL, at the server and at the way to it")
    assert unusable[0].startswith("mojito: MOJITO_DATABASE_URL cannot be used: ")


@contextlib.contextmanager
def started(house, command, url, port=None):
    program = Program(house, command, url, port=port or str(free_port()))
    try:
        yield program
    finally:
        program.kill()


async def has_ended(*programs):
    return not all(program.is_running for program in programs)


async def says(program, event):
    assert program.is_running, program.log()
    return event in program.log()


def mojito(*arguments):
    *command, url = arguments
    return subprocess.run(
        [sys.executable, "-m", "mojito", *command],
        env={**ENVIRONMENT, "MOJITO_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )
