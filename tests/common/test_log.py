"""The log holds facts and ids, and never a secret or a local variable."""

import errno
import io
import json
import logging
import os
import warnings
from collections.abc import Generator

import pytest
import structlog

from common import log


@pytest.fixture
def stream() -> Generator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    log.begin_ids()
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_the_ids_that_are_bound(stream):
    log.configure("json", "info", stream)
    log.begin_ids(request_id="r1")

    structlog.get_logger().info("step.done", step="campaign")

    (line,) = lines(stream)
    assert line["event"] == "step.done"
    assert line["step"] == "campaign"
    assert line["request_id"] == "r1"
    assert line["level"] == "info"
    assert str(line["timestamp"]).endswith("Z")


def test_lines_below_the_level_are_left_out(stream):
    log.configure("json", "warning", stream)

    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")

    assert [line["event"] for line in lines(stream)] == ["loud"]


@pytest.mark.parametrize("format", ["json", "console"])
def test_durations_are_told_as_people_read_them(stream, format):  # noqa: A002 - the name of the setting
    log.configure(format, "info", stream)

    structlog.get_logger().info("job.waiting", seconds=1.8437291184620012, looks=3)

    assert "1.84" in stream.getvalue()
    assert "1.843" not in stream.getvalue()


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("colours", [True, False])
def test_a_terminal_gets_colours_unless_they_are_not_wanted(stream, colours):
    terminal = Terminal()
    log.configure("auto", "info", terminal, colours=colours)

    structlog.get_logger().info("step.done")

    assert "step.done" in terminal.getvalue()
    assert ("\x1b[" in terminal.getvalue()) == colours


@pytest.mark.parametrize("form", ["json", "console"])
def test_an_error_shows_where_and_never_local_variables(stream, form):
    log.configure(form, "info", stream)

    def fail() -> None:
        password = "a-local-" + "variable"
        raise ValueError(len(password))

    try:
        fail()
    except ValueError as error:
        structlog.get_logger().error("request.failed", exc_info=error)

    assert "a-local-variable" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert "in fail" in stream.getvalue() or '"fail"' in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize(
    "text",
    [
        "mj_live_0123456789abcdefSECRET",
        "EAAB0123456789SECRET",
        "Authorization: Bearer SECRET.with-dots_and~more",
        "GET /v26.0/me?access_token=SECRET&fields=id",
        "{'access_token': 'SECRET', 'x': 1}",
        '{"app_secret": "SECRET"}',
        "appsecret_proof=SECRET",
        "postgresql://mojito:SECRET@127.0.0.1/mojito",
        "postgresql://:SECRET@127.0.0.1/mojito",
        "https://someone:SECRET@proxy.example:8443/meta?fields=id",
    ],
)
def test_nothing_that_looks_like_a_secret_reaches_the_log(stream, form, text):
    log.configure(form, "info", stream)

    structlog.get_logger().info("fact", text=text, inner={"deep": [text]})
    logging.getLogger("library").warning("it said %s", text)
    structlog.get_logger().error("failed", exc_info=ValueError(text))

    assert "SECRET" not in stream.getvalue()
    assert stream.getvalue().count("***") >= 4


def test_an_address_that_holds_no_password_is_shown_as_it_is():
    for text in ("http://127.0.0.1:8000/jobs?by=a@b.example", "https://[::1]:8443/@me", "a://b:c"):
        assert log.redact(text) == text


def test_libraries_speak_into_the_same_log_and_chatty_ones_are_quiet(stream):
    log.configure("json", "debug", stream)

    logging.getLogger("httpx").info("HTTP Request: GET https://graph.example/?access_token=x")
    logging.getLogger("asyncpg").warning("something %d", 7)

    assert [(line["event"], line["logger"]) for line in lines(stream)] == [
        ("something 7", "asyncpg")
    ]


def test_warnings_are_lines_too(stream):
    log.configure("json", "info", stream)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", stacklevel=1)

    assert "old" in stream.getvalue()


def test_a_terminal_obeys_nothing_of_what_a_caller_sent(stream):
    log.configure("console", "info", stream)

    structlog.get_logger().info("request.answered", path="/\x1b[2J\x07\x9b31m", status=404)

    assert "\\x1b[2J" in stream.getvalue()
    assert not set(stream.getvalue()) & {"\x1b", "\x07", "\x9b"}


class FillingDisk(io.StringIO):
    """Takes lines while there is room."""

    has_room = False

    def write(self, text: str) -> int:
        if not self.has_room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(text)


def test_lines_that_a_full_disk_does_not_take_are_counted_and_harm_nobody(stream):
    disk = FillingDisk()
    log.configure("json", "info", disk)
    logger = structlog.get_logger()

    logger.info("step.done")
    logging.getLogger("asyncpg").warning("something")
    disk.has_room = True
    logger.info("first")
    logger.info("second")

    assert [(line["event"], line.get("lost_lines")) for line in lines(disk)] == [
        ("first", 2),
        ("second", None),
    ]
