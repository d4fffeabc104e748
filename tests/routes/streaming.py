"""The application behind a real socket, and a caller who reads its event streams."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, Callable
from typing import Any
from uuid import UUID

import httpx
import uvicorn

from models.gen.rows import Connection
from mojito.serve import Server
from tests.clear import CLEAR
from tests.routes.conftest import Api

PATIENCE_SECONDS = 30.0
INSERT = """
insert into job_events (campaign_job_id, team_id, kind, data)
select j.id, j.team_id, $2, $3 from campaign_jobs as j where j.id = $1 returning id"""


async def until(is_so: Callable[[], bool]) -> None:
    """Lets others work until it is so; fails loudly when that takes too long."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.005)


class Stream:
    """An open stream: its answer, and its events one by one."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.comments: list[str] = []
        self.retry: int | None = None
        self.last: int | None = None
        """The number to come back with."""
        self._lines = answer.aiter_lines()

    async def event(self) -> dict[str, Any] | None:
        """The next one; None when the stream has ended as it should."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._event()

    async def _event(self) -> dict[str, Any] | None:
        found: dict[str, Any] = {}
        async for line in self._lines:
            name, _, value = line.partition(": ")
            if line == "":
                # as browsers do: a number alone is no event, and is remembered all the same
                self.last = found.get("id", self.last)
                if "data" in found:
                    return found
                found = {}
            elif name == "retry":
                self.retry = int(value)
            elif name == "":
                self.comments.append(value)
            elif line:
                found[name] = json.loads(value) if name in ("data", "id") else value
        return None

    async def types(self, count: int) -> list[str | None]:
        """What the next events are; None where the stream has ended."""
        found = [await self.event() for _ in range(count)]
        return [None if event is None else event["event"] for event in found]

    async def rest(self) -> list[dict[str, Any]]:
        """Everything until the end."""
        found = []
        while (event := await self.event()) is not None:
            found.append(event)
        return found


class Live:
    """The address, and ways to open streams there."""

    def __init__(self, url: str, api: Api) -> None:
        self.url = url
        self.api = api

    @contextlib.asynccontextmanager
    async def client(self, caller: httpx.AsyncClient) -> AsyncGenerator[httpx.AsyncClient]:
        """The same caller over the socket."""
        headers = {"Authorization": caller.headers["Authorization"]}
        async with httpx.AsyncClient(
            base_url=self.url,
            headers=headers,
            trust_env=False,
            verify=CLEAR,
            timeout=PATIENCE_SECONDS,
        ) as client:
            yield client

    @contextlib.asynccontextmanager
    async def stream(
        self, caller: httpx.AsyncClient, path: str, last: object = None
    ) -> AsyncGenerator[Stream]:
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        async with (
            self.client(caller) as client,
            client.stream("GET", f"/api/v1{path}", headers=headers) as answer,
        ):
            yield Stream(answer)

    async def tell(
        self, job: dict[str, Any], kind: str, *, over: Connection | None = None, **data: Any
    ) -> int:
        """An event as workers write it, and the wake-up behind it; over the pool or another way."""
        way = over or self.api.pool
        number = await way.fetchval(INSERT, UUID(job["id"]), kind, json.dumps(data))
        await way.execute("notify campaign_job_changes")
        return number


@contextlib.asynccontextmanager
async def served(api: Api) -> AsyncGenerator[Live]:
    """Until the block ends; then streams end first, as they do when the program stops."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(api.app, lifespan="off", log_config=None, timeout_graceful_shutdown=5)
    server = Server(config)
    task = asyncio.create_task(server.serve([listening]))
    yield Live(f"http://127.0.0.1:{listening.getsockname()[1]}", api)
    server.should_exit = True
    api.watch.stopping.set()
    await task
