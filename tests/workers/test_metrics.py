"""A write that comes too late is refused and counted."""

from common.uuid7 import uuid7
from workers.metrics import WorkerMetrics
from workers.writes import Intent, Move, Writes


def ends_of(metrics):
    """How many jobs of each kind ended in each status."""
    return {
        (sample.labels["kind"], sample.labels["status"]): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "mojito_jobs_ended_total"
    }


async def test_writes_with_a_stale_token_are_counted_by_what_they_would_have_written(shop):
    metrics = WorkerMetrics()
    writes = Writes(shop.url, metrics)
    job = await shop.claimed()
    await shop.free()
    intent = Intent(job.id, job.claim_token, "campaign", 0, "campaign", 0, b"", None, 30)

    async with writes.running():
        answers = [
            await writes.intents.submit(intent),
            await writes.moves.submit(Move(job.id, job.claim_token, "SUCCESS")),
        ]

    assert answers == [False, False]
    for flusher in ("intents", "moves"):
        labels = {"flusher": flusher}
        assert metrics.registry.get_sample_value("mojito_refused_writes_total", labels) == 1
    assert ends_of(metrics) == {}


def test_ends_are_counted_by_what_the_jobs_did_in_few_words():
    metrics = WorkerMetrics()
    kinds = ["BUILD_CAMPAIGN", "DELIVER_WEBHOOK", "DELIVER_WEBHOOK", "BUILD_CAMPAIGN", "x1", "x2"]
    answers = ["SUCCESS", "FAILED", "FAILED", "PROCESSING", "SUCCESS", "SUCCESS"]
    moves = [Move(uuid7(), uuid7(), "SUCCESS", kind=kind) for kind in kinds]

    metrics.moved([*moves, moves[0]], [*answers, False])

    assert ends_of(metrics) == {
        ("BUILD_CAMPAIGN", "SUCCESS"): 1,
        ("DELIVER_WEBHOOK", "FAILED"): 2,
        ("other", "SUCCESS"): 2,
    }
    labels = {"flusher": "moves"}
    assert metrics.registry.get_sample_value("mojito_refused_writes_total", labels) == 1
