"""One sandbox for all tests of the folder, forgetting everything between them."""

from collections.abc import Generator

import pytest

from tests.sandbox.running import Running


@pytest.fixture(scope="session")
def one_sandbox() -> Generator[Running]:
    """In memory."""
    running = Running()
    yield running
    running.stop()


@pytest.fixture
def sandbox(one_sandbox: Running) -> Running:
    """As on its first day."""
    one_sandbox.control("POST", "reset").raise_for_status()
    return one_sandbox
