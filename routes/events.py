"""/api/v1/events and /api/v1/campaign_jobs/{id}/events: what happens to jobs, as server-sent events."""

import contextlib
import random
from collections.abc import AsyncGenerator
from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Receive, Scope, Send
from msgspec import Meta

from common.errors import CallerError
from models.gen import campaign_jobs, job_events
from models.job import FINISHED
from routes.access import not_found, object_id, reachable
from routes.parts import ApiRequest, Parts
from routes.query import read_query
from routes.subscriptions import JobEvent, Subscription

_PING_SECONDS = 15.0
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_NUMBER_DIGITS = 18
"""Every number with so many fits into the database's."""


type EventNumber = Annotated[int, Meta(ge=0)]


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Where to begin."""

    after: Annotated[
        EventNumber | None,
        Meta(
            description="The number behind which to begin, for clients that cannot send `Last-Event-ID`, "
            "which counts where both are given; 400 for a number that no event bears yet.",
        ),
    ] = None


class EventStream(ASGIStreamingResponse):
    """Closes its source as soon as the caller is gone, wherever the answer is just then."""

    def __init__(
        self, source: AsyncGenerator[bytes], place: contextlib.AbstractContextManager[None]
    ) -> None:
        super().__init__(iterator=source, media_type="text/event-stream", headers=_HEADERS)
        self._source = source
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises TooManyRequests before anything is sent."""
        with self._place:
            await super().__call__(scope, receive, send)

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Until the source or the caller ends."""
        async with contextlib.aclosing(self._source):
            await super().send_body(send, receive)


@get(
    "/campaign_jobs/{job_id:str}/events",
    opt={
        "scope": "jobs:read",
        "query": EventsQuery,
        "headers": ("Last-Event-ID",),
        "answers": {200: JobEvent, 204: None},
        "answer_media_type": "text/event-stream",
        "refusals": (400, 403, 404),
    },
)
async def stream_job_events(
    request: ApiRequest, parts: NamedDependency[Parts], job_id: FromPath[str]
) -> ASGIResponse:
    """Streams what happens to a job, from its beginning or from behind `Last-Event-ID` or `after`.

    Server-sent events: `id` is the number of the event, `event` its type, `data` this JSON. The stream
    ends after `job.finished`; 204 says that the job has finished and everything was seen, so that
    clients stop asking. After a retry of the job open it again with the number of the last event: it
    goes on with `job.retried`. The server may end a stream at any time (it stops, the key is revoked,
    the caller reads too slowly); whoever comes back with the last number misses nothing.
    """
    row = await campaign_jobs.get_campaign_job(
        parts.pool, id=object_id(job_id, "campaign_job"), team_id=request.auth.team_id
    )
    job = reachable(row, request.auth, "campaign_job")
    after = await _last_seen(request, parts, 0)
    end = await job_events.get_end_of_job(parts.pool, campaign_job_id=job.id)
    if end is None:
        raise not_found("campaign_job")
    is_finished = end.status in FINISHED
    if is_finished and after >= end.number:
        return ASGIResponse(status_code=204, headers=_HEADERS)
    subscription = Subscription(
        request.auth.team_id,
        job.id,
        after=after,
        key_id=request.auth.key_id,
        ends_after=end.number - is_finished,
        ends_by=end.number if is_finished else None,
    )
    return _stream(parts, subscription)


@get(
    "/events",
    opt={
        "scope": "jobs:read",
        "query": EventsQuery,
        "headers": ("Last-Event-ID",),
        "answers": {200: JobEvent},
        "answer_media_type": "text/event-stream",
        "refusals": (400,),
    },
)
async def stream_events(request: ApiRequest, parts: NamedDependency[Parts]) -> ASGIResponse:
    """Streams what happens to all jobs of the team, from now on or from behind `Last-Event-ID` or `after`.

    Server-sent events as of a single job, with numbers that all streams share; it does not end by
    itself. It begins with the number behind which it goes on, so that whoever is cut off before the
    first event knows one to come back with. A test key sees jobs of sandbox accounts only.
    """
    caller = request.auth
    after = await _last_seen(request, parts)
    mode = "sandbox" if caller.mode == "sandbox" else None
    subscription = Subscription(caller.team_id, after=after, key_id=caller.key_id, mode=mode)
    return _stream(parts, subscription)


def _stream(parts: Parts, subscription: Subscription) -> EventStream:
    place = parts.watch.places.one_more("streams", subscription.team_id)
    return EventStream(_source(parts, subscription), place)


async def _source(parts: Parts, subscription: Subscription) -> AsyncGenerator[bytes]:
    """Comes to life with the first byte: who leaves before it has subscribed to nothing."""
    with parts.watch.subscribed(subscription):
        # spread, so that a thousand who lost their server do not come back at one moment; with a number,
        # so that who loses it before the first event comes back there
        pause = random.randint(1000, 3000)  # noqa: S311
        yield b"retry: %d\nid: %d\n\n" % (pause, subscription.after)
        while True:
            text = await subscription.take(_PING_SECONDS)
            if text:
                yield text
            elif subscription.is_over:
                break
            else:
                yield b": ping\n\n"
            if not subscription.is_live:
                parts.watch.want_more()


async def _last_seen(request: ApiRequest, parts: Parts, otherwise: int | None = None) -> int:
    """The number behind which to go on; where none was named the one given, or the highest there is.

    Raises CallerError (400) for a number that no event bears yet.
    """
    query = read_query(request, EventsQuery)
    lines = request.headers.getall("last-event-id", [])
    if not lines and query.after is None:
        return await parts.watch.present() if otherwise is None else otherwise
    # two lines are no number
    text, parameter = (", ".join(lines), "Last-Event-ID") if lines else (str(query.after), "after")
    highest = await job_events.get_last_event_number(parts.pool) or 0
    if text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS and int(text) <= highest:
        return int(text)
    raise CallerError(
        f"{parameter} is not the number of an event.",
        code="invalid_last_event_id",
        errors=[
            {
                "parameter": parameter,
                "code": "invalid_last_event_id",
                "message": "Send the id of the last event as it was given, or none to begin anew.",
            }
        ],
    )


routes = [stream_job_events, stream_events]
