"""/metrics tells the truth, costs little whatever the history, and grows with nothing that callers send."""

import asyncpg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from uuid_utils.compat import uuid7

from models.gen import overview
from routes.metrics import ApiMetrics
from tests.routes.conftest import add_account


async def samples(api, metrics=None):
    """Values by name and labels."""
    if metrics is None:
        answer = await api.client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        text = answer.text
    else:
        await metrics.look()
        text = metrics.exposition().decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def add_jobs(api, account_id, number, **columns):
    values = {"status": "PENDING", "due": "0 s", "reason": None, **columns}
    await api.pool.execute(
        "insert into campaign_jobs (id, ad_account_id, platform_type, mode, status, due_at, waiting_reason) "
        "select gen_random_uuid(), $1, 'META', 'sandbox', $2, now() - $3::text::interval, $4 "
        "from generate_series(1, $5)",
        account_id,
        values["status"],
        values["due"],
        values["reason"],
        number,
    )


async def test_open_jobs_are_counted_by_kind_status_and_reason(api, caller):
    account = await add_account(caller)
    await add_jobs(api, account["id"], 3, due="90 s")
    await add_jobs(api, account["id"], 2, status="PROCESSING", due="-1 h", reason="throttled")
    await add_jobs(api, account["id"], 4, status="SUCCESS")

    found = await samples(api)

    assert found["mojito_jobs", "BUILD_CAMPAIGN", "PENDING"] == 3
    assert found["mojito_jobs", "BUILD_CAMPAIGN", "PROCESSING"] == 2
    assert ("mojito_jobs", "BUILD_CAMPAIGN", "SUCCESS") not in found
    assert found["mojito_jobs_waiting", "throttled"] == 2
    assert 90 <= found["mojito_oldest_claimable_job_seconds",] < 120
    assert found["mojito_jobs_running",] == 0
    assert found["mojito_jobs_count_is_full",] == 0
    assert found["mojito_database_answers",] == 1


async def oldest(api):
    return await overview.get_oldest_claimable_seconds(api.pool)


async def test_jobs_that_no_worker_may_take_do_not_make_the_queue_look_stuck(api, caller):
    busy, throttled, other = [
        (await add_account(caller, platform_account_id=f"act_{nth}"))["id"] for nth in (7, 8, 9)
    ]
    await add_jobs(api, busy, 2000, due="1 h")
    await add_jobs(api, throttled, 1, due="2 h")
    await api.pool.execute(
        """update campaign_jobs set status = 'PROCESSING', claim_token = gen_random_uuid(),
               worker_id = gen_random_uuid()
           where id in (select id from campaign_jobs where ad_account_id = $1 limit 4)""",
        busy,
    )
    until = "update ad_accounts set throttled_until = now() + $2::text::interval where id = $1"
    await api.pool.execute(until, throttled, "1 min")

    nobody = await oldest(api)
    await add_jobs(api, other, 1, due="5 min")  # behind all those
    behind = await oldest(api)
    await api.pool.execute(until, throttled, "-10 min")
    when_the_throttle_is_over = await oldest(api)
    await api.pool.execute("update ad_accounts set max_running = 5 where id = $1", busy)
    await api.pool.execute(until, throttled, "1 min")
    with_room = await oldest(api)

    assert nobody is None
    assert behind == pytest.approx(300, abs=30)
    assert when_the_throttle_is_over == pytest.approx(7200, abs=30)
    assert with_room == pytest.approx(3600, abs=30)


async def test_workers_are_counted_by_whether_they_live(api):
    for silent in ("0 s", "1 min", "2 min"):
        await api.pool.execute(
            "insert into workers (id, host, process_id, last_seen_at) "
            "values ($1, 'm', 1, now() - $2::text::interval)",
            uuid7(),
            silent,
        )

    found = await samples(api)

    assert (found["mojito_workers", "alive"], found["mojito_workers", "silent"]) == (1, 2)


async def test_requests_are_counted_by_the_template_of_their_route(api, caller):
    for _ in range(3):
        await caller.get(f"/api/v1/campaign_jobs/{uuid7()}")
        await api.client.get(f"/somewhere/{uuid7()}")

    found = await samples(api)

    name = "mojito_http_request_duration_seconds_count"
    requests = {key[1:]: value for key, value in found.items() if key[0] == name}
    assert requests["/api/v1/campaign_jobs/{job_id}", "404", "GET"] == 3
    assert requests["404", "GET", "unmatched"] == 3
    assert not any("-" in label for key in requests for label in key)


async def test_an_invented_method_makes_no_new_label(api):
    for method in ("BREW", "WHEN"):
        await api.client.request(method, "/livez")

    found = await samples(api)

    assert not any("BREW" in key or "WHEN" in key for key in found)
    assert any("other" in key for key in found)


async def test_flushes_and_the_pool_are_shown(api, caller):
    found = await samples(api)

    assert found["mojito_pool_most_connections",] == 5
    assert found["mojito_pool_connections", "busy"] + found["mojito_pool_connections", "idle"] >= 1
    assert not any(key[0].endswith("_created") for key in found)


async def test_the_queue_is_looked_at_seldom_however_often_it_is_asked(api, caller, monkeypatch):
    account = await add_account(caller)
    await samples(api)
    monkeypatch.setattr("routes.metrics._FRESH_SECONDS", 600.0)  # whatever asking takes
    await add_jobs(api, account["id"], 3)

    again = await samples(api)

    assert ("mojito_jobs", "BUILD_CAMPAIGN", "PENDING") not in again


async def test_a_database_that_does_not_answer_leaves_no_old_figures(api, caller):
    account = await add_account(caller)
    await add_jobs(api, account["id"], 3)
    metrics = ApiMetrics(api.pool)
    await samples(api, metrics)
    metrics._looked_at = -1000.0
    await api.pool.close()

    found = await samples(api, metrics)

    assert found["mojito_database_answers",] == 0
    assert not any(key[0] == "mojito_jobs" for key in found)
    assert (
        found["mojito_oldest_claimable_job_seconds",]
        != found["mojito_oldest_claimable_job_seconds",]
    )


async def test_finished_jobs_are_never_looked_at(api, caller):
    account = await add_account(caller)
    await add_jobs(api, account["id"], 20_000, status="SUCCESS")
    await add_jobs(api, account["id"], 5)
    async with api.pool.acquire() as connection, connection.transaction():
        await connection.execute("analyze campaign_jobs; set local enable_seqscan = off")
        plans = [
            await explained(connection, overview.COUNT_OPEN_JOBS, 50_000),
            await explained(connection, overview.GET_OLDEST_CLAIMABLE_SECONDS),
        ]

    for text, rows in plans:
        assert "Seq Scan on campaign_jobs" not in text
        assert rows < 100


async def explained(connection: asyncpg.Connection, sql, *arguments):
    """The plan, and how many rows of jobs it touched."""
    lines = await connection.fetch(
        f"explain (analyze, buffers, costs off, timing off) {sql}", *arguments
    )
    text = "\n".join(line[0] for line in lines)
    removed = [int(part.split()[0]) for part in text.split("Rows Removed by Filter: ")[1:]]
    shared = text.split("Buffers: shared hit=")[1].split()[0]
    return text, sum(removed) + int(shared)


@pytest.mark.parametrize("path", ["/metrics/", "//metrics", "/%6detrics", "/metrics//?a=b"])
async def test_other_spellings_of_the_address_show_nothing(api, path):
    answer = await api.client.get(f"http://testserver{path}")

    assert answer.status_code == 404
    assert answer.json()["code"] == "route_not_found"
