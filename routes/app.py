"""Every route, what stands around them, and the parts that they work with."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cache
from typing import Any

import msgspec
from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler

from common.keyring import Keyring
from common.tracing import Sink
from middleware.auth import RequireAuth, require_scope
from middleware.cross_origin import Preflights, cross_origin
from middleware.limits import Rate, RateLimits
from middleware.one_host import OneHost
from middleware.patience import Patience
from middleware.problems import EXCEPTION_HANDLERS
from middleware.request_id import RequestIds
from models.account_verification import AccountVerifier
from models.database import Pool
from models.notifier import Notifier
from routes import (
    account_lists,
    ad_accounts,
    ads_meta,
    campaign_jobs,
    events,
    health,
    job_lists,
    me,
    openapi,
    pages,
    verify_accounts,
    webhook_deliveries,
    webhook_endpoints,
)
from routes import assets as asset_routes
from routes import metrics as metric_routes
from routes.assets import Assets
from routes.body import refuse_body
from routes.health import Readiness
from routes.job_writes import JobWrites
from routes.metrics import ApiMetrics
from routes.open_jobs import Caps
from routes.parts import Parts
from routes.query import refuse_parameters
from routes.readable import readable
from routes.shortcut import Shortcut
from routes.watch import Watch

LONGEST_BODY = 1024 * 1024
"""Bytes of a JSON body; routes that take files have limits of their own."""


def create_app(
    *,
    pool: Pool,
    keyring: Keyring,
    notifier: Notifier,
    job_writes: JobWrites,
    readiness: Readiness,
    assets: Assets,
    verifier: AccountVerifier,
    watch: Watch,
    metrics: ApiMetrics | None = None,
    sink: Sink | None = None,
    key_rate: Rate | None = None,
    team_rate: Rate | None = None,
    caps: Caps | None = None,
    cors_origins: Sequence[str] = (),
) -> Litestar:
    """The HTTP application. It opens and closes nothing: every part is open before and after it.

    `pool` from models.database.open_pool; `keyring` from Keyring.from_file, after
    `require_keys_in_use`; `notifier` an entered Notifier; `job_writes` entered JobWrites; `readiness` a
    ServerReadiness, with the data folder where `mojito up` runs the parts; `assets` a
    routes.assets.Assets; `verifier` an AccountVerifier over the platforms' adapters; `watch` a Watch
    that runs; `metrics` what `/metrics` shows, made here where nobody else needs it; `sink` hears of
    every span; `key_rate` and `team_rate` how often each may ask, None: as often as it likes; `caps`
    how many jobs may be open; `cors_origins` the origins whose pages a browser lets ask.
    """
    measured = metrics or ApiMetrics(pool)
    rates = RateLimits(pool, key=key_rate, team=team_rate)
    parts = Parts(
        pool=pool,
        keyring=keyring,
        notifier=notifier,
        job_writes=job_writes,
        assets=assets,
        verifier=verifier,
        caps=caps or Caps(),
        watch=watch,
        rates=rates,
    )
    guarded = [
        *ad_accounts.routes,
        *account_lists.routes,
        *verify_accounts.routes,
        *ads_meta.routes,
        *job_lists.routes,
        *campaign_jobs.routes,
        *events.routes,
        *asset_routes.routes,
        *webhook_endpoints.routes,
        *webhook_deliveries.routes,
        *me.routes,
    ]
    cross = cross_origin(cors_origins)
    unguarded = [*health.routes, *pages.routes, *metric_routes.routes]
    admit = _admission(RequireAuth(pool), rates)
    app = Litestar(
        [
            Router("/api/v1", route_handlers=guarded),
            *unguarded,
            _openapi_route(guarded, unguarded),
        ],
        before_request=admit,
        dependencies={
            "parts": Provide(lambda: parts, sync_to_thread=False),
            "metrics": Provide(lambda: measured, sync_to_thread=False),
            "readiness": Provide(lambda: readiness, sync_to_thread=False),
        },
        middleware=[Patience],
        exception_handlers=EXCEPTION_HANDLERS,
        cors_config=cross,
        request_max_body_size=LONGEST_BODY,
        openapi_config=None,
        logging_config=None,
    )
    short = Shortcut(app, admit, parts)
    inner = short if cross is None else Preflights(short, cross)
    app.asgi_handler = RequestIds(OneHost(inner), measured.answered, sink)
    return app


def _admission(
    require_auth: RequireAuth, rate_limits: RateLimits
) -> Callable[[Request[Any, Any, Any]], Awaitable[None]]:
    """What every request passes before its handler."""

    async def admit(request: Request[Any, Any, Any]) -> None:
        await require_auth(request)
        await rate_limits(request)
        require_scope(request)
        refuse_parameters(request)
        await refuse_body(request)

    return admit


def _openapi_route(
    guarded: Sequence[HTTPRouteHandler], unguarded: Sequence[HTTPRouteHandler]
) -> HTTPRouteHandler:
    document = _document(tuple(guarded), tuple(unguarded))

    @readable("/api/v1/openapi.json", opt={"open": True, "hidden": True}, sync_to_thread=False)
    def openapi_document() -> Response[bytes]:
        """The description of the API for programs."""
        return Response(document, media_type="application/json")

    return openapi_document


@cache
def _document(
    guarded: tuple[HTTPRouteHandler, ...], unguarded: tuple[HTTPRouteHandler, ...]
) -> bytes:
    """Made from the handlers alone, so that every application of a process has the same one."""
    return msgspec.json.encode(openapi.build(guarded, unguarded))
