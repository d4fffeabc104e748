"""Webhooks sent again for a stretch of time: bounded before anything is written, however long it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from common.errors import Invalid
from common.uuid7 import key_at
from models.gen import job_events, webhook_deliveries
from models.gen.rows import Connection, WebhookEndpoint
from models.webhook import EVENT_TYPES, WebhookReplay

MOST_REPLAYED = 5000
MOST_EVENTS_READ = 200_000
"""Of the team, in that stretch, whatever the endpoint wants to hear of."""
_MARGIN = timedelta(minutes=1)
"""Numbers follow time but for long transactions that write events; so do keys but for clocks that differ."""


async def replay(
    connection: Connection, endpoint: WebhookEndpoint, since: datetime, until: datetime
) -> int:
    """Queues what happened between these moments; how many messages. Raises Invalid for too many."""
    team_id = endpoint.team_id
    first = await _number(connection, team_id, lambda at: at + _MARGIN >= since)
    last = await _number(connection, team_id, lambda at: at - _MARGIN >= until)
    known = await webhook_deliveries.list_webhook_deliveries_between(
        connection,
        webhook_endpoint_id=endpoint.id,
        first_event_id=first,
        below_event_id=await _next_number(connection, team_id, last),
        from_id=key_at(since.timestamp() - _MARGIN.total_seconds()),
        before_id=key_at(until.timestamp() + _MARGIN.total_seconds()),
        since=since,
        until=until,
        most=MOST_REPLAYED + 1,
    )
    _require(len(known) <= MOST_REPLAYED, f"More than {MOST_REPLAYED} messages")
    missed = await _create_missed(connection, endpoint, since, until, (first, last))
    _require(len(missed) <= MOST_REPLAYED, f"More than {MOST_REPLAYED} messages")
    again = await webhook_deliveries.requeue_webhook_deliveries(connection, ids=known)
    _require(len(again) + len(missed) <= MOST_REPLAYED, f"More than {MOST_REPLAYED} messages")
    await webhook_deliveries.queue_webhook_deliveries(connection, ids=missed)
    return len(again) + len(missed)


def require_order(wanted: WebhookReplay) -> None:
    """Raises Invalid for a time that ends before it begins."""
    if wanted.until is not None and wanted.until < wanted.since:
        raise Invalid(
            "The time ends before it begins.",
            code="invalid_request",
            errors=[
                {
                    "pointer": "/until",
                    "code": "until_before_since",
                    "message": "Name a moment that is not before `since`.",
                }
            ],
        )


def in_utc(moment: datetime) -> datetime:
    """As the database takes it, also where UTC has no date for it."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return (
            datetime.min.replace(tzinfo=UTC)
            if moment.year < 2000
            else datetime.max.replace(tzinfo=UTC)
        )


async def _create_missed(
    connection: Connection,
    endpoint: WebhookEndpoint,
    since: datetime,
    until: datetime,
    numbers: tuple[int, int],
) -> list[UUID]:
    team_id = endpoint.team_id
    first, last = numbers
    events = await job_events.count_events_of_team_up_to(
        connection,
        team_id=team_id,
        first_id=first,
        last_id=last,
        since=since,
        until=until,
        most=MOST_EVENTS_READ + 1,
    )
    _require((events or 0) <= MOST_EVENTS_READ, f"More than {MOST_EVENTS_READ} events of jobs")
    return await webhook_deliveries.create_missed_webhooks(
        connection,
        webhook_endpoint_id=endpoint.id,
        team_id=team_id,
        mode=endpoint.mode,
        events=endpoint.events,
        kinds=EVENT_TYPES,
        first_id=first,
        last_id=last,
        since=since,
        until=until,
        most=MOST_REPLAYED + 1,
    )


async def _number(
    connection: Connection, team_id: UUID, is_reached: Callable[[datetime], bool]
) -> int:
    """The lowest number of an event of the team from which on it is so, found by halving."""
    low, high = 0, (await job_events.get_last_event_number(connection) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        event = await job_events.get_event_of_team_from(connection, team_id=team_id, number=middle)
        if event is None or is_reached(event.created_at):
            high = middle
        else:
            low = event.id + 1
    return low


async def _next_number(connection: Connection, team_id: UUID, number: int) -> int:
    """Of the first event from there on: what bore the numbers before it may be deleted, not its messages."""
    event = await job_events.get_event_of_team_from(connection, team_id=team_id, number=number)
    if event is not None:
        return event.id
    return (await job_events.get_last_event_number(connection) or 0) + 1


def _require(is_so: bool, refusal: str) -> None:
    if not is_so:
        raise Invalid(
            f"{refusal}; choose a shorter time.",
            code="too_many_webhooks",
            errors=[{"pointer": "/since", "code": "too_many_webhooks", "message": "Begin later."}],
        )
