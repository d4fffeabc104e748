"""Days and moments as people write and read them at the command line."""

from datetime import UTC, datetime

from common.errors import Invalid


def moment(text: str | None) -> datetime | None:
    """A day or a moment; without an offset it is UTC. Raises Invalid."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{text!r} is no day and no moment, like 2026-11-01 or 2026-11-01T12:00:00Z"
        ) from None


def shown_moment(found: datetime) -> str:
    """To the second, as `moment` takes it.

    >>> shown_moment(datetime(2026, 11, 20, 12, 0, 2, 951842, UTC))
    '2026-11-20T12:00:02Z'
    """
    return f"{found.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
