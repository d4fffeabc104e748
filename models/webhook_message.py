"""What is posted to webhook endpoints: the message itself, as receivers read it."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from models.job import JobView

MOST_STEPS_TOLD = 50
"""Messages about a step of a larger job are short: each step has one, so whole ones grow with the square."""
LONGEST_MESSAGE = 256 * 1024
"""Bytes of a whole message. Some 1,400 steps: ordinary jobs have a dozen. Servers as they come take no
more than 1 MiB (nginx), queues behind them often no more than this; and a job may wait hundreds of times."""
FEWEST_BYTES_OF_A_STEP: Final = 128
"""Of a step in a view; what must be too long is not read."""

type Moment = Annotated[datetime, Meta(tz=True)]


class JobMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened to a campaign job."""

    type: Annotated[str, Meta(description="What happened, for example job.finished.")]
    timestamp: Annotated[Moment, Meta(description="When it happened.")]
    livemode: Annotated[bool, Meta(description="False where no money can be spent.")]
    event: Annotated[
        dict[str, Any],
        Meta(description="What was written down with it: step, platform_id, status, code, reason."),
    ]
    short: Annotated[
        bool,
        Meta(
            description="Whether `data` is told in short: `steps` holds at most the step that the message "
            "is about, `platform_ids` the campaign alone; GET /api/v1/campaign_jobs/{id} shows the "
            "rest. So are messages about steps of jobs of more than 50, and any that would be longer "
            "than 256 KiB."
        ),
    ]
    data: Annotated[
        JobView,
        Meta(
            description="The job as GET /api/v1/campaign_jobs/{id} showed it when the message was first "
            "sent; without most of its steps where `short` is true."
        ),
    ]


class OtherMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Something that concerns endpoints themselves."""

    type: Annotated[str, Meta(description="webhook.ping or webhook_endpoint.disabled.")]
    timestamp: Annotated[Moment, Meta(description="When it happened.")]
    livemode: Annotated[bool, Meta(description="As the endpoint's.")]
    event: Annotated[dict[str, Any], Meta(description="Empty.")]
    data: Annotated[dict[str, Any], Meta(description="The endpoint it is about.")]
