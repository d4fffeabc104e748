"""Claims due jobs, runs each in its own task, and writes down how the run ended."""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator
from functools import partial
from itertools import chain
from uuid import UUID

import structlog

from common import clock
from common.errors import ClaimLost
from common.seldom import Seldom
from common.tasks import Company, at_once
from common.version import program_version
from models.database import DATABASE_FAILURES, Pool
from models.gen import workers
from models.gen.campaign_jobs import ListRequestsRow
from models.gen.rows import AdAccount, JobStep
from models.identity import Home
from models.listener import CHANGES, Listener
from models.notifier import Notifier
from workers.accounts import Accounts
from workers.claimed import ClaimedJob
from workers.claims import Claims, earlier_steps, requests_of, tell_not_started
from workers.kinds import Handlers, Run
from workers.ledger import Ledger
from workers.metrics import WorkerMetrics
from workers.presence import Presence
from workers.runs import Runs
from workers.upkeep import ClockWatch, keep_up
from workers.worker_settings import WorkerSettings
from workers.writes import Writes

log = structlog.get_logger()

_LAST_CLAIM_SECONDS = 2.0
_BEHIND_TRUST_SECONDS = 0.005
_CHANGES_SECONDS = 0.01
"""Those who watch jobs are told so seldom at most."""


