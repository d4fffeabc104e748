"""What is posted to webhook endpoints: the message itself, as receivers read it."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from models.job import JobView

MOST_STEPS_TOLD = 50
"""Of jobs with more every message would be as long as the request, and each step has a message."""

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
    data: Annotated[
        JobView,
        Meta(
            description="The job when the message was first sent. One of more than 50 steps is told in "
            "short: `steps` holds the step that the message is about, `platform_ids` the campaign."
        ),
    ]


class OtherMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Something that concerns endpoints themselves."""

    type: Annotated[str, Meta(description="webhook.ping or webhook_endpoint.disabled.")]
    timestamp: Annotated[Moment, Meta(description="When it happened.")]
    livemode: Annotated[bool, Meta(description="As the endpoint's.")]
    event: Annotated[dict[str, Any], Meta(description="Empty.")]
    data: Annotated[dict[str, Any], Meta(description="The endpoint it is about.")]
