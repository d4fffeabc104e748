"""Programs that are started while PostgreSQL is away wait for it, and say in a line what is wrong."""

import contextlib
import subprocess
import sys

from tests.chaos.programs import Program
from tests.chaos.slow_proxy import free_port
from tests.house.conftest import ENVIRONMENT, until

NOBODY = "postgresql://mojito@127.0.0.1:1/mojito"


async def test_programs_started_before_the_database_work_when_it_comes(house, proxy, proxied):
    proxy.refuse()
    with started(house, "serve", proxied) as serve, started(house, "work", proxied) as work:
        await until(lambda: says(serve, "database.awaited"))
        await until(lambda: says(work, "database.awaited"))

        await proxy.open()

        await until(lambda: says(serve, "api.started"))
        await until(lambda: says(work, "worker.started"))


async def test_a_program_that_waits_for_its_database_leaves_when_told(house):
    with started(house, "serve", NOBODY) as serve, started(house, "work", NOBODY) as work:
        for program in (serve, work):
            await until(lambda program=program: says(program, "database.awaited"))
            program.terminate()

        codes = [await serve.exit_code(), await work.exit_code()]

    assert codes == [0, 0]


async def test_a_database_that_refuses_us_is_told_at_once(house, proxied):
    elsewhere = f"{proxied.rpartition('/')[0]}/nowhere"
    with started(house, "serve", elsewhere) as serve, started(house, "work", elsewhere) as work:
        codes = [await serve.exit_code(), await work.exit_code()]

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
def started(house, command, url):
    program = Program(house, command, url, port=str(free_port()))
    try:
        yield program
    finally:
        program.kill()


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
        timeout=60,
    )
