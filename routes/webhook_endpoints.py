"""/api/v1/webhook_endpoints: addresses of callers that hear of what becomes of their jobs.

Messages are signed after Standard Webhooks 1.0. An endpoint made with a test key hears of the jobs of
sandbox accounts, one made with a live key of those of live accounts.
"""

from typing import Annotated

from litestar import Response, delete, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from models import audit
from models.gen import webhook_endpoints
from models.gen.rows import Connection, WebhookEndpoint
from models.webhook import (
    NewWebhookEndpoint,
    WebhookEndpointChange,
    WebhookEndpointPage,
    WebhookEndpointView,
    WebhookEndpointWithSecret,
    endpoint_view,
    with_secret,
)
from routes.access import actor_of, object_id, reachable, require_mode
from routes.paging import begins_before, cut
from routes.parts import ApiRequest, Parts
from routes.query import Page, read_query
from routes.readable import readable
from routes.transaction import transaction
from routes.webhook_changes import add, apply, read_endpoint, rotate

_TOLD_ONCE = {"Cache-Control": "no-store"}
"""With answers that hold a secret: nothing on the way keeps them."""


class WebhookEndpointsQuery(Page, frozen=True, kw_only=True):
    """Which endpoints."""

    livemode: Annotated[bool | None, Meta(description="Live ones or sandbox ones.")] = None


@post(
    "/webhook_endpoints",
    status_code=201,
    opt={
        "scope": "jobs:write",
        "body": NewWebhookEndpoint,
        "tells": ("Location",),
        "refusals": (409, 413, 415, 422),
    },
)
async def create_webhook_endpoint(
    request: ApiRequest, parts: NamedDependency[Parts]
) -> Response[WebhookEndpointWithSecret]:
    """Adds an address that hears of events, and tells its secret this once.

    The address must be https and public; nothing is posted to it yet. Two endpoints of one team, and of the
    same `livemode`, never have the same `url`.
    """
    wanted = await read_endpoint(request, parts, NewWebhookEndpoint)
    async with transaction(parts.pool) as connection:
        row, secret = await add(connection, parts.keyring, wanted, request.auth)
        await _record(connection, request, "created", None, row)
    return Response(
        with_secret(row, secret),
        status_code=201,
        headers={"Location": f"/api/v1/webhook_endpoints/{row.id}", **_TOLD_ONCE},
    )


@readable(
    "/webhook_endpoints",
    opt={
        "scope": "jobs:read",
        "query": WebhookEndpointsQuery,
        "tells": ("Link",),
        "refusals": (400, 403),
    },
)
async def list_webhook_endpoints(
    request: ApiRequest, parts: NamedDependency[Parts]
) -> Response[WebhookEndpointPage]:
    """Lists the team's endpoints, newest first.

    A test key sees those of sandbox jobs only.
    """
    query = read_query(request, WebhookEndpointsQuery)
    mode = request.auth.mode if request.auth.mode == "sandbox" else None
    if query.livemode is not None:
        mode = "live" if query.livemode else "sandbox"
        require_mode(request.auth, mode)
    rows = await webhook_endpoints.list_webhook_endpoints(
        parts.pool,
        team_id=request.auth.team_id,
        before_id=begins_before(request, query),
        mode=mode,
        page_size=query.limit + 1,
    )
    page = cut(request, query, rows)
    views = [endpoint_view(row) for row in page.rows]
    shown = WebhookEndpointPage(views, page.next_cursor, request.auth.mode == "live")
    return Response(shown, headers=page.headers)


@readable(
    "/webhook_endpoints/{endpoint_id:str}",
    opt={"scope": "jobs:read", "refusals": (403, 404)},
)
async def get_webhook_endpoint(
    request: ApiRequest, parts: NamedDependency[Parts], endpoint_id: FromPath[str]
) -> WebhookEndpointView:
    """Shows one endpoint: what it hears of, and whether it still does."""
    return endpoint_view(await reach(parts.pool, request, endpoint_id))


