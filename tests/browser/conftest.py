"""An installation, and a browser that looks at it."""

from collections.abc import AsyncGenerator, Generator

import pytest

from tests.browser.browser import Browser, started
from tests.mojito.test_up import Up, started_up


@pytest.fixture(scope="module")
def installation() -> Generator[Up]:
    with started_up("browser") as up:
        yield up


@pytest.fixture(scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Browser]:
    async with started(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser
