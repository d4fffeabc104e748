"""An installation, and a browser that looks at it."""

import shutil
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from tests.browser.browser import Browser, started
from tests.mojito.test_up import Up


@pytest.fixture(scope="session")
def installation() -> Generator[Up]:
    folder = Path(tempfile.mkdtemp(prefix="mojito-browser-"))
    folder.chmod(0o755)  # as root PostgreSQL runs as somebody else
    up = Up(folder)
    up.start()
    yield up
    assert up.stop() == 0, up.said()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Browser]:
    async with started(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser
