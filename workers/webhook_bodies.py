"""Writes what is posted of an event: whole as long as it is bearable, else short, and it says which."""

from typing import Any

from models.event_facts import facts_of
from models.gen import campaign_jobs
from models.gen.rows import CampaignJob, Connection
from models.gen.webhook_deliveries import GetWebhookForRunRow as Message
from models.job_views import brief_job_view, job_views
from models.jsonb import to_jsonb
from models.webhook_message import (
    FEWEST_BYTES_OF_A_STEP,
    LONGEST_MESSAGE,
    MOST_STEPS_TOLD,
    JobMessage,
    OtherMessage,
)


async def make_body(connection: Connection, message: Message) -> str | None:
    """What is posted: the event's own facts, and its job as it stands now; None when that is deleted."""
    facts = facts_of(message.facts)
    given: dict[str, Any] = {
        "type": message.type,
        "timestamp": message.happened_at,
        "livemode": message.mode == "live",
    }
    if message.campaign_job_id is None:
        return to_jsonb(OtherMessage(**given, event={}, data=facts))
    job = await campaign_jobs.get_campaign_job(
        connection, id=message.campaign_job_id, team_id=message.team_id
    )
    return None if job is None else await _about_job(connection, job, {**given, "event": facts})


async def _about_job(connection: Connection, job: CampaignJob, given: dict[str, Any]) -> str | None:
    if _may_be_whole(given["type"], job.steps_total):
        views = await job_views(connection, [job])
        if not views:
            return None  # it went in between
        body = to_jsonb(JobMessage(**given, short=False, data=views[0]))
        if len(body.encode()) <= LONGEST_MESSAGE:
            return body
    view = await brief_job_view(connection, job, given["event"].get("step"))
    return to_jsonb(JobMessage(**given, short=True, data=view))


def _may_be_whole(kind: str, steps_total: int) -> bool:
    """What is surely too long is not even read."""
    if kind.startswith("job.step."):
        return steps_total <= MOST_STEPS_TOLD
    return steps_total * FEWEST_BYTES_OF_A_STEP <= LONGEST_MESSAGE
