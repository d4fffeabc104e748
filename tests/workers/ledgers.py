"""A ledger to be opened again and again, and a platform that answers as told."""

from datetime import timedelta

from common import clock
from models.gen import job_steps
from models.plan import PlannedStep
from workers.effects import Effect, Pace
from workers.ledger import Ledger

STEP = PlannedStep("campaign", "campaign", 0)
PACE = Pace(call_seconds=30, lag_seconds=30)


def is_left(seconds, whole, began_at):
    """Whether so much is left of a wait of so many seconds that began then or later."""
    return whole - (clock.seconds() - began_at) <= seconds <= whole


class Platform:
    """Answers as told; remembers what it was asked."""

    def __init__(self, *answers, found=()):
        self.answers = list(answers)
        self.found = list(found)
        self.calls = []
        self.looks = 0

    async def perform(self, trial):
        self.calls.append(trial)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def find(self, trial):
        self.looks += 1
        answer = self.found.pop(0) if self.found else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def effect(self):
        return Effect(self.perform, self.find)

    @property
    def repeatable(self):
        return Effect(self.perform)


class Desk:
    """Opens the ledger of one job, again and again, as later workers would."""

    def __init__(self, shop, writes):
        self.shop, self.writes = shop, writes
        self.job_id = None

    async def open(self, **options):
        if self.job_id is None:
            self.job_id = await self.shop.job(await self.shop.account())
        await self.shop.free()
        await self.shop.pool.execute("update campaign_jobs set due_at = now()")
        (job,) = await self.shop.claim()
        rows = await job_steps.list_steps_of_jobs(self.shop.pool, campaign_job_ids=[job.id])
        return Ledger(
            job,
            job.request.payload,
            rows,
            self.writes,
            claimed_at=clock.seconds(),
            **options,
        )

    async def row(self):
        (row,) = await job_steps.list_steps_of_jobs(self.shop.pool, campaign_job_ids=[self.job_id])
        return row

    async def age(self, **since):
        """As if the intent had been written that long ago, and every wait were over."""
        await self.shop.pool.execute(
            "update job_steps set due_at = null, intent_at = now() - $1::interval",
            timedelta(**since),
        )
