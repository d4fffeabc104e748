"""The job table does what a plain model of it says, whatever callers and workers do in any order."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import JobMachine
from tests.model.real import Real

EXAMPLES = int(os.environ.get("MOJITO_MODEL_EXAMPLES", "60"))


@pytest.fixture
def real(database: str) -> Generator[Real]:
    with Real(database) as real:
        yield real


def test_the_job_table_does_what_its_model_says(real: Real):
    profile = settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate, Phase.shrink],
        stateful_step_count=40,
        derandomize=False,
        print_blob=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )

    run_state_machine_as_test(lambda: JobMachine(real), settings=profile)
