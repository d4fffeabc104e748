"""The way to the database: whatever is wrong with it has one name."""

import pytest

from models.database import connect, open_pool

NOWHERE = "postgresql://mojito@/nothing?host=/nowhere"


async def test_a_connection_that_cannot_be_made_is_a_connection_error():
    with pytest.raises(ConnectionError, match="cannot reach the database"):
        await connect(NOWHERE, name="test")


async def test_a_pool_that_cannot_be_opened_says_the_same():
    with pytest.raises(ConnectionError, match="cannot reach the database"):
        await open_pool(NOWHERE, size=1, name="test")
