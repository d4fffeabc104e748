"""Which jobs count against the caps of an account and of a team."""

from uuid import uuid4

import pytest

from models.gen import campaign_jobs


@pytest.fixture
async def team(shop):
    """With one account that has an open job of each sort and one that ended, and one that was removed."""
    team, other = uuid4(), uuid4()
    await shop.pool.execute(
        "insert into teams (id, name) values ($1, 'one'), ($2, 'other')", team, other
    )
    of_team = await shop.account(team_id=team, max_running=3)
    ended, waiting, claimed = [await shop.job(of_team) for _ in range(3)]
    stranger = await shop.account(team_id=other)
    await shop.job(stranger)
    assert len(await shop.claim()) == 4
    free = "update campaign_jobs set claim_token = null, worker_id = null where id = $1"
    await shop.pool.execute(free, waiting)
    await shop.pool.execute(
        "update campaign_jobs set claim_token = null, worker_id = null, status = 'FAILED', "
        "finished_at = now() where id = $1",
        ended,
    )
    removed = await shop.account(team_id=team)
    for account in (of_team, removed, stranger):
        await shop.job(account)
    await shop.pool.execute("update ad_accounts set deleted_at = now() where id = $1", removed)
    assert await shop.value("select claim_token from campaign_jobs where id = $1", claimed)
    return team, of_team


@pytest.mark.parametrize(("most", "counted"), [(10, 3), (2, 2)])
async def test_an_account_has_open_what_is_new_waits_or_runs(shop, team, most, counted):
    _, account = team

    found = await campaign_jobs.count_open_jobs_of_account_up_to(
        shop.pool, ad_account_id=account, most=most
    )

    assert min(found, most) == counted


@pytest.mark.parametrize(("most", "counted"), [(10, 4), (2, 2)])
async def test_a_team_has_open_what_its_accounts_have_removed_ones_included(
    shop, team, most, counted
):
    team_id, _ = team

    found = await campaign_jobs.count_open_jobs_of_team_up_to(shop.pool, team_id=team_id, most=most)

    assert found == counted
