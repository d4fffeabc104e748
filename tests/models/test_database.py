"""The pool waits for nothing without end, and says plainly when there is no way to the server."""

import pytest

from models.database import open_pool


async def test_a_host_without_an_address_is_a_connection_that_failed():
    with pytest.raises(ConnectionError, match="cannot be reached"):
        await open_pool("postgresql://mojito@nowhere.invalid/x", size=1, name="test")


async def test_a_pool_closes_though_a_connection_is_never_given_back(database):
    pool = await open_pool(database, size=1, name="test")
    await pool.acquire()

    await pool.close()

    assert pool.get_size() == 0
