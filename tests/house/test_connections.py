"""What the doctor says about connections is what an installation holds."""

from mojito import server_checks

POOLS = ["mojito api", "mojito worker", "test"]


async def test_every_connection_beside_the_pools_is_reckoned_with(house):
    async with house.working():
        for _ in range(2):  # the second finds its account known, and shares a write
            await house.finished(await house.submit(house.request()))

        server = await server_checks.read_server(house.pool)
        held = await house.pool.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() "
            "and application_name <> all ($1)",
            POOLS,
        )

    assert (server.api_processes, server.workers) == (1, 1)
    assert held == server_checks.API_EXTRA_CONNECTIONS + server_checks.WORKER_EXTRA_CONNECTIONS
