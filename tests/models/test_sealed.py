"""Every sealed column is rotated, and a rotation never overwrites what others write meanwhile."""

from collections import Counter

import pytest
from uuid_utils.compat import uuid7

from common.keyring import Keyring, new_key_line, read_keys
from models.database import open_pool
from models.sealed import SEALED, all_key_ids_in_use, impostors, key_ids_in_use, rotate

(ACCOUNTS,) = [column for column in SEALED if column.table == "ad_accounts"]


@pytest.fixture
async def pool(database):
    pool = await open_pool(database, size=4, name="test")
    yield pool
    await pool.close()


@pytest.fixture
def rings(tmp_path):
    """The keyring before a new first key, the one with both, and the one without the old key."""
    path = tmp_path / "keys"
    path.write_text(f"{new_key_line('new')}\n{new_key_line('old')}\n")
    keys = read_keys(path)
    return Keyring({"old": keys["old"]}), Keyring(keys), Keyring({"new": keys["new"]})


async def accounts(pool, ring, number):
    made = []
    for _ in range(number):
        account_id = uuid7()
        sealed = ring.seal(
            f"token of {account_id}".encode(), "ad_accounts", account_id, "credentials"
        )
        await pool.execute(
            "insert into ad_accounts (id, name, platform_type, platform_account_id, credentials, "
            "credentials_key_id, credentials_fingerprint, mode) "
            "values ($1, 'a', 'META', $2, $3, $4, 'f', 'sandbox')",
            account_id,
            f"act_{account_id.int}",
            sealed.ciphertext,
            sealed.key_id,
        )
        made.append(account_id)
    return made


async def run(pool, ring, batch_rows=3):
    told = [
        (p.rewrapped, p.left, list(p.unopened))
        async for p in rotate(pool, ring, ACCOUNTS, batch_rows=batch_rows)
    ]
    return told[-1]


async def opened(pool, ring, account_id):
    sealed = await pool.fetchval("select credentials from ad_accounts where id = $1", account_id)
    return ring.open(sealed, "ad_accounts", account_id, "credentials").decode()


async def test_every_column_with_a_key_id_is_in_the_list(pool):
    found = await pool.fetch(
        "select table_name, column_name from information_schema.columns "
        "where table_schema = 'public' and data_type = 'text' and column_name like '%key\\_id'"
    )

    assert {(row[0], row[1]) for row in found} == {(c.table, c.key_id_column) for c in SEALED}


async def test_rotated_secrets_open_without_the_old_key(pool, rings):
    old, both, new = rings
    made = await accounts(pool, old, 10)

    rewrapped, left, unopened = await run(pool, both)

    assert (rewrapped, left, unopened) == (10, 0, [])
    assert {await opened(pool, new, one) for one in made} == {f"token of {one}" for one in made}
    assert await key_ids_in_use(pool, ACCOUNTS) == {"new": 10}
    assert await all_key_ids_in_use(pool) == {"new"}


async def test_a_rotation_changes_nothing_but_the_envelope(pool, rings):
    old, both, _ = rings
    await accounts(pool, old, 1)
    kept = "select to_jsonb(a) - 'credentials' - 'credentials_key_id' from ad_accounts as a"
    before = await pool.fetchval(kept)

    await run(pool, both)

    assert await pool.fetchval(kept) == before


async def test_a_second_rotation_finds_nothing_to_do(pool, rings):
    old, both, _ = rings
    await accounts(pool, old, 3)
    await run(pool, both)

    assert await run(pool, both) == (0, 0, [])


async def test_an_ended_rotation_goes_on_where_it_was(pool, rings):
    old, both, new = rings
    made = await accounts(pool, old, 9)
    async for progress in rotate(pool, both, ACCOUNTS, batch_rows=2):
        if progress.rewrapped >= 4:
            break

    between = await key_ids_in_use(pool, ACCOUNTS)
    rewrapped, left, _ = await run(pool, both)

    assert between == {"new": 4, "old": 5}
    assert (rewrapped, left) == (5, 0)
    assert [await opened(pool, new, one) for one in made] == [f"token of {one}" for one in made]


async def test_credentials_that_are_being_replaced_are_never_overwritten(pool, rings):
    old, both, new = rings
    held, other = await accounts(pool, old, 2)
    fresh = both.seal(b"replaced", "ad_accounts", held, "credentials")
    steps = rotate(pool, both, ACCOUNTS, batch_rows=1)

    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select 1 from ad_accounts where id = $1 for update", held)
        while (await anext(steps)).rewrapped < 1:
            pass
        await connection.execute(
            "update ad_accounts set credentials = $2, credentials_key_id = $3 where id = $1",
            held,
            *fresh,
        )
    last = [progress async for progress in steps][-1]

    assert await opened(pool, new, held) == "replaced"
    assert await opened(pool, new, other) == f"token of {other}"
    assert (last.rewrapped, last.left) == (1, 0)


async def test_what_is_sealed_with_the_old_key_meanwhile_is_found_too(pool, rings):
    old, both, _ = rings
    await accounts(pool, old, 2)
    steps = rotate(pool, both, ACCOUNTS, batch_rows=1)
    await anext(steps)
    await anext(steps)

    await accounts(pool, old, 3)
    last = [progress async for progress in steps][-1]

    assert (last.rewrapped, last.left) == (5, 0)


async def test_another_key_of_the_same_id_is_noticed(pool, rings):
    old, both, _ = rings
    await accounts(pool, old, 4)
    impostor = Keyring({"old": b"y" * 32})

    assert await impostors(pool, old) == await impostors(pool, both) == []
    assert await impostors(pool, impostor) == ["old"]
    assert await impostors(pool, Keyring({"absent": b"y" * 32})) == []


async def test_one_row_that_was_tampered_with_makes_no_impostor(pool, rings):
    old, _, _ = rings
    *_, newest = await accounts(pool, old, 3)

    await pool.execute("update ad_accounts set credentials = '\\x00' where id = $1", newest)

    assert await impostors(pool, old) == []


async def test_rows_that_do_not_open_are_named_and_the_others_go_on(pool, rings):
    old, both, _ = rings
    foreign = Keyring({"lost": b"x" * 32})
    (lost,) = await accounts(pool, foreign, 1)
    moved, whole = await accounts(pool, old, 2)
    await pool.execute(
        "update ad_accounts set credentials = (select credentials from ad_accounts where id = $2) "
        "where id = $1",
        moved,
        whole,
    )

    rewrapped, left, unopened = await run(pool, both)

    assert (rewrapped, left, Counter(unopened)) == (1, 0, Counter([lost, moved]))
    assert await key_ids_in_use(pool, ACCOUNTS) == {"lost": 1, "new": 1, "old": 1}
