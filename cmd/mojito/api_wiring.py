"""Settings in, the opened API out."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator

from litestar import Litestar

from common.asset_files import LocalAssetFiles
from common.keyring import FileKeyring
from common.tasks import Company
from config.settings import Settings, database_url
from middleware.limits import Rate
from models.database import Pool
from models.migrate import require_migrated
from models.notifier import Notifier
from models.sealed import require_keys_in_use
from mojito.pools import opened_pool
from mojito.telemetry import opened_sink
from mojito.wiring import guarded_client, opened_verifier
from routes.app import create_app
from routes.assets import Assets
from routes.health import ServerReadiness
from routes.job_writes import JobWrites
from routes.metrics import ApiMetrics
from routes.open_jobs import Caps
from routes.watch import Watch


@contextlib.asynccontextmanager
async def open_app(
    settings: Settings, stopping: asyncio.Event | None = None, company: Company | None = None
) -> AsyncGenerator[Litestar]:
    """The HTTP application with everything it needs open. Once `stopping`, nobody watches any more;
    `company` tells when it is not whole any more."""
    company = company or Company()
    keyring = FileKeyring(settings.keys_file)
    async with (
        opened_pool(settings, "mojito api", writes=True) as pool,
        Notifier(database_url(settings), company=company) as notifier,
        guarded_client(settings) as client,
        opened_sink(os.environ, "mojito-api") as sink,
        opened_verifier(settings, keyring) as verifier,
        opened_watch(settings, pool, stopping or asyncio.Event(), company) as watch,
        contextlib.AsyncExitStack() as opened,
    ):
        metrics = ApiMetrics(
            pool, silence_seconds=settings.worker_silence_seconds, token=settings.metrics_token
        )
        job_writes = await opened.enter_async_context(
            JobWrites(
                database_url(settings),
                lambda _, rows: metrics.flushed("requests", rows),
                metrics.took,
                company,
            )
        )
        await require_migrated(pool)
        await require_keys_in_use(pool, keyring)
        yield create_app(
            pool=pool,
            keyring=keyring,
            notifier=notifier,
            job_writes=job_writes,
            readiness=ServerReadiness(pool, settings.installation_dir),
            assets=Assets(
                files=LocalAssetFiles(settings.assets_dir),
                client=client,
                max_bytes=settings.max_upload_bytes,
            ),
            metrics=metrics,
            sink=sink,
            verifier=verifier,
            caps=Caps(
                settings.max_open_jobs_per_account or None, settings.max_open_jobs_per_team or None
            ),
            key_rate=rate("key", settings.rate_limit_key_per_second, settings.rate_limit_key_burst),
            team_rate=rate(
                "team", settings.rate_limit_team_per_second, settings.rate_limit_team_burst
            ),
            watch=watch,
            cors_origins=settings.cors_origins,
        )


@contextlib.asynccontextmanager
async def opened_watch(
    settings: Settings, pool: Pool, stopping: asyncio.Event, company: Company
) -> AsyncGenerator[Watch]:
    """The one reader for all who watch jobs."""
    most = settings.max_open_streams_per_team or None
    watch = Watch(database_url(settings), pool, stopping, most_per_team=most, company=company)
    async with watch.running():
        yield watch


def rate(name: str, per_second: float, burst: int) -> Rate | None:
    """How often may be asked; None for as often as anybody likes."""
    return Rate(name, per_second, burst) if per_second else None
