"""The checks of the model can fail: each promise, broken by hand-written SQL, is found."""

from collections.abc import Generator

import pytest

from tests.model.broken import Broken
from tests.model.plain import Run
from tests.model.real import Real
from tests.model.world import World

FREED = "update campaign_jobs set claim_token = null, worker_id = null"
CLAIM = """
update campaign_jobs
set claim_token = gen_random_uuid(), worker_id = gen_random_uuid(), status = 'PROCESSING',
    started_at = now()"""


@pytest.fixture
def world(database: str) -> Generator[World]:
    with Real(database) as real:
        yield World(real)


@pytest.fixture
def lost(world: World) -> Run:
    """A run whose job another worker has by now; the job's step was done by the other one."""
    account, worker = world.account(1), world.worker()
    world.submit(account, 2)
    world.settle()
    (lost,) = world.claim(worker, 1)
    world.silence(worker)
    world.rescue()
    world.settle()
    (present,) = world.claim(world.worker(), 1)
    world.start_step([present], "campaign")
    world.record_step(present, "campaign", "DONE")
    world.settle()
    return lost


BREAKS = {
    "a move without the fence": (
        f"{FREED}, status = 'SUCCESS', finished_at = now()",
        "was written: status: PROCESSING -> SUCCESS",
    ),
    "a write that changes nothing": (
        "update campaign_jobs set status = status",
        "was written: written_by",
    ),
    "a claim of a claimed job": (
        CLAIM,
        "was written: claim_token",
    ),
    "a done step begun again": (
        "update job_steps set status = 'RUNNING', intent_at = now()",
        "was written: status: DONE -> RUNNING",
    ),
    "an event that is lost": ("delete from job_events", "job.started is told"),
    "an event told twice": (
        """insert into job_events (campaign_job_id, kind)
           select id, 'job.started' from campaign_jobs""",
        "started once",
    ),
    "a job that disappears": ("delete from campaign_jobs", "no job disappears"),
    "an account that is given free": (
        "update ad_accounts set status = 'SUSPENDED'",
        "accounts: the model says",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_what_is_written_past_the_rules_is_found(world: World, lost: Run, name: str):
    sql, found = BREAKS[name]

    world.real.sql(sql)

    with pytest.raises(Broken, match=found):
        world.settle()


BELIEVED = {
    "a finished job that moves": (
        "alter table campaign_jobs disable trigger jobs_move_legally; "
        "update campaign_jobs set status = 'PENDING', claim_token = null, worker_id = null; "
        "alter table campaign_jobs enable trigger jobs_move_legally",
        "PROCESSING does not become PENDING",
    ),
    "an end without its moment": (
        f"{FREED}, status = 'SUCCESS'",
        "SUCCESS with its end's moment",
    ),
    "an end that nobody is told of": (
        f"{FREED}, status = 'SUCCESS', finished_at = now()",
        "job.finished is told",
    ),
}


@pytest.mark.parametrize("name", BELIEVED)
def test_a_job_that_moves_illegally_is_found_whatever_the_model_says(
    world: World, lost: Run, name: str
):
    sql, found = BELIEVED[name]
    world.plain.touched.add(lost.job)

    world.real.sql(sql)

    with pytest.raises(Broken, match=found):
        world.settle()


def test_a_claim_beyond_the_limit_of_the_account_is_found(world: World):
    jobs = world.submit(world.account(2), 2, 3)
    world.plain.touched.update(jobs)
    world.settle()
    world.plain.touched.update(jobs)

    world.real.sql(CLAIM)
    world.real.sql(
        "insert into job_events (campaign_job_id, kind) select id, 'job.started' from campaign_jobs"
    )

    with pytest.raises(Broken, match="3 jobs of an account run where 2 may"):
        world.settle()


def test_a_fence_that_lets_a_lost_run_write_is_found(world: World, lost: Run):
    world.real.sql("update campaign_jobs set claim_token = $1", lost.token)

    with pytest.raises(Broken, match="whether its move was written"):
        world.move([lost], "SUCCESS")
