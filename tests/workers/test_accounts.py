"""Accounts are remembered as long as they do not change."""

from datetime import UTC, datetime

from workers.accounts import MOST_READ_AHEAD, MOST_REMEMBERED, Accounts

MANY = """
insert into ad_accounts (id, name, platform_type, platform_account_id, credentials, credentials_key_id,
    credentials_fingerprint, mode)
select new_key(), 'a', 'META', 'act_' || n, '', 'k', '', 'sandbox' from generate_series(1, $1) as n"""


async def test_an_account_is_read_again_only_when_it_changed(shop):
    known = Accounts()
    account_id = await shop.account(max_running=10)
    await shop.job(account_id)
    (first,) = await shop.claim()
    before = (await known.of(shop.pool, [first]))[account_id]
    await shop.pool.execute("update ad_accounts set name = 'unseen'")
    await shop.job(account_id)
    (second,) = await shop.claim()
    same = (await known.of(shop.pool, [second]))[account_id]
    await shop.pool.execute("update ad_accounts set name = 'new', updated_at = now()")
    await shop.job(account_id)
    (third,) = await shop.claim()

    changed = (await known.of(shop.pool, [third]))[account_id]

    assert same is before
    assert changed.name == "new"


async def test_not_more_accounts_are_remembered_than_there_is_room_for(shop):
    known = Accounts(most=2)
    ids = [await shop.account() for _ in range(3)]
    for account_id in ids:
        await shop.job(account_id)
    jobs = await shop.claim()

    found = await known.of(shop.pool, jobs)
    again = await known.of(shop.pool, jobs)

    assert set(found) == set(again) == set(ids)
    assert found[ids[0]] is not again[ids[0]]


async def test_as_many_accounts_are_remembered_as_there_is_room_for(shop):
    known = Accounts(most=2)
    ids = [await shop.account() for _ in range(2)]
    for account_id in ids:
        await shop.job(account_id)
    jobs = await shop.claim()

    found = await known.of(shop.pool, jobs)
    again = await known.of(shop.pool, jobs)

    assert all(found[account_id] is again[account_id] for account_id in ids)


async def test_of_very_many_accounts_only_so_many_are_read_ahead(shop):
    known = Accounts()
    await shop.account()
    await shop.pool.execute(MANY, MOST_READ_AHEAD)

    await known.read_ahead(shop.pool)

    assert len(known._known) == MOST_READ_AHEAD < MOST_REMEMBERED


async def test_accounts_that_were_read_ahead_are_not_read_with_their_first_jobs(shop):
    known = Accounts()
    account_id = await shop.account(name="read ahead")
    await shop.job(account_id)
    (job,) = await shop.claim()

    await known.read_ahead(shop.pool)
    await shop.pool.execute("update ad_accounts set name = 'unseen'")
    found = await known.of(shop.pool, [job])

    assert found[account_id].name == "read ahead"


async def test_the_newest_accounts_are_read_ahead_and_no_deleted_ones(shop):
    known = Accounts()
    oldest, newest = await shop.account(name="before"), await shop.account(name="before")
    deleted = await shop.account(name="before", deleted_at=datetime.now(UTC))
    for account_id in (oldest, newest, deleted):
        await shop.job(account_id)
    jobs = await shop.claim()

    await known.read_ahead(shop.pool, most=1)
    await shop.pool.execute("update ad_accounts set name = 'after'")
    found = await known.of(shop.pool, jobs)

    assert {found[oldest].name, found[deleted].name} == {"after"}
    assert found[newest].name == "before"


async def test_what_is_read_ahead_takes_the_place_of_nothing_that_is_known(shop):
    known = Accounts()
    account_id = await shop.account()
    await shop.job(account_id)
    (job,) = await shop.claim()
    before = (await known.of(shop.pool, [job]))[account_id]

    await known.read_ahead(shop.pool)
    after = (await known.of(shop.pool, [job]))[account_id]

    assert after is before
