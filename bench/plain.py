"""The limit in Python: an asyncpg loop over plain tables, no additions: `python -m bench.plain URL`.

Claims and completes in batches of 500. Says "ready", and drains what there is at each line of its
input; or listens, and tells at the end of its input which jobs it had and when.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import asyncpg
import uvloop

from bench.limit import CLAIM, COMPLETE, INTEND, JOB_BATCH, RECORD, SETTINGS
from models.listener import CHANNEL

type Connection = asyncpg.Connection[asyncpg.Record]

OUTCOME, HASH = '{"id": "1"}', b"0" * 32


async def drain(url: str, lanes: int, steps: int) -> None:
    """Whatever there is, at each line of its input."""
    connections = [await _connect(url) for _ in range(lanes)]
    say("ready")
    while sys.stdin.readline():
        await asyncio.gather(*(_lane(connection, steps) for connection in connections))
        say("done")


async def _connect(url: str) -> Connection:
    return await asyncpg.connect(url, server_settings=SETTINGS)


async def _lane(connection: Connection, steps: int) -> None:
    async for ids, tokens in _claims(connection):
        for step in range(steps):
            names, keys = [f"step[{step}]"] * len(ids), [f"{job_id}:{step}" for job_id in ids]
            await connection.fetch(INTEND, ids, names, tokens, keys, [HASH] * len(ids))
            await connection.fetch(RECORD, ids, names, tokens, [OUTCOME] * len(ids))
        await _complete(connection, ids, tokens)


async def _claims(connection: Connection) -> AsyncGenerator[tuple[list[UUID], list[UUID]]]:
    """Ids and tokens of one batch after the other, until nothing is due."""
    worker_id = uuid4()
    while rows := await connection.fetch(CLAIM, JOB_BATCH, token := uuid4(), worker_id):
        yield [row["id"] for row in rows], [token] * len(rows)


async def _complete(connection: Connection, ids: list[UUID], tokens: list[UUID]) -> None:
    await connection.fetch(COMPLETE, ids, tokens, ["SUCCESS"] * len(ids), [None] * len(ids))


async def listen(url: str) -> None:
    """Claims what is told of, until its input ends."""
    connection, listener = await _connect(url), await asyncpg.connect(url)
    woken = asyncio.Event()
    begun: list[tuple[str, float]] = []
    await listener.add_listener(CHANNEL, lambda *_: woken.set())

    async def loop() -> None:
        while True:
            await woken.wait()
            woken.clear()
            async for ids, tokens in _claims(connection):
                begun.extend((str(job_id), time.monotonic()) for job_id in ids)
                await _complete(connection, ids, tokens)

    task = asyncio.create_task(loop())
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    say(json.dumps(begun))


def say(text: str) -> None:
    """One line for whoever measures."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--listen", action="store_true")
    given = parser.parse_args()
    uvloop.run(listen(given.url) if given.listen else drain(given.url, given.lanes, given.steps))
