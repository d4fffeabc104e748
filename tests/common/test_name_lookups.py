"""Names of strangers are looked up beside everybody else, however long their servers are silent."""

import asyncio
import socket
import subprocess
import sys
import threading

import pytest

from common.name_lookups import NameLookups, looking_up_for

HUNDRED = 100
HANGING = """
import asyncio, threading
from common.name_lookups import NameLookups

async def main():
    lookups = NameLookups(look_up=lambda host, port: threading.Event().wait() and [])
    task = asyncio.create_task(lookups("silent.example", 443))
    await asyncio.sleep(0)  # it begins, and comes as far as it may
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

asyncio.run(main())
"""


class SilentServers:
    """Look-ups that do not end before a test lets them."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.answer = threading.Event()
        self.asked = 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        self.begun.release()
        self.answer.wait()
        return ["192.0.2.1"]

    async def hear(self, times: int) -> None:
        """Returns when it was asked so often."""
        for _ in range(times):
            assert await asyncio.to_thread(self.begun.acquire, timeout=30)


@pytest.fixture
def silent():
    servers = SilentServers()
    yield servers
    servers.answer.set()


async def test_a_name_is_looked_up_as_the_system_knows_it():
    assert "127.0.0.1" in await NameLookups()("127.0.0.1", 80)


async def test_a_name_without_an_address_raises_what_the_system_says():
    with pytest.raises(socket.gaierror):
        await NameLookups()("nowhere.invalid", 443)


async def test_silent_servers_keep_nobody_else_from_looking_up_names(silent):
    lookups = NameLookups(most_at_once=HUNDRED, look_up=silent)
    tasks = [asyncio.create_task(lookups(f"a{n}.example", 443)) for n in range(HUNDRED)]
    await silent.hear(HUNDRED)

    found = await asyncio.get_running_loop().getaddrinfo("localhost", 80)

    silent.answer.set()
    assert found
    assert await asyncio.gather(*tasks) == [["192.0.2.1"]] * HUNDRED


@pytest.mark.parametrize("registry", ["example", "co.uk", "com.br"])
async def test_names_below_one_that_is_silent_leave_places_to_others(silent, registry):
    def look_up(host: str, port: int) -> list[str]:
        return silent(host, port) if f".silent.{registry}" in host else ["192.0.2.2"]

    lookups = NameLookups(most_at_once=3, most_of_a_domain=2, look_up=look_up)
    hanging = [asyncio.create_task(lookups(f"a{n}.silent.{registry}", 443)) for n in range(HUNDRED)]
    await silent.hear(2)

    async with asyncio.timeout(30):
        others = ("media.test", f"hook.{registry}", f"b.media.{registry}")
        found = [await lookups(name, 443) for name in others]
    asked_meanwhile = silent.asked
    silent.answer.set()

    assert found == [["192.0.2.2"]] * 3
    assert asked_meanwhile == 2
    assert await asyncio.gather(*hanging) == [["192.0.2.1"]] * HUNDRED


async def test_many_domains_of_one_asker_that_are_silent_leave_places_to_others(silent):
    def look_up(host: str, port: int) -> list[str]:
        return silent(host, port) if host.startswith("silent") else ["192.0.2.2"]

    lookups = NameLookups(most_at_once=3, most_of_an_asker=2, look_up=look_up)
    with looking_up_for("one team"):
        hanging = [asyncio.create_task(lookups(f"silent{n}.test", 1)) for n in range(HUNDRED)]
        behind = asyncio.create_task(lookups("shared.example", 443))
    await silent.hear(2)

    async with asyncio.timeout(30):
        with looking_up_for("another team"):
            found = [await lookups("shared.example", 443) for _ in range(HUNDRED)]
    asked_meanwhile, is_answered = silent.asked, behind.done()
    silent.answer.set()

    assert found == [["192.0.2.2"]] * HUNDRED
    assert (asked_meanwhile, is_answered) == (2, False)
    assert await asyncio.gather(behind, *hanging) == [["192.0.2.2"], *[["192.0.2.1"]] * HUNDRED]


async def test_a_lookup_keeps_its_place_until_it_is_over_though_nobody_waits_for_it(silent):
    lookups = NameLookups(most_at_once=1, look_up=silent)
    given_up = asyncio.create_task(lookups("first.example", 443))
    await silent.hear(1)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)

    second = asyncio.create_task(lookups("second.example", 443))
    await asyncio.sleep(0)  # it begins, and comes as far as it may
    asked_meanwhile = silent.asked
    silent.answer.set()

    assert await second == ["192.0.2.1"]
    assert (asked_meanwhile, silent.asked) == (1, 2)


def test_a_program_ends_beside_a_lookup_that_does_not():
    done = subprocess.run([sys.executable, "-c", HANGING], check=False, timeout=120)

    assert done.returncode == 0
