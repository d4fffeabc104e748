"""Moments that rows have in common are made once: a batch of claimed jobs began at one."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import asyncpg

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""From which PostgreSQL counts microseconds."""
_MICROSECOND = timedelta(microseconds=1)
_BEFORE_ALL, _BEHIND_ALL = (end.replace(tzinfo=UTC) for end in (datetime.min, datetime.max))  # noqa: DTZ901 - made so here
_REMEMBERED = 4096


async def share_moments(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """From here on equal moments in answers on this connection are one object."""
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        encoder=_count,
        decoder=_moment,
        format="tuple",
    )


def _count(moment: datetime) -> tuple[int]:
    return ((moment - _EPOCH) // _MICROSECOND,)


@lru_cache(_REMEMBERED)
def _moment(told: tuple[int]) -> datetime:
    try:
        return _EPOCH + told[0] * _MICROSECOND
    except OverflowError:
        return _BEHIND_ALL if told[0] > 0 else _BEFORE_ALL
