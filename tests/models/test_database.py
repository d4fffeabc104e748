"""The way to the database: whatever is wrong with it has one name, and nothing waits without end."""

import pytest

from models.database import connect, open_pool

NOWHERE = "postgresql://mojito@/nothing?host=/nowhere"


async def test_a_connection_that_cannot_be_made_is_a_connection_error():
    with pytest.raises(ConnectionError, match="cannot reach the database"):
        await connect(NOWHERE, name="test")


@pytest.mark.parametrize("url", [NOWHERE, "postgresql://mojito@nowhere.invalid/x"])
async def test_a_pool_that_cannot_be_opened_says_the_same(url):
    with pytest.raises(ConnectionError, match="cannot reach the database"):
        await open_pool(url, size=1, name="test")


async def test_a_pool_closes_though_a_connection_is_never_given_back(database):
    pool = await open_pool(database, size=1, name="test")
    await pool.acquire()

    await pool.close()

    assert pool.get_size() == 0
