"""Settings in, opened parts out: the only place that constructs things."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from uuid import uuid4

from litestar import Litestar

from common.asset_files import LocalAssetFiles
from common.guarded_http import GuardedClient
from common.keyring import Keyring
from config.settings import Settings, database_url
from models.database import Pool
from models.notifier import Notifier
from mojito.pools import opened_pool
from routes.app import create_app, require_keys_in_use
from routes.assets import Assets
from routes.health import ServerReadiness
from routes.job_writes import JobWrites
from routes.watch import Watch
from workers.build_campaign import BuildCampaign
from workers.ledger import Pace
from workers.media_source import MediaSource
from workers.platforms import PLATFORMS
from workers.platforms.base import Platform
from workers.runner import Worker, WorkerSettings


@contextlib.asynccontextmanager
async def open_app(
    settings: Settings, stopping: asyncio.Event | None = None
) -> AsyncGenerator[Litestar]:
    """The HTTP application with everything it needs open. Once `stopping`, nobody watches any more."""
    keyring = Keyring.from_file(settings.keys_file)
    async with (
        opened_pool(settings, "mojito api") as pool,
        Notifier(database_url(settings)) as notifier,
        JobWrites(database_url(settings)) as job_writes,
        guarded_client(settings) as client,
        opened_watch(settings, pool, stopping or asyncio.Event()) as watch,
    ):
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
            watch=watch,
        )


@contextlib.asynccontextmanager
async def open_worker(settings: Settings) -> AsyncGenerator[Worker]:
    """A worker with everything it needs open; it does not run yet."""
    keyring = Keyring.from_file(settings.keys_file)
    async with (
        opened_pool(settings, "mojito worker") as pool,
        guarded_client(settings) as client,
        opened_platforms(settings) as platforms,
    ):
        await require_keys_in_use(pool, keyring)
        media = MediaSource(pool, LocalAssetFiles(settings.assets_dir), client)
        live, sandbox = paces(settings)
        build = BuildCampaign(platforms, media, keyring.open, live=live, sandbox=sandbox)
        yield Worker(
            database_url(settings),
            pool,
            settings.worker_id or uuid4(),
            {"BUILD_CAMPAIGN": build},
            WorkerSettings(
                concurrency=settings.worker_concurrency,
                poll_seconds=settings.poll_seconds,
                silence_seconds=settings.worker_silence_seconds,
                trust_seconds=settings.worker_trust_seconds,
                grace_seconds=settings.grace_seconds,
            ),
        )


@contextlib.asynccontextmanager
async def opened_watch(
    settings: Settings, pool: Pool, stopping: asyncio.Event
) -> AsyncGenerator[Watch]:
    """The one reader for all who watch jobs."""
    watch = Watch(database_url(settings), pool, stopping)
    async with watch.running():
        yield watch


@contextlib.asynccontextmanager
async def guarded_client(settings: Settings) -> AsyncGenerator[GuardedClient]:
    """The client for addresses that callers gave us."""
    async with GuardedClient(allowed_private_targets=settings.allowed_private_targets) as client:
        yield client


@contextlib.asynccontextmanager
async def opened_platforms(settings: Settings) -> AsyncGenerator[dict[str, Platform]]:
    """Every platform that is built for, by its type."""
    platforms: dict[str, Platform] = {
        "META": PLATFORMS["META"](
            live_base_url=settings.meta_base_url,
            live_video_base_url=settings.meta_video_base_url,
            sandbox_base_url=f"{settings.sandbox_address}/meta",
            api_version=settings.meta_api_version,
        )
    }
    try:
        yield platforms
    finally:
        for platform in platforms.values():
            await platform.close()


def paces(settings: Settings) -> tuple[Pace, Pace]:
    """How long things may take for live and for sandbox accounts."""
    live = Pace(settings.call_deadline_seconds, settings.list_lag_seconds)
    sandbox = Pace(
        settings.sandbox_call_deadline_seconds,
        settings.sandbox_list_lag_seconds,
        settings.sandbox_wait_seconds,
    )
    return live, sandbox