class Worker:
    """One worker process. `run` returns after `stop`, when everything is written or given back."""

    def __init__(
        self,
        url: str,
        pool: Pool,
        worker_id: UUID,
        handlers: Handlers,
        settings: WorkerSettings,
        metrics: WorkerMetrics | None = None,
        home: Home | None = None,
        company: Company | None = None,
    ) -> None:
        self._pool = pool
        self._id = worker_id
        self._settings = settings
        self._metrics = metrics or WorkerMetrics()
        self._home = home or Home()
        self._home.when_left(self.stop)
        self._company = company or Company()
        self._company.when_one_dies(self.stop)
        # under a name of its own: by the other one API processes are counted
        self._notifier = Notifier(
            url, pause_seconds=_CHANGES_SECONDS, name="mojito changes", company=self._company
        )
        self._writes = Writes(
            url,
            self._metrics,
            partial(self._notifier.notify, CHANGES),
            self._home.connect,
            self._company,
        )
        self._presence = Presence(
            url,
            worker_id,
            renew_seconds=settings.renew_seconds,
            trust_seconds=settings.trust_seconds,
            home=self._home,
            company=self._company,
        )
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._is_told = False
        """Whether somebody said that there may be work, and too little was found since."""
        self._later_look: asyncio.TimerHandle | None = None
        # before it is back this worker asks often, and so looks everywhere once a second
        self._listener = Listener(url, self._hear_of_work, back=self._wake.set)
        self._accounts = Accounts()
        self._arriving: dict[UUID, list[ClaimedJob]] = {}
        self._arrivals: set[asyncio.Task[None]] = set()
        self._claims = Claims(
            url,
            worker_id,
            self._known,
            self._metrics,
            look_seconds=settings.renew_seconds,
            connect=self._home.connect,
        )
        self._runs = Runs(
            pool, handlers, self._writes, doubt=self._claims.doubt, freed=self._hear_of_work
        )
        self._watch = ClockWatch(settings.silence_seconds)
        self._is_out_of_touch = False
        self._seldom = Seldom()
        self.started = asyncio.Event()
        """Set when the worker is registered and claims."""

    def stop(self) -> None:
        """No further claim and no further step; what runs may end within the grace time."""
        self._stopping.set()
        self._wake.set()
        # a claim that is still asked for gets no answer from a silent database
        asyncio.get_running_loop().call_later(_LAST_CLAIM_SECONDS, self._claims.drop_connection)

    async def run(self) -> None:
        """Works until stopped. When it stopped by itself it raises why: AnotherDatabase where connections
        led elsewhere, PartDied when a part of it had died."""
        async with self._writes.running(), self._presence.running(), self._side_tasks():
            log.info("worker.started", worker_id=str(self._id), version=program_version())
            self.started.set()
            try:
                while not self._stopping.is_set():
                    await self._claim_and_start()
            except Exception as error:  # noqa: BLE001 - what runs may end all the same
                self._company.mourn("claims", error)
            await self._drain()
        log.info("worker.stopped", worker_id=str(self._id))
        if self._home.elsewhere is not None:
            raise self._home.elsewhere
        self._company.require_all()

    @contextlib.asynccontextmanager
    async def _side_tasks(self) -> AsyncGenerator[None]:
        upkeep = keep_up(
            self._pool,
            silence_seconds=self._settings.silence_seconds,
            every_seconds=self._settings.renew_seconds,
            freed=self._hear_of_work,
            watch=self._watch,
        )
        try:
            async with (
                self._company.beside(
                    listener=self._listener.run(), upkeep=upkeep, read_ahead=self._read_ahead()
                ),
                self._notifier,
            ):
                yield
        finally:
            self._forget_later_look()
            self._claims.drop_connection()

    async def _read_ahead(self) -> None:
        # what cannot be read now is read with the jobs that need it
        try:
            with contextlib.suppress(*DATABASE_FAILURES):
                await self._accounts.read_ahead(self._pool)
        except Exception:
            log.exception("accounts.not_read_ahead")

    async def _claim_and_start(self) -> None:
        self._wake.clear()
        arriving = sum(map(len, self._arriving.values()))
        free = self._settings.concurrency - len(self._runs) - arriving
        want = min(free, self._settings.largest_claim)
        claimed: list[ClaimedJob] = []
        if free > 0:
            try:
                self._presence.guard()
                self._is_out_of_touch = False
                claimed = await self._claim(want)
                if self._is_told and len(claimed) < want and not self._stopping.is_set():
                    await self._look_again_later()
            except ClaimLost:
                if not self._is_out_of_touch:
                    log.warning("worker.out_of_touch")
                self._is_out_of_touch = True
            except DATABASE_FAILURES as error:
                self._seldom.warning("claim.failed", error=type(error).__name__)
                self._claims.drop_connection()
                self._claims.doubt()
        if len(claimed) < max(want, 1) and not self._stopping.is_set():
            await self._until_woken()

    def _hear_of_work(self) -> None:
        self._is_told = True
        self._wake.set()

    async def _look_again_later(self) -> None:
        """What we were told of may stand where claims do not look for a second."""
        self._is_told = False
        if self._later_look is None:
            seconds = await self._claims.trusted_seconds() + _BEHIND_TRUST_SECONDS
            self._later_look = asyncio.get_running_loop().call_later(seconds, self._look_again)

    def _look_again(self) -> None:
        self._later_look = None
        self._wake.set()

    def _forget_later_look(self) -> None:
        if self._later_look is not None:
            self._later_look.cancel()

    async def _until_woken(self) -> None:
        poll = self._settings.poll_seconds if self._listener.is_connected else 0.2
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(poll * random.uniform(0.8, 1.2)):  # noqa: S311
                await self._wake.wait()

    async def _claim(self, want: int) -> list[ClaimedJob]:
        jobs = await self._claims.take(want)
        if jobs:
            self._arriving[jobs[0].claim_token] = jobs
            claimed_at, is_full = clock.seconds(), len(jobs) == want
            task = at_once(self._start(jobs, claimed_at, claims_follow=is_full), "arrival")
            self._arrivals.add(task)
            task.add_done_callback(self._arrivals.discard)
            self._notifier.notify(CHANGES)
        return jobs

    def _known(self) -> list[ClaimedJob]:
        return [*chain(*self._arriving.values()), *self._runs.jobs()]

    async def _start(
        self, jobs: list[ClaimedJob], claimed_at: float, *, claims_follow: bool
    ) -> None:
        if claims_follow:
            # the next one is sent first: the database works on it while these begin
            await asyncio.sleep(0)
        try:
            steps = await earlier_steps(self._pool, jobs)
            accounts = await self._accounts.of(self._pool, jobs)
            requests = await requests_of(self._pool, jobs)
            self._start_with(jobs, claimed_at, requests, steps, accounts)
        except Exception as error:  # noqa: BLE001 - the jobs are taken again
            tell_not_started(jobs, error)
            self._claims.doubt()
            self._hear_of_work()
        finally:
            self._arriving.pop(jobs[0].claim_token, None)

    def _start_with(
        self,
        jobs: list[ClaimedJob],
        claimed_at: float,
        requests: dict[UUID, ListRequestsRow],
        steps: dict[UUID, list[JobStep]],
        accounts: dict[UUID, AdAccount],
    ) -> None:
        steady_since = self._watch.steady_since(jobs[0].claimed_at.timestamp(), claimed_at)
        for job in jobs:
            request = requests[job.id]
            ledger = Ledger(
                job,
                request.payload,
                steps.get(job.id, ()),
                self._writes,
                claimed_at=claimed_at,
                steady_since=steady_since,
                is_stopping=self._stopping.is_set,
                guard_from_now=self._presence.guard_from_now,
            )
            account = accounts[job.ad_account_id]
            self._runs.begin(Run(job, request, account, ledger, self._presence.guard))

    async def _drain(self) -> None:
        """Lets running calls end, then gives back whatever is still held."""
        for arrival in set(self._arrivals):
            arrival.cancel()
        await asyncio.gather(*self._arrivals, return_exceptions=True)
        await self._runs.end(self._settings.grace_seconds)
        try:
            async with asyncio.timeout(5):
                await workers.give_back_claims(self._pool, worker_id=self._id)
                self._presence.leave()
                await workers.delete_worker(self._pool, id=self._id)
        except DATABASE_FAILURES as error:
            log.warning("worker.left_claims", error=type(error).__name__)
            self._pool.terminate()  # nothing more comes over it; closing it would wait in vain
