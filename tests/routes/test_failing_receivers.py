"""A caller's server that is down is no reason to wake those who run the installation."""

import pytest

from common.uuid7 import uuid7
from models.gen import overview
from models.gen.rows import Connection
from tests.routes.conftest import add_account, add_job


async def add_endpoint(connection: Connection) -> None:
    """One that hears of everything that happens to any job of the only team."""
    endpoint_id = uuid7()
    await connection.execute(
        """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
               credentials_key_id, credentials_fingerprint, mode)
           values ($1, 'webhook endpoint', 'WEBHOOK', 'w', '', 'k', '', 'sandbox')""",
        endpoint_id,
    )
    await connection.execute(
        """insert into webhook_endpoints (id, team_id, mode, url, events)
           select $1, t.id, 'sandbox', 'https://example.com/', array['*'] from teams as t""",
        endpoint_id,
    )


@pytest.mark.parametrize(("failing", "oldest"), [("now()", 60), ("null", 7200)])
async def test_messages_to_a_receiver_that_fails_are_no_jobs_that_nobody_takes(
    api, caller, failing, oldest
):
    await add_account(caller)
    await add_endpoint(api.pool)
    job = await add_job(caller)
    await caller.post(f"/api/v1/campaign_jobs/{job['id']}/cancel")
    await caller.post(f"/api/v1/campaign_jobs/{job['id']}/retry")
    await api.pool.execute(
        """update campaign_jobs set due_at = now() - case kind
               when 'DELIVER_WEBHOOK' then interval '2 hours' else interval '1 minute' end"""
    )
    await api.pool.execute(f"update webhook_endpoints set failing_since = {failing}")  # noqa: S608 - of this test

    seconds = await overview.get_oldest_claimable_seconds(api.pool)

    assert seconds == pytest.approx(oldest, abs=30)
