"""Settings in, opened parts out: the worker, and what the API has too. Nothing here needs the API."""

import contextlib
import os
from collections.abc import AsyncGenerator
from uuid import uuid4

from common.asset_files import LocalAssetFiles
from common.guarded_http import GuardedClient
from common.keyring import FileKeyring, Keyring
from common.tasks import Company
from config.settings import Settings, database_url
from models.account_verification import AccountVerifier
from models.identity import Home
from models.migrate import require_migrated
from models.sealed import require_keys_in_use
from models.verification import Checker
from mojito.metrics_port import served_metrics
from mojito.pools import opened_pool
from mojito.retention import ages
from mojito.telemetry import opened_sink
from workers.build_campaign import BuildCampaign
from workers.credential_reads import CredentialReads
from workers.deliver_webhook import DeliverWebhook
from workers.effects import Pace
from workers.least_budgets import LeastBudgets
from workers.media_source import MediaSource
from workers.metrics import WorkerMetrics
from workers.platforms import PLATFORMS
from workers.platforms.base import Called, Platform, unmeasured
from workers.retention import keep_house
from workers.runner import Worker
from workers.worker_settings import WorkerSettings

OUTAGE_SECONDS = 3600.0
"""How long steps of live accounts bear with a platform that is down; of sandboxes no time at all."""


@contextlib.asynccontextmanager
async def open_worker(settings: Settings) -> AsyncGenerator[Worker]:
    """A worker with everything it needs open; it does not run yet."""
    keyring = FileKeyring(settings.keys_file)
    metrics = WorkerMetrics()
    home, company = Home(), Company()
    async with (
        served_metrics(metrics, settings.host, settings.worker_metrics_port),
        opened_pool(settings, "mojito worker", writes=True, home=home) as pool,
        guarded_client(settings) as client,
        opened_platforms(settings, metrics.called) as platforms,
        opened_sink(os.environ, "mojito-worker") as sink,
    ):
        metrics.watch_pool(pool)
        await require_migrated(pool)
        await home.settle(pool)
        await require_keys_in_use(pool, keyring)
        media = MediaSource(pool, LocalAssetFiles(settings.assets_dir), client)
        live, sandbox = paces(settings)
        worker_id = settings.worker_id or uuid4()
        reads = CredentialReads(pool, worker_id, keyring.open, company=company)
        build = BuildCampaign(
            platforms,
            media,
            reads.open,
            least_budgets=LeastBudgets(pool),
            live=live,
            sandbox=sandbox,
            metrics=metrics,
            sink=sink,
        )
        deliver = DeliverWebhook(
            pool,
            client,
            keyring.open,
            most_at_once=-(-settings.worker_concurrency // 2),
            answer_seconds=settings.webhook_answer_seconds,
            sink=sink,
        )
        worker = Worker(
            database_url(settings),
            pool,
            worker_id,
            {"BUILD_CAMPAIGN": build, "DELIVER_WEBHOOK": deliver},
            WorkerSettings(
                concurrency=settings.worker_concurrency,
                poll_seconds=settings.poll_seconds,
                silence_seconds=settings.worker_silence_seconds,
                trust_seconds=settings.worker_trust_seconds,
                grace_seconds=settings.grace_seconds,
            ),
            metrics,
            home,
            company,
        )
        async with reads.running(), company.beside(keep_house(pool, ages(settings))):
            yield worker


@contextlib.asynccontextmanager
async def guarded_client(settings: Settings) -> AsyncGenerator[GuardedClient]:
    """The client for addresses that callers gave us."""
    async with GuardedClient(allowed_private_targets=settings.allowed_private_targets) as client:
        yield client


@contextlib.asynccontextmanager
async def opened_verifier(settings: Settings, keyring: Keyring) -> AsyncGenerator[AccountVerifier]:
    """Asks the platforms what accounts' credentials are worth."""
    async with opened_platforms(settings) as platforms:
        yield AccountVerifier(
            {name: found for name, found in platforms.items() if isinstance(found, Checker)},
            keyring.open,
            live_seconds=settings.call_deadline_seconds,
            sandbox_seconds=settings.sandbox_call_deadline_seconds,
        )


@contextlib.asynccontextmanager
async def opened_platforms(
    settings: Settings, called: Called = unmeasured
) -> AsyncGenerator[dict[str, Platform]]:
    """Every platform that is built for, by its type."""
    platforms: dict[str, Platform] = {
        "META": PLATFORMS["META"](
            live_base_url=settings.meta_base_url,
            live_video_base_url=settings.meta_video_base_url,
            sandbox_base_url=f"{settings.sandbox_address}/meta",
            api_version=settings.meta_api_version,
            called=called,
        )
    }
    try:
        yield platforms
    finally:
        for platform in platforms.values():
            await platform.close()


def paces(settings: Settings) -> tuple[Pace, Pace]:
    """How long things may take for live and for sandbox accounts."""
    live = Pace(
        settings.call_deadline_seconds, settings.list_lag_seconds, outage_seconds=OUTAGE_SECONDS
    )
    sandbox = Pace(
        settings.sandbox_call_deadline_seconds,
        settings.sandbox_list_lag_seconds,
        settings.sandbox_wait_seconds,
    )
    return live, sandbox
