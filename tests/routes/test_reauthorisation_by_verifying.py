"""An account that waits for a working token, its jobs, and what changes while the platform is asked."""

import asyncio
import contextlib

import pytest

from models.gen import ad_accounts
from models.listener import CHANNEL
from tests.routes.conftest import add_account
from tests.routes.test_ad_accounts import add_job
from tests.routes.test_verify_accounts import (
    URL,
    codes,
    held,
    meta_address,
    verified,
)

__all__ = ["meta_address"]

WAITING = """update campaign_jobs set waiting_reason = 'reauth_required', waiting_since = now(),
    due_at = now() + interval '7 days' where id = $1"""
DEAD = "update ad_accounts set status = 'REQUIRES_REAUTH', updated_at = now()"


async def waiting_job(api, account):
    job = await add_job(api.pool, account)
    await api.pool.execute(WAITING, job.id)
    return job


@contextlib.asynccontextmanager
async def asking(api, caller, sandbox, account):
    """Who verifies an account has read it, and the platform does not answer before the block ends."""
    with sandbox.busy():
        looking = asyncio.create_task(caller.post(f"{URL}/{account['id']}/verify"))
        while not await api.pool.fetchval("select count(*) from audit_log where action ~ 'opened'"):
            assert not looking.done()
        yield looking


async def due(api, job):
    sql = "select waiting_reason is null and due_at <= now() from campaign_jobs where id = $1"
    return await api.pool.fetchval(sql, job.id)


async def test_one_that_verifies_well_is_active_again_and_its_jobs_go_on(
    api, caller, sandbox, listener
):
    ours, _ = await held(caller, sandbox)
    job = await waiting_job(api, ours)
    await api.pool.execute(DEAD)
    woken = asyncio.Event()
    await listener.add_listener(CHANNEL, lambda *_: woken.set())

    told = await verified(caller, ours)

    assert (told["ok"], told["status"], told["jobs_woken"]) == (True, "ACTIVE", 1)
    assert await due(api, job)
    async with asyncio.timeout(30):
        await woken.wait()


async def test_one_that_cannot_build_yet_keeps_waiting(api, caller, sandbox):
    ours, _ = await held(caller, sandbox, missing_permissions=["ads_management"])
    job = await waiting_job(api, ours)
    await api.pool.execute(DEAD)

    told = await verified(caller, ours)

    assert (told["ok"], told["status"], told["jobs_woken"]) == (False, "REQUIRES_REAUTH", 0)
    assert not await due(api, job)


async def test_a_refusal_from_before_does_not_count_any_more(api, caller, sandbox):
    ours, _ = await held(caller, sandbox)
    await api.pool.execute(DEAD)
    before = await api.pool.fetchval("select credentials_version from ad_accounts")

    await verified(caller, ours)
    late = await ad_accounts.require_reauthorisation(
        api.pool, id=ours["id"], credentials_version=before
    )

    assert late == 0
    assert (await caller.get(f"{URL}/{ours['id']}")).json()["status"] == "ACTIVE"


async def test_credentials_that_came_meanwhile_are_not_judged_by_the_old_ones(api, caller, sandbox):
    ours, theirs = await held(caller, sandbox)
    await asyncio.to_thread(
        sandbox.control, "POST", f"accounts/{theirs['id']}/token", {"revoke_old": True}
    )
    fresh = await asyncio.to_thread(sandbox.token, theirs["id"])

    async with asking(api, caller, sandbox, ours) as looking:
        await caller.put(f"{URL}/{ours['id']}", json={"credentials": {"access_token": fresh}})
    answer = await looking

    assert (answer.status_code, answer.json()["code"]) == (409, "ad_account_changed")
    shown = (await caller.get(f"{URL}/{ours['id']}")).json()
    assert (shown["status"], shown["verified_at"]) == ("ACTIVE", None)


async def test_an_account_that_is_gone_meanwhile_is_not_found(api, caller, sandbox):
    ours, _ = await held(caller, sandbox)

    async with asking(api, caller, sandbox, ours) as looking:
        await caller.delete(f"{URL}/{ours['id']}")

    assert (await looking).status_code == 404


