"""What a claim must take: how many, whose, and in which order."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from tests.model.broken import demand
from tests.model.plain import Job, Plain

HEAD = 64
"""A claim looks at so many jobs of a lane at least, before it sweeps the accounts in their turn."""


def rooms(plain: Plain) -> dict[UUID, int]:
    """How many more jobs each account may run; none while it is throttled."""
    running = Counter(job.account for job in plain.jobs.values() if job.token)
    return {
        account.id: 0 if account.throttled else max(account.max_running - running[account.id], 0)
        for account in plain.accounts.values()
    }


def in_order(plain: Plain, clock: datetime, *, by_age: bool = False) -> list[Job]:
    """What may be taken, by lane and then by age; `by_age`: the rooms of accounts go by age alone."""
    left = rooms(plain)
    taken: list[Job] = []
    for job in sorted(_claimable(plain, clock), key=_age if by_age else _key):
        if left[job.account] > 0:
            left[job.account] -= 1
            taken.append(job)
    return sorted(taken, key=_key)


def judge(
    plain: Plain, clock: datetime, want: int, taken: Iterable[UUID], *, by_age: bool = False
) -> None:
    """One claim, against the state before it. `by_age` is drawn by a quarter of the claims."""
    ids = list(taken)
    jobs = [plain.jobs[job_id] for job_id in ids]
    expected = in_order(plain, clock, by_age=by_age)
    demand(len(set(ids)) == len(ids), "a claim takes each job once")
    demand(
        len(ids) == min(want, len(expected)),
        f"a claim takes as many as may be taken: {min(want, len(expected))}, not {len(ids)}",
    )
    for job in jobs:
        demand(job.is_claimable(clock), f"only claimable jobs are taken, not {job}")
    _judge_rooms(plain, jobs)
    if max(Counter(job.lane for job in _claimable(plain, clock)).values(), default=0) < HEAD:
        _judge_order(expected[:want], jobs, want)


def _judge_rooms(plain: Plain, jobs: list[Job]) -> None:
    room = rooms(plain)
    for account, count in Counter(job.account for job in jobs).items():
        demand(
            count <= room[account], f"{count} jobs taken of an account with room {room[account]}"
        )


def _judge_order(expected: list[Job], jobs: list[Job], want: int) -> None:
    """Lane, then age; at most a quarter, rounded up, for being older than what it displaces."""
    took, due = Counter(map(_key, jobs)), Counter(map(_key, expected))
    ahead, displaced = list((took - due).elements()), list((due - took).elements())
    demand(len(ahead) <= -(-want // 4), f"{len(ahead)} of {want} were taken out of their turn")
    for key in ahead:
        demand(
            all(key[1] <= other[1] for other in displaced),
            "what is taken out of turn is older than what waits for it",
        )


def _claimable(plain: Plain, clock: datetime) -> list[Job]:
    return [job for job in plain.jobs.values() if job.is_claimable(clock)]


def _age(job: Job) -> datetime:
    return _key(job)[1]


def _key(job: Job) -> tuple[int, datetime]:
    assert job.due_at is not None
    return job.lane, job.due_at
