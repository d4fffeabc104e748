"""A machine that has no room for a process at the moment: what died is started later, the rest goes on."""

import errno
import io
from types import SimpleNamespace

import pytest

from config.settings import Settings
from mojito.children import Child
from mojito.installation import Installation
from mojito.up import Up

TOO_LONG = "x" * 200_000
"""No system takes such an argument."""


class FullOutput(io.StringIO):
    """As a file on a disk without room."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, text)


@pytest.fixture
def up(tmp_path):
    return Up(Settings(data_dir=tmp_path), Installation(tmp_path), 1)


async def test_an_output_that_takes_nothing_stops_no_installation(up, monkeypatch):
    child = Child("helper", ["--help"], dict)
    child.start()
    assert await child.ended(60)
    monkeypatch.setattr("sys.stdout", FullOutput())

    is_started = await up._revive(child)

    assert is_started
    assert await child.ended(60)


async def test_who_cannot_be_started_again_is_tried_again(up, capsys, monkeypatch):
    child = Child("helper", ["--help"], dict)
    child.start()
    assert await child.ended(60)
    child._arguments = [TOO_LONG]
    # no time passes from here on, however busy the machine is: the pause is not over
    moment = child._started_at + 1
    monkeypatch.setattr("mojito.children.time", SimpleNamespace(monotonic=lambda: moment))

    failed = await up._revive(child)
    told = capsys.readouterr().out
    once_more = await up._revive(child)
    at_once = child.may_restart

    assert (failed, once_more, at_once) == (False, False, False)
    assert "helper died: exit code 0; it cannot be started yet (Argument list too long)" in told
