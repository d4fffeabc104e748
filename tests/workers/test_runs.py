"""Which runs a worker has in hand, until when, and what is told of how they are over."""

import asyncio
import contextlib

import pytest
import structlog

from common import clock
from common.errors import ClaimLost
from models.gen import ad_accounts, workers
from models.job import JobError
from tests.workers.running import TEST, Scripted, connected, until
from workers.kinds import Parked, Run
from workers.ledger import Ledger
from workers.metrics import WorkerMetrics
from workers.runs import Runs
from workers.writes import Writes

DEAD = Parked(604_800, "reauth_required", JobError(code="busy", message="busy"))
GONE = """
    create function go_away() returns trigger language plpgsql as $$ begin
        raise admin_shutdown;
    end $$;
    create trigger go_away before update on ad_accounts for each row execute function go_away();
"""
REFUSE = """
    create function refuse() returns trigger language plpgsql as $$ begin
        raise check_violation;
    end $$;
    create trigger refuse before update on campaign_jobs for each row
    when (new.claim_token is null) execute function refuse();
"""


class Hand:
    """The runs of one worker, and what they have told it."""

    def __init__(self, shop, handler):
        self.metrics = WorkerMetrics()
        self.changes = 0
        self.doubts = 0
        self.freed = []
        self.writes = Writes(shop.url, self.metrics, self._changed)
        self.runs = Runs(
            shop.pool, {TEST: handler}, self.writes, doubt=self._doubt, freed=self._free
        )

    def _changed(self):
        self.changes += 1

    def _doubt(self):
        self.doubts += 1

    def _free(self):
        self.freed.append(len(self.runs))

    def counted(self, name, **labels):
        return self.metrics.registry.get_sample_value(name, labels)


@contextlib.asynccontextmanager
async def in_hand(shop, handler):
    hand = Hand(shop, handler)
    async with hand.writes.running():
        yield hand


async def run_of(shop, hand, job):
    (account,) = await ad_accounts.list_accounts_for_run(shop.pool, ids=[job.ad_account_id])
    ledger = Ledger(job, job.request.payload, [], hand.writes, claimed_at=clock.seconds())
    return Run(job, job.request, account, ledger, lambda: None)


async def begun(shop, hand):
    """A job whose run has begun."""
    job = await shop.claimed()
    hand.runs.begin(await run_of(shop, hand, job))
    return job


async def over(hand):
    return await until(lambda: hand.freed)


async def test_a_run_that_ends_at_once_is_in_hand_until_its_end_is_written(shop):
    """Else a look for claims that nobody knows of gives its job back before it is over."""
    async with in_hand(shop, Scripted()) as hand, connected(shop) as own:
        async with own.transaction():
            job = await shop.claimed()
            await own.execute("select 1 from campaign_jobs for update")
            hand.runs.begin(await run_of(shop, hand, job))
            held = hand.runs.jobs()
            await hand.runs.end(0)
            still_held = hand.runs.jobs()
        await over(hand)

    assert (held, still_held) == ([job], [job])
    assert (hand.freed, hand.runs.jobs()) == ([0], [])


async def test_a_run_that_is_cut_off_is_in_hand_no_more(shop):
    async def never(_run):
        await asyncio.Event().wait()

    async with in_hand(shop, Scripted(never)) as hand:
        await begun(shop, hand)

        before = len(hand.runs)
        await hand.runs.end(0)

    assert (before, hand.freed, len(hand.runs), hand.doubts) == (1, [0], 0, 0)


async def test_a_dead_token_is_told_and_counted_like_any_other_wait(shop):
    with structlog.testing.capture_logs() as lines:
        async with in_hand(shop, Scripted(DEAD)) as hand:
            await begun(shop, hand)
            await over(hand)

    assert (hand.freed, hand.doubts, hand.changes) == ([0], 0, 1)
    assert hand.counted("mojito_job_waits_total", reason="reauth_required") == 1
    assert {"event": "job.waiting", "reason": "reauth_required", "seconds": 604_800}.items() <= (
        lines[-1].items()
    )


async def test_a_job_that_was_taken_away_before_its_dead_token_was_told_is_lost(shop):
    async def taken(_run):
        await workers.release_worker_jobs(shop.pool, worker_id=shop.worker_id)
        return DEAD

    with structlog.testing.capture_logs() as lines:
        async with in_hand(shop, Scripted(taken)) as hand:
            await begun(shop, hand)
            await over(hand)

    assert (hand.freed, hand.doubts) == ([0], 1)
    assert [(line["event"], line.get("reason")) for line in lines] == [("job.lost", "claim_lost")]


async def test_a_run_that_was_out_of_touch_says_so_when_it_lets_its_job_go(shop):
    with structlog.testing.capture_logs() as lines:
        async with in_hand(shop, Scripted(ClaimLost("out", code="out_of_touch"))) as hand:
            await begun(shop, hand)
            await over(hand)

    assert [(line["event"], line["reason"]) for line in lines] == [("job.lost", "out_of_touch")]
    assert hand.doubts == 1


@pytest.mark.parametrize("outage", ["in the run", "while its account is told"])
async def test_a_run_that_the_database_cut_short_says_what_it_met(shop, outage):
    if outage == "in the run":
        handler, met = Scripted(ConnectionResetError()), "ConnectionResetError"
    else:
        await shop.pool.execute(GONE)
        handler, met = Scripted(Parked(60, "throttled")), "AdminShutdownError"

    with structlog.testing.capture_logs() as lines:
        async with in_hand(shop, handler) as hand:
            await begun(shop, hand)
            await over(hand)

    told = [(line["event"], line.get("error")) for line in lines]
    assert told[0] == ("job.without_database", met)


async def test_an_end_that_is_refused_twice_says_each_time_why(shop):
    await shop.pool.execute(REFUSE)

    with structlog.testing.capture_logs() as lines:
        async with in_hand(shop, Scripted()) as hand:
            await begun(shop, hand)
            await over(hand)

    why = [type(line["exc_info"]).__name__ for line in lines if line["event"] == "job.not_written"]
    assert why == ["CheckViolationError", "CheckViolationError"]
    assert (hand.freed, hand.doubts) == ([0], 0)


async def test_a_run_whose_account_cannot_be_told_says_so_once_and_lets_its_job_go(shop):
    """No such moment can be written."""
    with structlog.testing.capture_logs() as lines:
        async with in_hand(shop, Scripted(Parked(1e300, "throttled"))) as hand:
            await begun(shop, hand)
            await over(hand)

    assert [line["event"] for line in lines] == ["job.not_written", "job.waiting"]
    assert hand.counted("mojito_job_waits_total", reason="retry") == 1
