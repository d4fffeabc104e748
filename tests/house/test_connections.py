"""What the doctor says about connections is what an installation holds."""

from mojito import server_checks
from tests.house.conftest import until

POOLS = ["mojito api", "mojito worker", "test"]


async def test_every_connection_beside_the_pools_is_reckoned_with(house):
    async with house.working():
        for _ in range(2):  # the second finds its account known, and shares a write
            await house.finished(await house.submit(house.request()))

        # a worker registers over a connection that it closes; the server ends that one in its own time
        await until(lambda: holds_what_is_reckoned_with(house))


async def holds_what_is_reckoned_with(house):
    server = await server_checks.read_server(house.pool)
    held = await house.pool.fetchval(
        "select count(*) from pg_stat_activity where datname = current_database() "
        "and application_name <> all ($1)",
        POOLS,
    )
    reckoned = server_checks.API_EXTRA_CONNECTIONS + server_checks.WORKER_EXTRA_CONNECTIONS
    return (server.api_processes, server.workers, held) == (1, 1, reckoned)
