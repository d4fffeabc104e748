"""One storm from its first job to the comparison of the books."""

import asyncio
import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import msgspec

from common.embedded_postgres import EmbeddedPostgres
from common.keyring import new_key_line
from models.api_keys import create_key
from models.database import open_pool
from models.migrate import migrate
from tests.chaos.slow_proxy import opened_proxy
from tests.chaos.storm import books
from tests.chaos.storm.blows import Storm, keep_running, keep_time, keep_tokens
from tests.chaos.storm.callers import PATIENCE_SECONDS, Callers
from tests.chaos.storm.orders import Advertiser, Order, orders
from tests.chaos.storm.town import Town, opened_town
from tests.house.conftest import ENVIRONMENT, ROOT, Sandbox, until

AT_A_TIME = 14
ADVERTISERS = 5


class Report(msgspec.Struct, frozen=True):
    """What a storm was, and everything that is wrong after it."""

    seed: int
    jobs: int
    kills: int
    lost_replies: int
    blows: dict[str, int]
    ends: dict[str, int]
    objects: int
    given_up: int
    """How often a caller asked for a retry after eight attempts of a step."""
    wrong: list[str]

    def __str__(self) -> str:
        lines = [
            f"seed {self.seed}: {self.jobs} jobs, {self.kills} kills, {self.lost_replies} lost replies",
            f"blows: {self.blows}",
            f"ends: {self.ends}; {self.objects} paid objects on the platform; "
            f"{self.given_up} times eight attempts were not enough and a retry was asked for",
            *self.wrong,
            f"{len(self.wrong)} things are wrong",
        ]
        return "\n".join(lines)


async def storm(seed: int, jobs: int, *, keep_logs: bool = False) -> Report:
    """Everything that it starts ends with it."""
    with (
        _folder(keep=keep_logs) as folder,
        # a server that is killed keeps what it has handed to the system; without this each start after that
        # first syncs every file, for up to six seconds on a busy machine
        EmbeddedPostgres(folder / "postgres", settings={"fsync": "off"}) as server,
        _sandbox_process() as address,
    ):
        server.create_database("storm")
        await migrate(server.url("storm"))
        async with _opened(server, address, folder) as town:
            return await _weather(seed, jobs, town)


async def _weather(seed: int, jobs: int, town: Town) -> Report:
    pool = await open_pool(town.url, size=2, name="storm")
    made = await create_key(pool, team="storm", name="storm")
    await pool.close()
    callers = Callers(town, made.key)
    try:
        tokens, advertisers, assets = await _move_in(town, callers)
        blown = Storm(seed, town, callers, jobs, [one.platform_id for one in advertisers])
        tasks = [
            asyncio.create_task(blown.run()),
            asyncio.create_task(keep_time(town)),
            asyncio.create_task(keep_running(town)),
            asyncio.create_task(keep_tokens(callers, town, tokens)),
        ]
        await _serve_all(callers, orders(seed, jobs, advertisers, assets), blown, tasks)
        return await _compare(seed, jobs, town, callers, blown, advertisers, [made.key, *tokens])
    finally:
        await callers.close()


async def _serve_all(
    callers: Callers, wanted: list[Order], blown: Storm, weather: list[asyncio.Task[None]]
) -> None:
    """So many callers at a time; the weather clears when the last order is in."""
    room = asyncio.Semaphore(AT_A_TIME)

    async def serve(order: Order) -> None:
        async with room:
            await until(blown.has_kept_up, PATIENCE_SECONDS)
            await callers.serve(order)

    serving = asyncio.gather(*(serve(order) for order in wanted))
    try:
        done, _ = await asyncio.wait({serving, *weather}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task  # the weather never ends by itself: whatever ended it is told
    finally:
        for task in (serving, *weather):
            task.cancel()
        await asyncio.gather(serving, *weather, return_exceptions=True)
        await blown.rest()


async def _compare(
    seed: int,
    jobs: int,
    town: Town,
    callers: Callers,
    blown: Storm,
    advertisers: list[Advertiser],
    secrets: list[str],
) -> Report:
    strays = town.strays()
    found = await books.read(town, callers, advertisers)
    calls = await town.sandbox.calls()
    ends: dict[str, int] = {}
    for job in found.jobs.values():
        ends[job["status"]] = ends.get(job["status"], 0) + 1
    return Report(
        seed=seed,
        jobs=jobs,
        kills=town.kills,
        lost_replies=sum(call["fault"] == "lose_reply" for call in calls),
        blows=dict(blown.counted),
        ends=ends,
        objects=sum(thing["kind"] in books.PAID for thing in found.objects),
        given_up=sum(told.retries for told in callers.told),
        wrong=[
            *blown.wrong,
            *(f"{name} ran beside the town" for name in strays),
            *books.differences(found),
            *await books.leaks(town, callers, secrets),
        ],
    )


async def _move_in(
    town: Town, callers: Callers
) -> tuple[list[str], list[Advertiser], dict[str, str]]:
    """Accounts on the platform and with us, the last one barred; and two assets."""
    tokens: list[str] = []
    advertisers: list[Advertiser] = []
    for place in range(ADVERTISERS):
        is_barred = place == ADVERTISERS - 1
        options: dict[str, Any] = {"missing_permissions": ["ads_management"]} if is_barred else {}
        made = await town.sandbox.account(tier="unlimited", **options)
        tokens.append(made["access_token"])
        credentials = {"access_token": made["access_token"], "page_id": made["page_id"]}
        body = {
            "name": f"advertiser {place}",
            "platform_type": "META",
            "platform_account_id": made["id"],
            "mode": "sandbox",
            "credentials": credentials,
        }
        ours = (await callers.call("POST", "/ad_accounts", json=body)).json()["id"]
        advertisers.append(Advertiser(ours, made["id"], made["page_id"], is_barred))
    assets = {}
    for kind, name in (("image", "hero.png"), ("video", "clip.mp4")):
        content = (ROOT / "examples" / name).read_bytes()
        answer = await callers.call("POST", "/assets", files={"file": (name, content)})
        assets[kind] = answer.json()["id"]
    return tokens, advertisers, assets


@contextlib.asynccontextmanager
async def _opened(server: EmbeddedPostgres, address: str, folder: Path) -> AsyncGenerator[Town]:
    socket_folder = parse_qs(urlsplit(server.url()).query)["host"][0]
    async with (
        opened_proxy(Path(socket_folder) / ".s.PGSQL.5432") as proxy,
        httpx.AsyncClient(trust_env=False, timeout=30) as client,
        opened_town(server, Sandbox(address, client), proxy, folder) as town,
    ):
        yield town


@contextlib.contextmanager
def _folder(*, keep: bool) -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="mojito-storm-"))
    folder.chmod(0o755)
    (folder / "encryption-keys").write_text(new_key_line("storm"))
    try:
        yield folder
    finally:
        if keep:
            sys.stdout.write(f"logs are kept in {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _sandbox_process() -> Generator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = None
        while found is None:
            line = process.stdout.readline()
            assert line, "the sandbox ended while starting"
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
        yield found[0]
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def new_seed() -> int:
    """For whoever names none."""
    return uuid4().int % 1_000_000
