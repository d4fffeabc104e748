"""The job table does what a plain model of it says, whatever callers and workers do in any order.

The acts are the same in every run. A longer search, with other acts each time, to be run by itself:
`MOJITO_MODEL_EXAMPLES=2000 .venv/bin/pytest tests/model`. What is found is printed as the shortest list of
acts, with a line that repeats it.
"""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import JobMachine
from tests.model.real import Real
from tests.model.world import World

LONGER = os.environ.get("MOJITO_MODEL_EXAMPLES")
EXAMPLES = int(LONGER or "60")


@pytest.fixture
def real(database: str) -> Generator[Real]:
    with Real(database) as real:
        yield real


def test_the_job_table_does_what_its_model_says(real: Real):
    profile = settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate, Phase.shrink],
        stateful_step_count=40,
        derandomize=LONGER is None,
        print_blob=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )

    run_state_machine_as_test(lambda: JobMachine(real), settings=profile)


@pytest.mark.parametrize("want", [1, 2, 4, 8])
def test_a_queue_of_all_lanes_is_taken_in_the_order_that_its_model_says(real: Real, want: int):
    world = World(real)
    accounts = [world.account(4), world.account(3), world.account(1)]
    for lane in (3, 2, 1):
        for account in accounts:
            world.submit(account, lane, 3)
    world.settle()
    worker = world.worker()

    while runs := world.claim(worker, want):
        world.settle()
        world.move(runs, "SUCCESS")
        world.settle()

    assert {job.status for job in world.plain.jobs.values()} == {"SUCCESS"}
