"""/api/v1/webhook_endpoints/{id}/deliveries: what was sent, what was answered, and how to send it again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from common.errors import Conflict
from common.uuid7 import uuid7
from models import audit
from models.gen import webhook_deliveries
from models.gen.rows import Connection, WebhookDeliveryStatus, WebhookEndpoint
from models.gen.webhook_deliveries import ListWebhookDeliveriesRow
from models.jsonb import to_jsonb
from models.webhook import (
    WebhookDeliveryPage,
    WebhookDeliveryView,
    WebhookReplay,
    WebhookReplayView,
    delivery_view,
    endpoint_view,
)
from routes.access import actor_of, not_found, object_id
from routes.body import read_body
from routes.paging import MOST_LOOKED_AT, begins_before, cut
from routes.parts import ApiRequest, Parts
from routes.query import Page, read_query
from routes.readable import readable
from routes.replays import in_utc, replay, require_order
from routes.transaction import snapshot, transaction
from routes.webhook_endpoints import reach

_BYTES_OF_A_STEP = 250


class WebhookDeliveriesQuery(Page, frozen=True, kw_only=True):
    """Which deliveries."""

    status: Annotated[WebhookDeliveryStatus | None, Meta(description="In this status.")] = None


@readable(
    "/webhook_endpoints/{endpoint_id:str}/deliveries",
    opt={
        "scope": "jobs:read",
        "query": WebhookDeliveriesQuery,
        "tells": ("Link",),
        "refusals": (400, 403, 404),
    },
)
async def list_webhook_deliveries(
    request: ApiRequest, parts: NamedDependency[Parts], endpoint_id: FromPath[str]
) -> Response[WebhookDeliveryPage]:
    """Lists what was sent to an endpoint, newest first, with every try.

    They are kept for 30 days after their end, unless the installation says otherwise. A page of large
    messages holds fewer of them than its limit allows. So does one for which 10,000 deliveries were
    looked at and few of them, or none, are in the status that was asked for. `next_cursor` leads on.
    """
    query = read_query(request, WebhookDeliveriesQuery)
    async with snapshot(parts.pool) as connection:
        endpoint = await reach(connection, request, endpoint_id)
        before_id = begins_before(request, query)
        last_id = await _last_to_look_at(connection, endpoint, query, before_id)
        rows = await webhook_deliveries.list_webhook_deliveries(
            connection,
            webhook_endpoint_id=endpoint.id,
            before_id=before_id,
            from_id=last_id,
            status=query.status,
            page_size=query.limit + 1,
        )
        page = cut(request, query, rows, _weight, last_looked_at=last_id)
        views = await _views(connection, endpoint, page.rows)
    shown = WebhookDeliveryPage(views, page.next_cursor, request.auth.mode == "live")
    return Response(shown, headers=page.headers)


@readable(
    "/webhook_endpoints/{endpoint_id:str}/deliveries/{delivery_id:str}",
    opt={"scope": "jobs:read", "refusals": (403, 404)},
)
async def get_webhook_delivery(
    request: ApiRequest,
    parts: NamedDependency[Parts],
    endpoint_id: FromPath[str],
    delivery_id: FromPath[str],
) -> WebhookDeliveryView:
    """Shows one delivery with every try."""
    async with snapshot(parts.pool) as connection:
        endpoint = await reach(connection, request, endpoint_id)
        return await _view(connection, endpoint, object_id(delivery_id, "webhook_delivery"))


@post(
    "/webhook_endpoints/{endpoint_id:str}/deliveries/{delivery_id:str}/resend",
    status_code=202,
    opt={"scope": "jobs:write", "refusals": (403, 404, 409, 413, 415, 422)},
)
async def resend_webhook_delivery(
    request: ApiRequest,
    parts: NamedDependency[Parts],
    endpoint_id: FromPath[str],
    delivery_id: FromPath[str],
) -> WebhookDeliveryView:
    """Sends a message again: the same id, the same bytes, the whole schedule of tries.

    One that waits for its next try is tried now.
    """
    async with transaction(parts.pool) as connection:
        endpoint = await _listening(connection, request, endpoint_id)
        wanted = object_id(delivery_id, "webhook_delivery")
        found = await _view(connection, endpoint, wanted)
        if found.status == "PENDING":
            await webhook_deliveries.hurry_webhook_delivery(connection, id=wanted)
        else:
            await webhook_deliveries.requeue_webhook_deliveries(connection, ids=[wanted])
        view = await _view(connection, endpoint, wanted)
        await _record(connection, request, "resent", endpoint)
    parts.notifier.notify()
    return view


@post(
    "/webhook_endpoints/{endpoint_id:str}/replay",
    status_code=202,
    opt={
        "scope": "jobs:write",
        "body": WebhookReplay,
        "refusals": (403, 404, 409, 413, 415, 422),
    },
)
async def replay_webhooks(
    request: ApiRequest, parts: NamedDependency[Parts], endpoint_id: FromPath[str]
) -> Response[WebhookReplayView]:
    """Sends everything that happened between two moments.

    What was sent before goes out again with its id and its bytes; what the endpoint never heard of,
    because it was disabled then or younger, goes out for the first time. What is under way is left alone.
    At most 5000 messages, out of at most 200000 events of the team in that time; more is refused.
    """
    wanted = await read_body(request, WebhookReplay)
    require_order(wanted)
    since, until = wanted.since, wanted.until or datetime.now(UTC)
    async with transaction(parts.pool) as connection:
        endpoint = await _listening(connection, request, endpoint_id)
        queued = await replay(connection, endpoint, in_utc(since), in_utc(until))
        await _record(connection, request, "replayed", endpoint)
    parts.notifier.notify()
    return Response(WebhookReplayView(queued, endpoint.mode == "live"), status_code=202)


@post(
    "/webhook_endpoints/{endpoint_id:str}/ping",
    status_code=202,
    opt={"scope": "jobs:write", "refusals": (403, 404, 409, 413, 415, 422)},
)
async def ping_webhook_endpoint(
    request: ApiRequest, parts: NamedDependency[Parts], endpoint_id: FromPath[str]
) -> WebhookDeliveryView:
    """Sends a `webhook.ping`, signed like everything else, whatever events were chosen."""
    async with transaction(parts.pool) as connection:
        endpoint = await _listening(connection, request, endpoint_id)
        delivery_id = uuid7()
        await webhook_deliveries.create_webhook_delivery(
            connection,
            id=delivery_id,
            webhook_endpoint_id=endpoint.id,
            type="webhook.ping",
            facts=to_jsonb({"webhook_endpoint_id": endpoint.id}),
            job_id=uuid7(),
        )
        await webhook_deliveries.queue_webhook_deliveries(connection, ids=[delivery_id])
        view = await _view(connection, endpoint, delivery_id)
        await _record(connection, request, "pinged", endpoint)
    parts.notifier.notify()
    return view


async def _last_to_look_at(
    connection: Connection,
    endpoint: WebhookEndpoint,
    query: WebhookDeliveriesQuery,
    before_id: UUID | None,
) -> UUID | None:
    """None: all of them, because every one is shown or there are not so many."""
    if query.status is None:
        return None
    return await webhook_deliveries.get_last_delivery_to_look_at(
        connection,
        webhook_endpoint_id=endpoint.id,
        before_id=before_id,
        before_it=MOST_LOOKED_AT - 1,
    )


def _weight(row: ListWebhookDeliveriesRow) -> int:
    """In steps of jobs, which make messages large."""
    return row.body_bytes // _BYTES_OF_A_STEP


async def _listening(
    connection: Connection, request: ApiRequest, endpoint_id: str
) -> WebhookEndpoint:
    endpoint = await reach(connection, request, endpoint_id)
    if endpoint.disabled_at is not None:
        raise Conflict(
            "The endpoint is disabled; enable it first.", code="webhook_endpoint_disabled"
        )
    return endpoint


async def _view(
    connection: Connection, endpoint: WebhookEndpoint, delivery_id: UUID
) -> WebhookDeliveryView:
    rows = await webhook_deliveries.list_webhook_deliveries(
        connection, webhook_endpoint_id=endpoint.id, id=delivery_id, page_size=1
    )
    if not rows:
        raise not_found("webhook_delivery")
    return (await _views(connection, endpoint, rows))[0]


async def _views(
    connection: Connection, endpoint: WebhookEndpoint, rows: Sequence[ListWebhookDeliveriesRow]
) -> list[WebhookDeliveryView]:
    ids = [row.id for row in rows]
    tries = await webhook_deliveries.list_webhook_tries(connection, webhook_delivery_ids=ids)
    found = await webhook_deliveries.list_webhook_bodies(connection, ids=ids)
    bodies = {one.id: one.body for one in found}
    return [
        delivery_view(
            row,
            bodies.get(row.id),
            [one for one in tries if one.webhook_delivery_id == row.id],
            livemode=endpoint.mode == "live",
        )
        for row in rows
    ]


async def _record(
    connection: Connection, request: ApiRequest, what: str, endpoint: WebhookEndpoint
) -> None:
    view = endpoint_view(endpoint)
    action = f"webhook_endpoint.{what}"
    await audit.record(connection, actor_of(request), action, endpoint.id, before=view, after=view)


routes = [
    list_webhook_deliveries,
    get_webhook_delivery,
    resend_webhook_delivery,
    replay_webhooks,
    ping_webhook_endpoint,
]