async def test_new_credentials_are_unverified_and_the_account_stays_known(caller, sandbox):
    ours, theirs = await held(caller, sandbox, token_expires_in_seconds=3600, currency="EUR")
    await verified(caller, ours)
    before = (await caller.get(f"{URL}/{ours['id']}")).json()

    again = {"credentials": {"access_token": theirs["access_token"]}}
    after = (await caller.put(f"{URL}/{ours['id']}", json=again)).json()

    assert before["verified_at"] is not None
    assert before["token_expires_at"] is not None
    assert (after["verified_at"], after["token_expires_at"]) == (None, None)
    assert after["currency"] == "EUR"


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"fault": "reset"}, "platform_unreachable"),
        ({"fault": "http_500"}, "platform_unreachable"),
        ({"fault": "garbage"}, "platform_unreachable"),
        ({"fault": "throttle", "code": 17, "seconds": 120}, "platform_throttled"),
        ({"fault": "throttle", "code": 80004}, "platform_throttled"),
        ({"fault": "throttle", "code": 4}, "platform_throttled"),
    ],
)
@pytest.mark.parametrize("path", ["*/debug_token", "*/minimum_budgets", "*/me/accounts"])
async def test_a_platform_that_cannot_be_asked_changes_nothing(
    api, caller, sandbox, order, code, path
):
    ours, _ = await held(caller, sandbox)
    await api.pool.execute(DEAD)
    before = await api.pool.fetchrow("select * from ad_accounts")
    await asyncio.to_thread(
        sandbox.control, "POST", "faults", {"match": {"path": path}, "times": 9, **order}
    )

    answer = await caller.post(f"{URL}/{ours['id']}/verify")

    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert int(answer.headers["retry-after"]) > 0
    assert await api.pool.fetchrow("select * from ad_accounts") == before


async def test_a_throttle_tells_how_long_it_lasts(caller, sandbox):
    ours, _ = await held(caller, sandbox)
    order = {"match": {"path": "*/debug_token"}, "fault": "throttle", "code": 17, "seconds": 240}
    await asyncio.to_thread(sandbox.control, "POST", "faults", order)

    answer = await caller.post(f"{URL}/{ours['id']}/verify")

    assert answer.headers["retry-after"] == "240"


async def test_a_token_that_dies_in_the_middle_is_dead(caller, sandbox):
    ours, _ = await held(caller, sandbox)
    order = {"match": {"path": "*/minimum_budgets"}, "fault": "token_expired"}
    await asyncio.to_thread(sandbox.control, "POST", "faults", order)

    told = await verified(caller, ours)

    assert (told["status"], codes(told)) == ("REQUIRES_REAUTH", [("token_expired", "error")])


async def test_nobody_at_the_address_is_unreachable(api, caller, sandbox):
    await asyncio.to_thread(sandbox.control, "POST", "faults", {"fault": "reset", "times": 99})
    ours = await add_account(caller)

    answer = await caller.post(f"{URL}/{ours['id']}/verify")

    assert answer.status_code == 503
    assert "nothing was changed" in answer.json()["detail"]


async def test_jobs_that_wait_for_a_token_go_on_when_an_active_account_verifies_well(
    api, caller, sandbox
):
    ours, _ = await held(caller, sandbox)
    job = await waiting_job(api, ours)

    told = await verified(caller, ours)

    assert (told["status"], told["jobs_woken"]) == ("ACTIVE", 1)
    assert await due(api, job)


async def test_jobs_that_wait_for_a_token_try_again_when_their_account_is_set_active(
    api, caller, sandbox
):
    ours, _ = await held(caller, sandbox)
    job = await waiting_job(api, ours)
    await api.pool.execute(DEAD)
    await caller.put(f"{URL}/{ours['id']}", json={"status": "INACTIVE"})
    before = await due(api, job)

    await caller.put(f"{URL}/{ours['id']}", json={"status": "ACTIVE"})

    assert not before
    assert await due(api, job)
