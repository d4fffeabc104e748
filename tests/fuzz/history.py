"""Jobs as workers leave them behind: one that waits, one that failed halfway, one that is done."""

from typing import Any
from uuid import uuid4

import msgspec

from models.database import Pool

ERROR = {
    "step": "ad_set[0]",
    "code": "meta_invalid_parameter",
    "message": "Meta refused the ad set.",
    "remedy": "Change the budget and send another request.",
    "retryable": False,
    "pointer": "/ad_sets/0/daily_budget",
    "upstream": {
        "platform": "META",
        "code": 100,
        "subcode": 1885272,
        "message": "Invalid parameter",
        "user_title": "Budget too low",
        "user_message": "Your budget is too low.",
        "blame": [["daily_budget"]],
        "trace_id": "AbC",
    },
}
STEPS: dict[str, list[tuple[str, str, str | None, dict[str, Any] | None]]] = {
    "PROCESSING": [
        ("media[hero]", "DONE", "hash", None),
        ("campaign", "IN_DOUBT", None, {**ERROR, "upstream": None, "pointer": None, "step": None}),
    ],
    "PARTIAL_SUCCESS": [
        ("media[hero]", "DONE", "hash", None),
        ("campaign", "DONE", "120210000000000001", None),
        ("ad_set[0]", "FAILED", None, ERROR),
    ],
    "SUCCESS": [
        (name, "DONE", f"12021{position}", None)
        for position, name in enumerate(
            ("media[hero]", "campaign", "ad_set[0]", "creative[0][0]", "ad[0][0]")
        )
    ],
}


async def live_through(pool: Pool, jobs: list[str]) -> None:
    """Moves each job to one of the states above, in turn."""
    for job, (status, steps) in zip(jobs, STEPS.items(), strict=True):
        for position, (name, step_status, platform_id, error) in enumerate(steps):
            await pool.execute(
                """insert into job_steps (campaign_job_id, name, position, kind, status, platform_id,
                       error, claim_token, started_at)
                   values ($1, $2, $3, split_part($2, '[', 1), $4, $5, $6, $7, now())""",
                job,
                name,
                position,
                step_status,
                platform_id,
                None if error is None else msgspec.json.encode(error).decode(),
                uuid4(),
            )
        await pool.execute(
            """update campaign_jobs set status = 'PROCESSING', started_at = now(),
                   waiting_reason = 'throttled', due_at = now() + interval '1 hour' where id = $1""",
            job,
        )
        if status != "PROCESSING":
            await pool.execute(
                """update campaign_jobs set status = $2, finished_at = now(), error = $3,
                       platform_campaign_id = '120210000000000001' where id = $1""",
                job,
                status,
                msgspec.json.encode(ERROR).decode() if status == "PARTIAL_SUCCESS" else None,
            )
