"""What the storm does: a sequence drawn from a seed, as many blows as jobs have come in for."""

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import httpx

from tests.chaos.storm.callers import Callers
from tests.chaos.storm.town import Town

type Blow = Callable[[], Awaitable[None]]
FAULTS = {"http_500": 4, "garbage": 3, "reset": 4, "throttle": 3, "slow": 3, "token_expired": 1}

MOST_PER_JOB = {
    "backends": 0.3,
    "listener": 0.2,
    "stop": 0.2,
    "blind": 0.04,
    "restart": 0.08,
    "crash": 0.08,
}


class Storm:
    """`run` goes on until it is cancelled; `rest` clears what is left, so that everything can end."""

    def __init__(
        self, seed: int, town: Town, callers: Callers, jobs: int, accounts: list[str]
    ) -> None:
        self._random = Random(f"blows {seed}")  # noqa: S311 - a storm, not a secret
        self._town = town
        self._callers = callers
        self._jobs = jobs
        self._accounts = accounts
        self.counted: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def run(self) -> None:
        """Kills and lost replies come at three for every ten jobs, everything else in between.

        It clears up when the last order is in and its share of kills was dealt: the last few jobs would
        else be hit by everything, and never end.
        """
        while len(self._callers.told) < self._jobs or not await self.has_kept_up():
            if self.counted["lose_reply"] < 1.1 * self._due() + 2:
                await self._lose_replies()
            elif self._town.kills < self._due() and self._random.random() < 0.8:
                await self._kill()
            else:
                await self._something_else()

        await self.rest()
        await asyncio.Event().wait()

    async def has_kept_up(self) -> bool:
        """Callers are not to be done before they were hit."""
        return self._town.kills + 2 >= self._due()

    def _is_enough(self, name: str) -> bool:
        """By jobs, not by time: on a slow machine PostgreSQL would be away more than it is there."""
        most = MOST_PER_JOB.get(name)
        return most is not None and self.counted[name] > most * len(self._callers.told) + 2

    def _due(self) -> float:
        return 0.32 * len(self._callers.told)

    async def rest(self) -> None:
        """The weather clears: no fault is left to hit anybody."""
        await self._town.sandbox.call("DELETE", "/faults")

    async def _lose_replies(self) -> None:
        await self._fault("lose_reply", skip=self._random.randrange(6))

    async def _kill(self) -> None:
        programs = "apis" if self._random.random() < 0.2 else "workers"
        draw, is_seen = self._random.random(), self._random.random() < 0.5
        if not (up := self._town.up(programs)):
            await asyncio.sleep(0.05)  # all are being started: the next blow comes soon
            return
        place = up[int(draw * len(up))]
        self.counted[f"kill {programs}"] += 1
        if programs == "apis":
            await self._town.kill_api(place)
        else:
            await self._town.kill_worker(place, is_seen=is_seen)

    async def _something_else(self) -> None:
        names = ["fault", "clock", "backends", "listener", "stop", "blind", "restart", "crash"]
        (name,) = self._random.choices(names, [10, 40, 3, 2, 2, 2, 1, 1])
        if self._is_enough(name):
            name = "clock"
        self.counted[name] += name != "fault"
        match name:
            case "fault":
                (fault,) = self._random.choices(list(FAULTS), list(FAULTS.values()))
                await self._fault(fault, skip=self._random.randrange(20))
            case "clock":
                await self._town.sandbox.advance(5)
                await asyncio.sleep(0.1)  # the pace of the weather, nothing is waited for
            case "backends":
                await self._town.ask(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where application_name like 'mojito%' and random() < 0.6"
                )
            case "listener":
                for passage in self._town.proxy.named("mojito listener"):
                    passage.swallow()
            case "stop":
                if not (up := self._town.up("workers")):
                    return
                code = await self._town.stop_worker(up[0])
                if code != 0:
                    self.wrong.append(f"a worker that was asked to leave ended with {code}")
            case "blind":
                await self._blind(self._random.choice(self._accounts))
            case "restart":
                await self._town.restart_postgres(signal.SIGINT)
            case _:
                await self._town.restart_postgres(signal.SIGKILL)

    async def _blind(self, account: str) -> None:
        """A reply is lost, and the account cannot be asked until the step is given up in doubt."""
        sandbox = self._town.sandbox
        await sandbox.fault("lose_reply", f"*/{account}/ad*")
        await sandbox.fault("http_500", f"*/{account}/*", method="GET", times=10)

    async def _fault(self, fault: str, skip: int) -> None:
        self.counted[fault] += 1
        await self._town.sandbox.fault(
            fault, skip=skip, **({"seconds": 0.7} if fault == "slow" else {})
        )


async def keep_time(town: Town) -> None:
    """The sandbox's clock goes ten times as fast, so that encoding and throttles end."""
    while True:
        await asyncio.sleep(0.5)  # the pace of the clock
        with contextlib.suppress(httpx.TransportError):
            await town.sandbox.advance(5)


async def keep_running(town: Town) -> None:
    """As a supervisor does: what ended by itself is started again."""
    while True:
        town.up("apis")
        town.up("workers")
        await asyncio.sleep(0.3)  # how often a supervisor looks


async def keep_tokens(callers: Callers, town: Town, tokens: list[str]) -> None:
    """Gives accounts whose token died another; every token that was ever given is kept for a search."""
    while True:
        await asyncio.sleep(0.3)  # how often an operator looks
        page = await callers.call("GET", "/ad_accounts?status=REQUIRES_REAUTH")
        for account in page.json()["data"]:
            made = await town.sandbox.call(
                "POST", f"/accounts/{account['platform_account_id']}/token", json={}
            )
            tokens.append(made["access_token"])
            credentials = {"access_token": made["access_token"], "page_id": made["page_id"]}
            body = {"name": account["name"], "credentials": credentials}
            await callers.call("PUT", f"/ad_accounts/{account['id']}", json=body)
