"""The judge of claims can say no: each wrong claim is found, right ones pass."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.model.broken import Broken
from tests.model.claims import judge
from tests.model.plain import Account, Job, Plain

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WIDE, NARROW, THROTTLED = (UUID(int=number) for number in (1, 2, 3))


@pytest.fixture
def plain() -> Plain:
    """Jobs 10 to 16 of the wide account, the lower the earlier; others as their account says."""
    plain = Plain()
    for account in (Account(WIDE, 9), Account(NARROW, 1), Account(THROTTLED, 4, throttled=True)):
        plain.accounts[account.id] = account
    for number in range(10, 16):
        add(plain, number, WIDE, lane=1, minutes=20 - number)
    add(plain, 16, WIDE, lane=3, minutes=60)
    add(plain, 20, NARROW, lane=2, minutes=2)
    add(plain, 21, NARROW, lane=2, minutes=1)
    add(plain, 30, THROTTLED, lane=1, minutes=9)
    add(plain, 40, WIDE, lane=1, minutes=-9)
    return plain


@pytest.mark.parametrize("taken", [(10, 11, 12, 13), (10, 11, 12, 16)])
def test_a_claim_goes_by_lane_and_a_quarter_of_it_by_age(plain: Plain, taken: tuple[int, ...]):
    judge(plain, NOW, 4, ids(taken))


def test_a_claim_may_give_the_rooms_of_accounts_by_age(plain: Plain):
    plain.accounts[WIDE].max_running = 2

    judge(plain, NOW, 4, ids((10, 16, 20)), by_age=True)

    with pytest.raises(Broken, match="what is taken out of turn is older"):
        judge(plain, NOW, 4, ids((10, 12, 20)), by_age=True)
    judge(plain, NOW, 4, ids((10, 11, 20)))


def test_a_claim_may_take_all_that_may_run(plain: Plain):
    judge(plain, NOW, 20, ids((*range(10, 17), 20)))


@pytest.mark.parametrize(
    ("want", "taken", "found"),
    [
        (4, (10, 11, 12), "as many as may be taken: 4, not 3"),
        (2, (10, 11, 12), "as many as may be taken: 2, not 3"),
        (2, (10, 10), "each job once"),
        (2, (10, 30), "1 jobs taken of an account with room 0"),
        (8, (10, 11, 12, 13, 14, 16, 20, 21), "2 jobs taken of an account with room 1"),
        (2, (10, 40), "only claimable jobs"),
        (4, (10, 11, 12, 15), "what is taken out of turn is older"),
        (4, (10, 11, 16, 20), "2 of 4 were taken out of their turn"),
    ],
)
def test_a_wrong_claim_is_found(plain: Plain, want: int, taken: tuple[int, ...], found: str):
    with pytest.raises(Broken, match=found):
        judge(plain, NOW, want, ids(taken))


def test_a_claim_of_what_is_claimed_or_finished_is_found(plain: Plain):
    plain.claim(UUID(int=99), UUID(int=10), UUID(int=98))
    plain.jobs[UUID(int=11)].status = "SUCCESS"

    for number in (10, 11):
        with pytest.raises(Broken, match="only claimable jobs"):
            judge(plain, NOW, 1, ids((number,)))


def add(plain: Plain, number: int, account: UUID, *, lane: int, minutes: int) -> None:
    job = Job(UUID(int=number), account, lane, NOW - timedelta(minutes=minutes), None)
    plain.jobs[job.id] = job


def ids(numbers: tuple[int, ...]) -> list[UUID]:
    return [UUID(int=number) for number in numbers]
