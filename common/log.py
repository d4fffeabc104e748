"""Sets up the log once: JSON lines or a readable terminal, ids bound, no local variables, no secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from functools import partial
from typing import Any, Literal, TextIO, cast

import msgspec
import structlog
from structlog.typing import Processor

from common.log_stream import EnduringStream
from common.terminal import printable

type LogFormat = Literal["json", "console", "auto"]

_ids: ContextVar[dict[str, object] | None] = ContextVar("ids of log lines", default=None)
_QUIET = ("httpx", "httpcore", "uvicorn.access", "hpack", "urllib3", "asyncio")
_ONLY_BROKEN = ("asyncpg.pool",)
"""Tells with a long traceback each time what our own lines about the database say in a word."""
_SECRETS = (
    (re.compile(r"\bmj_(live|test)_[0-9A-Za-z]{8,}"), r"mj_\1_***"),
    (re.compile(r"\bEAA[0-9A-Za-z]{8,}"), "EAA***"),
    (re.compile(r"\b(Bearer|Basic|OAuth)\s+[^\s\"',;]+", re.IGNORECASE), r"\1 ***"),
    (
        re.compile(
            r"((?:access_token|app_secret|appsecret_proof|client_secret|refresh_token|password)"
            r"(?:\\?[\"'])?\s*[=:]\s*(?:\\?[\"'])?)[^&\s\"'\\,}]+",
            re.IGNORECASE,
        ),
        r"\1***",
    ),
    (re.compile(r"(postgres(?:ql)?://[^\s:/@]+:)[^\s@]+@"), r"\1***@"),
    (re.compile(r"(://[^\s:/?#@\"']*:)[^\s/?#@\"']+@"), r"\1***@"),
)
_MARKERS = (
    "mj_",
    "eaa",
    "bearer",
    "basic",
    "oauth",
    "token",
    "secret",
    "proof",
    "password",
    "postgres",
    "://",
)
"""A text with none of these holds nothing that the patterns would find; most lines have none."""


def configure(
    format: LogFormat = "auto",  # noqa: A002 - the name of the setting
    level: str = "info",
    stream: TextIO | None = None,
    *,
    colours: bool = True,
) -> None:
    """From here on everything that is logged, also by libraries, goes to `stream` (standard error).

    `colours` are for terminals, and for people who want them.
    """
    target = stream or sys.stderr
    enduring = EnduringStream(target)
    readable = format == "console" or (format == "auto" and target.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            merge_ids,
            partial(_tell_lost_lines, enduring),
            _round_durations,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(_readable(colours=colours and target.isatty()) if readable else _json()),
            _redact_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", enduring)),
        # with a stream of its own it may be set up again, as tests do
        cache_logger_on_first_use=stream is None,
    )
    logging.basicConfig(handlers=[_Forward()], level=number, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in _ONLY_BROKEN:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)


def begin_ids(**ids: object) -> None:
    """Every line of this task, and of the tasks that it starts, carries these ids and no earlier ones."""
    _ids.set(ids)


def add_ids(**ids: object) -> None:
    """These ids, too."""
    _ids.set({**(_ids.get() or {}), **ids})


def merge_ids(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What a line carries of the ids, as a step of rendering it."""
    for name, value in (_ids.get() or {}).items():
        event.setdefault(name, str(value))
    return event


def redact(text: str) -> str:
    """The text without anything that looks like a secret.

    >>> redact("GET /me?access_token=abc&x=1 Authorization: Bearer xyz")
    'GET /me?access_token=***&x=1 Authorization: Bearer ***'
    """
    lowered = text.lower()
    if any(marker in lowered for marker in _MARKERS):
        for pattern, replacement in _SECRETS:
            text = pattern.sub(replacement, text)
    return text


def _tell_lost_lines(
    stream: EnduringStream, _: Any, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    if stream.lost_lines:
        event["lost_lines"] = stream.lost_lines
    return event


def _round_durations(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """All fractions that are logged are measured or drawn by lot: more decimals tell nobody anything."""
    for name, value in event.items():
        if isinstance(value, float):
            event[name] = round(value, 2)
    return event


class _Forward(logging.Handler):
    """Hands what libraries log to the one log."""

    def emit(self, record: logging.LogRecord) -> None:
        level = max(logging.DEBUG, min(record.levelno // 10 * 10, logging.CRITICAL))
        event, failure = record.getMessage(), record.exc_info or None
        structlog.get_logger().log(level, event, logger=record.name, exc_info=failure)


def _json() -> list[Processor]:
    renderer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [
        structlog.processors.ExceptionRenderer(renderer),
        structlog.processors.JSONRenderer(serializer=_encode),
    ]


def _readable(*, colours: bool) -> list[Processor]:
    return [
        _without_commands,
        structlog.dev.ConsoleRenderer(
            colors=colours, exception_formatter=structlog.dev.plain_traceback
        ),
    ]


def _without_commands(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {
        key: printable(value) if isinstance(value, str) else value for key, value in event.items()
    }


def _encode(line: Any, **_: Any) -> str:
    return msgspec.json.encode(line, enc_hook=repr).decode()


def _redact_line(_: Any, __: str, line: Any) -> Any:
    """Comes last, on the finished line, so that nothing can be added behind it."""
    return redact(line) if isinstance(line, str) else _redact_event(line)


def _redact_event(event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}
