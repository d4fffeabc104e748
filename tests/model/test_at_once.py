"""What must hold when workers, upkeep and callers really act at the same time."""

import asyncio
import random
from collections.abc import Generator
from uuid import UUID

import pytest

from models.gen import campaign_jobs
from tests.model.broken import demand
from tests.model.checks import check_rows
from tests.model.real import SILENCE_SECONDS, Real
from workers.claimed import claim_jobs
from workers.upkeep import rescue
from workers.writes import Move, write_moves

pytestmark = pytest.mark.usefixtures("patient")

ROUNDS = 25
MOST_ROUNDS = 100
"""On a slow machine fewer moves come in time for a round, so it takes more of them."""
STATUSES = ["SUCCESS", "FAILED", "PARTIAL_SUCCESS", "PROCESSING", "PROCESSING"]


class Crowd:
    """Workers that keep claiming and ending jobs, some of which they have lost without knowing."""

    def __init__(self, real: Real, seed: int) -> None:
        self.real = real
        self.chance = random.Random(seed)  # noqa: S311 - a draw that can be repeated
        self.accounts = [real.account(most) for most in (1, 2, 3)]
        self.workers = [real.new_id() for _ in range(3)]
        self.jobs: list[UUID] = []
        self.moved: set[tuple[UUID, UUID]] = set()
        self.held: list[tuple[UUID, UUID]] = []

    def round(self) -> None:
        """Everybody acts at once; whoever was silent before may find his jobs taken."""
        self.jobs += self.real.submit(self.chance.choice(self.accounts), 2, 4)
        for worker in self.workers:
            self.real.register(worker)
        self.real.silence(self.chance.choice(self.workers))
        self.real.run(self._act())

    async def _act(self) -> None:
        pool = self.real.pool
        await asyncio.gather(
            *(self._claim(worker) for worker in self.workers),
            *(self._move() for _ in range(4)),
            *(rescue(pool, silence_seconds=SILENCE_SECONDS, freed=str) for _ in range(2)),
            campaign_jobs.cancel_campaign_job(
                pool, id=self.chance.choice(self.jobs), team_id=self.real.team
            ),
            campaign_jobs.retry_campaign_job(
                pool, id=self.chance.choice(self.jobs), team_id=self.real.team
            ),
        )

    async def _claim(self, worker: UUID) -> None:
        want = self.chance.randint(1, 4)
        taken = await claim_jobs(self.real.pool, worker_id=worker, want=want)
        demand(len(taken) <= want, "nobody is given more than it wants")
        for job in taken:
            fresh = (job.id, job.claim_token) not in self.held
            demand(fresh, "a job has a fresh token in each claim")
            self.held.append((job.id, job.claim_token))

    async def _move(self) -> None:
        """Now and then with a token that was used before, or that was taken away."""
        if self.held:
            held = self.chance.choice(self.held[-8:])
            async with self.real.pool.acquire() as connection:
                move = Move(*held, self.chance.choice(STATUSES))
                (answer,) = await write_moves(connection, [move])
            if answer is not False:
                demand(held not in self.moved, "a claim is good for one move")
                self.moved.add(held)


@pytest.fixture
def real(database: str) -> Generator[Real]:
    with Real(database) as real:
        real.clear()
        yield real


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_limits_and_events_hold_when_everybody_acts_at_once(real: Real, seed: int):
    crowd = Crowd(real, seed)

    for rounds in range(MOST_ROUNDS):
        if rounds >= ROUNDS and len(crowd.moved) > ROUNDS:
            break
        before = real.look()
        crowd.round()
        check_rows(before, real.look())

    assert len(crowd.moved) > ROUNDS
