"""Accounts are remembered as long as they do not change."""

from workers.accounts import Accounts


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
