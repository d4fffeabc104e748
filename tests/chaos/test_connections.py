"""How many connections a process holds at most: what `mojito doctor` and the operators' guide reckon with."""

import asyncio
import re
from collections import Counter

import pytest

from mojito import server_checks
from tests.chaos.programs import both
from tests.house.conftest import ROOT, until

pytestmark = pytest.mark.alone

POOL = 3
GUIDE = ROOT / "docs" / "operations" / "several_hosts.md"
EACH = """
select application_name from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and pid <> all ($1::integer[])
    -- a worker registers over another connection, which it has closed; the server ends that one later
    and (application_name <> 'mojito presence' or backend_start > (select started_at from workers))
"""


async def test_an_api_and_a_worker_under_load_hold_what_is_reckoned_with(house):
    own = [row["pid"] for row in await house.pool.fetch("select pid from pg_stat_activity")]
    most = Counter()

    async def counted():
        """The most of each kind that were seen at once, until the load is over."""
        rows = await house.pool.fetch(EACH, own)
        most.update(Counter(row["application_name"] for row in rows) - most)
        return all(task.done() for task in load)

    async with both(house, database_pool_size=str(POOL)) as (caller, _):
        load = [asyncio.create_task(submitted(house, caller, n)) for n in range(40)]
        await until(counted)
        jobs = await asyncio.gather(*load)
        findings = server_checks.connections(
            await server_checks.read_server(house.pool), house.settings
        )
        ended = [await house.finished(job) for job in jobs]
        await until(counted)

    pools = {name: most.pop(name) for name in ("mojito api", "mojito worker")}
    assert {job["status"] for job in ended} == {"SUCCESS"}
    assert pools["mojito api"] == POOL
    assert pools["mojito worker"] <= POOL
    assert most == {
        "mojito notifier": 1,
        "mojito changes": 1,
        "mojito listener": 2,
        "mojito requests": 1,
        "mojito claim": 1,
        "mojito presence": 1,
        "mojito intents": 1,
        "mojito records": 1,
        "mojito moves": 1,
    }
    assert most.total() == (
        server_checks.API_EXTRA_CONNECTIONS + server_checks.WORKER_EXTRA_CONNECTIONS
    )
    # the house of the test has an API of its own
    assert "2 API processes and 1 worker may take" in findings.message


def test_the_guide_reckons_with_the_same_numbers():
    told = re.findall(r"process  .*MOJITO_DATABASE_POOL_SIZE \+ (\d+)", GUIDE.read_text())

    assert told == [
        str(server_checks.API_EXTRA_CONNECTIONS),
        str(server_checks.WORKER_EXTRA_CONNECTIONS),
    ]


async def submitted(house, caller, number):
    """Many at once, so that the pool is full."""
    await asyncio.gather(*(caller.get("/api/v1/ad_accounts") for _ in range(5)))
    answer = await caller.submit(house.request(name=f"Job {number}"))
    assert answer.status_code == 202, answer.text
    return answer.json()["campaign_job_id"]
