"""What a worker measures: claims, steps, calls to platforms, and how runs end."""

from collections import Counter
from collections.abc import Awaitable, Sequence

from common import clock
from models.metrics import Metrics
from workers.writes import Move

KINDS = frozenset({"BUILD_CAMPAIGN", "DELIVER_WEBHOOK"})
REASONS = frozenset(
    {"retry", "in_doubt", "throttled", "media_processing", "reauth_required", "not_ready"}
)


class WorkerMetrics(Metrics):
    """One for each process."""

    def __init__(self) -> None:
        super().__init__()
        self._claims = self.histogram("mojito_claim_duration_seconds", "Time that a claim took.")
        self._claimed = self.counter("mojito_claimed_jobs", "Jobs that were claimed.")
        self._ended = self.counter(
            "mojito_jobs_ended",
            "Jobs that ended, by what they did and the status they ended in.",
            ("kind", "status"),
        )
        self._waits = self.counter(
            "mojito_job_waits", "Runs that ended with a wait, by its reason.", ("reason",)
        )
        self._wait_seconds = self.counter(
            "mojito_job_wait_seconds", "Seconds that those waits were set to.", ("reason",)
        )
        self._steps = self.histogram(
            "mojito_step_duration_seconds",
            "Time of one try of a step, its writes included.",
            ("kind", "outcome"),
        )
        self._calls = self.histogram(
            "mojito_platform_call_duration_seconds",
            "Time of one call to a platform.",
            ("platform", "outcome"),
        )

    async def claimed[Job](self, claim: Awaitable[list[Job]]) -> list[Job]:
        """What a claim brings, measured."""
        asked_at = clock.seconds()
        jobs = await claim
        self._claims.observe(clock.seconds() - asked_at)
        self._claimed.inc(len(jobs))
        return jobs

    def moved(self, moves: Sequence[Move], answers: Sequence[object]) -> None:
        """A flush ended runs; False stands for one that was not ours."""
        told = Counter(zip([move.kind for move in moves], answers, strict=True))
        self.flushed("moves", answers)
        self.refused("moves", answers.count(False))
        for (kind, status), jobs in told.items():
            if status not in (False, "PROCESSING"):
                self._ended.labels(kind if kind in KINDS else "other", status).inc(jobs)
        if "PROCESSING" in answers:
            self._count_waits([m for m, a in zip(moves, answers, strict=True) if a == "PROCESSING"])

    def written(self, name: str, answers: Sequence[object]) -> None:
        """A flush of intents or records."""
        self.flushed(name, answers)
        self.refused(name, answers.count(False))

    def stepped(self, kind: str, outcome: str, seconds: float) -> None:
        """One try of a step came to an end."""
        self._steps.labels(kind, outcome).observe(seconds)

    def called(self, platform: str, outcome: str, seconds: float) -> None:
        """One call to a platform came to an end."""
        self._calls.labels(platform, outcome).observe(seconds)

    def _count_waits(self, moves: Sequence[Move]) -> None:
        seconds: dict[str, list[float]] = {}
        for move in moves:
            reason = move.waiting_reason if move.waiting_reason in REASONS else "none"
            seconds.setdefault(reason, []).append(max(move.delay_seconds or 0.0, 0.0))
        for reason, waits in seconds.items():
            self._waits.labels(reason).inc(len(waits))
            self._wait_seconds.labels(reason).inc(sum(waits))
