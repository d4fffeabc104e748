"""A write that comes too late is refused and counted."""

from workers.metrics import WorkerMetrics
from workers.writes import Intent, Move, Writes


async def test_writes_with_a_stale_token_are_counted_by_what_they_would_have_written(shop):
    metrics = WorkerMetrics()
    writes = Writes(shop.url, metrics)
    job = await shop.claimed()
    await shop.free()
    intent = Intent(job.id, job.claim_token, "campaign", 0, "campaign", 0, b"", None)

    async with writes.running():
        answers = [
            await writes.intents.submit(intent),
            await writes.moves.submit(Move(job.id, job.claim_token, "SUCCESS")),
        ]

    assert answers == [False, False]
    for flusher in ("intents", "moves"):
        labels = {"flusher": flusher}
        assert metrics.registry.get_sample_value("mojito_refused_writes_total", labels) == 1
    assert (
        metrics.registry.get_sample_value("mojito_jobs_ended_total", {"status": "SUCCESS"}) is None
    )
