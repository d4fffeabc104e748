"""The limit: a plain asyncpg loop over a plain table, no additions: `python -m bench.plain URL`.

Claims and completes in batches of 500. Says "ready", and drains what there is at each line of its
input; or listens, and tells at the end of its input which jobs it had and when.
"""

import argparse
import asyncio
import json
import sys
import time
from uuid import UUID, uuid4

import asyncpg
import uvloop

from models.listener import CHANNEL

BATCH = 500
CLAIM = """
with picked as materialized (select id from plain_jobs where status = 'PENDING' and due_at <= now()
    order by due_at limit $1 for update skip locked)
update plain_jobs set status = 'PROCESSING', claim_token = $2 where id = any (array(select id from picked))
returning id, payload"""
FINISH = """
update plain_jobs set status = 'SUCCESS', finished_at = now()
where id = any ($1::uuid[]) and claim_token = $2"""
STEP = """
insert into plain_steps select unnest($1::uuid[]), $2, $3
on conflict (job_id, name) do update set status = excluded.status"""


async def drain(url: str, lanes: int, steps: int) -> None:
    """Whatever there is, at each line of its input."""
    connections = [await asyncpg.connect(url) for _ in range(lanes)]
    say("ready")
    while sys.stdin.readline():
        await asyncio.gather(*(_lane(connection, steps) for connection in connections))
        say("done")


async def _lane(connection: "asyncpg.Connection[asyncpg.Record]", steps: int) -> None:
    while rows := await connection.fetch(CLAIM, BATCH, token := uuid4()):
        ids: list[UUID] = [row["id"] for row in rows]
        for step in range(steps):
            for status in ("RUNNING", "DONE"):
                await connection.execute(STEP, ids, f"step[{step}]", status)
        await connection.execute(FINISH, ids, token)


async def listen(url: str) -> None:
    """Claims what is told of, until its input ends."""
    connection, listener = await asyncpg.connect(url), await asyncpg.connect(url)
    woken = asyncio.Event()
    begun: list[tuple[str, float]] = []
    await listener.add_listener(CHANNEL, lambda *_: woken.set())

    async def loop() -> None:
        while True:
            await woken.wait()
            woken.clear()
            while rows := await connection.fetch(CLAIM, BATCH, token := uuid4()):
                begun.extend((str(row["id"]), time.monotonic()) for row in rows)
                await connection.execute(FINISH, [row["id"] for row in rows], token)

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
