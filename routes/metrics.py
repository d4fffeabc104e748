"""/metrics: what the API measures, and the state of the queue, which the database knows."""

import asyncio
import functools
import hmac
from collections import Counter
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.types import Scope

from common import clock
from common.errors import Unauthorized
from models.database import DATABASE_FAILURES, Pool
from models.gen import overview
from models.metrics import CONTENT_TYPE, Metrics
from routes.readable import readable

MOST_COUNTED = 50_000
"""Open jobs that are counted on each side; what is beyond shows as a full count."""
_FRESH_SECONDS = 5.0
_PATIENCE_SECONDS = 5.0
_MOST_KINDS = 20
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})


class ApiMetrics(Metrics):
    """One for each process. With a `token` only those who send it are shown anything."""

    def __init__(
        self, pool: Pool, *, silence_seconds: float = 30.0, token: str | None = None
    ) -> None:
        super().__init__()
        self._token = token
        self._silence_seconds = silence_seconds
        self._pool = pool
        self._looking = asyncio.Lock()
        self._looked_at = -_FRESH_SECONDS
        self.watch_pool(pool)
        self._requests = self.histogram(
            "mojito_http_request_duration_seconds",
            "Time until an answer began.",
            ("method", "route", "status"),
        )
        self._answers_of = functools.cache(self._requests.labels)
        self._jobs = self.gauge("mojito_jobs", "Jobs that are not finished.", ("kind", "status"))
        self._running = self.gauge("mojito_jobs_running", "Jobs that a worker has.")
        self._waiting = self.gauge(
            "mojito_jobs_waiting", "Jobs that wait, by the reason.", ("reason",)
        )
        self._full = self.gauge(
            "mojito_jobs_count_is_full", f"1: more than {MOST_COUNTED} jobs, not all were counted."
        )
        self._oldest = self.gauge(
            "mojito_oldest_claimable_job_seconds",
            "How long the first job waits whose account is neither full nor throttled.",
        )
        self._workers = self.gauge("mojito_workers", "Workers by whether they live.", ("state",))
        self._answers = self.gauge(
            "mojito_database_answers", "1: the queue was looked at; 0: the database did not answer."
        )

    def answered(self, scope: Scope, status: int, seconds: float) -> None:
        """A request got the head of its answer. Unknown addresses count as one route."""
        method = scope.get("method", "")
        route = scope.get("path_template") or "unmatched"
        method = method if method in _METHODS else "other"
        self._answers_of(method, route, status).observe(seconds)

    def require_token(self, request: Request[Any, Any, Any]) -> None:
        """Raises Unauthorized."""
        if self._token is None:
            return
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(
            given.strip().encode(), self._token.encode()
        ):
            raise Unauthorized(
                "Send the token that MOJITO_METRICS_TOKEN says: Authorization: Bearer …",
                code="unauthorized",
                headers={"WWW-Authenticate": "Bearer"},
            )

    async def look(self) -> None:
        """The state of the queue, read at most once in a few seconds, however many ask."""
        async with self._looking:
            if clock.seconds() - self._looked_at < _FRESH_SECONDS:
                return
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await self._look()
                self._answers.set(1)
            except DATABASE_FAILURES:
                self._forget()
            self._looked_at = clock.seconds()

    async def _look(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            # the partial indexes hold open jobs alone; everything else walks over finished ones
            await connection.execute("set local enable_seqscan = off")
            rows = await overview.count_open_jobs(connection, most=MOST_COUNTED)
            oldest = await overview.get_oldest_claimable_seconds(connection)
            workers = await overview.list_workers_with_claims(connection)
        self._show_jobs(rows)
        self._oldest.set(oldest or 0.0)
        alive = sum(row.silent_seconds <= self._silence_seconds for row in workers)
        self._workers.labels("alive").set(alive)
        self._workers.labels("silent").set(len(workers) - alive)

    def _show_jobs(self, rows: list[overview.CountOpenJobsRow]) -> None:
        by_kind: Counter[tuple[str, str]] = Counter()
        by_reason: Counter[str] = Counter()
        by_side: Counter[bool] = Counter()
        known = sorted({row.kind for row in rows})[:_MOST_KINDS]
        for row in rows:
            by_kind[row.kind if row.kind in known else "other", row.status] += row.jobs
            by_side[row.is_claimed] += row.jobs
            if row.waiting_reason and not row.is_claimed:
                by_reason[row.waiting_reason] += row.jobs
        self._jobs.clear()
        self._waiting.clear()
        for (kind, status), jobs in by_kind.items():
            self._jobs.labels(kind, status).set(jobs)
        for reason, jobs in by_reason.items():
            self._waiting.labels(reason).set(jobs)
        self._running.set(by_side[True])
        self._full.set(max(by_side.values(), default=0) >= MOST_COUNTED)

    def _forget(self) -> None:
        """Old figures would look like good ones."""
        self._answers.set(0)
        for gauge in (self._jobs, self._waiting, self._workers):
            gauge.clear()
        self._running.set(float("nan"))
        self._oldest.set(float("nan"))


_PATH = "/metrics"


@readable(_PATH, opt={"open": True, "hidden": True})
async def metrics(
    request: Request[Any, Any, Any], metrics: NamedDependency[ApiMetrics]
) -> Response[bytes]:
    """What this process measures, in the text form of Prometheus. At no other spelling of the address,
    such as `//metrics` or `/metrics/`: a proxy keeps away those who ask for this one."""
    if request.scope["raw_path"] != _PATH.encode():
        raise NotFoundException
    metrics.require_token(request)
    await metrics.look()
    return Response(metrics.exposition(), media_type=CONTENT_TYPE)


routes = [metrics]