@patch(
    "/webhook_endpoints/{endpoint_id:str}",
    opt={
        "scope": "jobs:write",
        "body": WebhookEndpointChange,
        "refusals": (403, 404, 409, 413, 415, 422),
    },
)
async def change_webhook_endpoint(
    request: ApiRequest, parts: NamedDependency[Parts], endpoint_id: FromPath[str]
) -> WebhookEndpointView:
    """Changes an endpoint; what is not named stays as it is.

    JSON or, with the same meaning here, a JSON Merge Patch (RFC 7396): nothing of it can be removed.
    `enabled: true` brings a disabled one back. What happened in between is not lost: replay it.
    Messages that wait for their next try are tried now at an endpoint that was brought back, or has
    another `url`.
    """
    change = await read_endpoint(request, parts, WebhookEndpointChange)
    async with transaction(parts.pool) as connection:
        before = await _lock(connection, request, endpoint_id)
        after = await apply(connection, change, before)
        await _record(connection, request, "updated", before, after)
    parts.notifier.notify()
    return endpoint_view(after)


@delete(
    "/webhook_endpoints/{endpoint_id:str}",
    opt={"scope": "jobs:write", "refusals": (403, 404)},
)
async def delete_webhook_endpoint(
    request: ApiRequest, parts: NamedDependency[Parts], endpoint_id: FromPath[str]
) -> None:
    """Removes an endpoint; what is on its way to it is not sent any more."""
    async with transaction(parts.pool) as connection:
        before = await _lock(connection, request, endpoint_id)
        await webhook_endpoints.delete_webhook_endpoint(connection, id=before.id)
        await _record(connection, request, "deleted", before, None)


@post(
    "/webhook_endpoints/{endpoint_id:str}/rotate_secret",
    status_code=200,
    opt={"scope": "jobs:write", "refusals": (403, 404, 413, 415, 422)},
)
async def rotate_webhook_secret(
    request: ApiRequest, parts: NamedDependency[Parts], endpoint_id: FromPath[str]
) -> Response[WebhookEndpointWithSecret]:
    """Makes a new secret and tells it this once.

    For 24 hours messages are signed with the secret before it, too: rotate again if the answer is lost.
    """
    async with transaction(parts.pool) as connection:
        before = await _lock(connection, request, endpoint_id)
        after, secret = await rotate(connection, parts.keyring, before)
        await _record(connection, request, "secret_rotated", before, after)
    return Response(with_secret(after, secret), headers=_TOLD_ONCE)


async def reach(connection: Connection, request: ApiRequest, endpoint_id: str) -> WebhookEndpoint:
    """The endpoint, when the key may use it. Raises NotFound or Forbidden."""
    row = await webhook_endpoints.get_webhook_endpoint(
        connection, id=object_id(endpoint_id, "webhook_endpoint"), team_id=request.auth.team_id
    )
    return reachable(row, request.auth, "webhook_endpoint")


async def _lock(connection: Connection, request: ApiRequest, endpoint_id: str) -> WebhookEndpoint:
    row = await webhook_endpoints.lock_webhook_endpoint(
        connection, id=object_id(endpoint_id, "webhook_endpoint"), team_id=request.auth.team_id
    )
    return reachable(row, request.auth, "webhook_endpoint")


async def _record(
    connection: Connection,
    request: ApiRequest,
    what: str,
    before: WebhookEndpoint | None,
    after: WebhookEndpoint | None,
) -> None:
    there = before or after
    if there is not None:
        await audit.record(
            connection,
            actor_of(request),
            f"webhook_endpoint.{what}",
            there.id,
            before=None if before is None else endpoint_view(before),
            after=None if after is None else endpoint_view(after),
        )


routes = [
    create_webhook_endpoint,
    list_webhook_endpoints,
    get_webhook_endpoint,
    change_webhook_endpoint,
    delete_webhook_endpoint,
    rotate_webhook_secret,
]
