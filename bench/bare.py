"""Our own claim and move in a loop without a job's objects: `python -m bench.bare URL --lanes 2`.

What is lost between this and the plain loop are the additions of our statements; what is lost between
a worker and this is the worker's own work. Obeys `bench.plain`'s lines.
"""

import argparse
import asyncio
import sys
from uuid import UUID, uuid4

import asyncpg
import uvloop

from bench.limit import JOB_BATCH
from bench.plain import say
from models.database import connect
from models.gen import workers
from models.gen.campaign_jobs import CLAIM_CAMPAIGN_JOBS, LIST_REQUESTS, MOVE_CAMPAIGN_JOBS
from workers.claims import CLAIM_SETTINGS
from workers.writes import MOVE_SETTINGS

type Connection = asyncpg.Connection[asyncpg.Record]


async def drain(url: str, lanes: int) -> None:
    """Whatever there is, at each line of its input."""
    opened = [await _lane_of(url) for _ in range(lanes)]
    say("ready")
    while sys.stdin.readline():
        await asyncio.gather(*(_lane(*lane) for lane in opened))
        say("done")


async def _lane_of(url: str) -> tuple[Connection, Connection, UUID]:
    """As a worker's: one connection that claims, one that moves."""
    claims = await connect(url, name="bench claim", settings=CLAIM_SETTINGS)
    moves = await connect(url, name="bench moves", settings=MOVE_SETTINGS)
    worker_id = uuid4()
    await workers.register_worker(moves, id=worker_id, host="bench", process_id=0)
    return claims, moves, worker_id


async def _lane(claims: Connection, moves: Connection, worker_id: UUID) -> None:
    while (told := await claims.fetchrow(CLAIM_CAMPAIGN_JOBS, worker_id, JOB_BATCH)) and told[
        "ids"
    ]:
        ids = told["ids"]
        await moves.fetch(LIST_REQUESTS, ids)
        tokens, statuses = [told["claim_token"]] * len(ids), ",".join(["SUCCESS"] * len(ids))
        await moves.fetch(MOVE_CAMPAIGN_JOBS, ids, tokens, statuses, *[[]] * 6)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--lanes", type=int, default=1)
    given = parser.parse_args()
    uvloop.run(drain(given.url, given.lanes))
