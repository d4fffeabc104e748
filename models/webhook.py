"""Webhooks as callers see them: endpoints, what they hear of, and the log of deliveries."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from models.gen.rows import (
    WebhookDeliveryStatus,
    WebhookEndpoint,
    WebhookTry,
)
from models.gen.webhook_deliveries import ListWebhookDeliveriesRow

EVENT_TYPES: Final = (
    "job.started",
    "job.waiting",
    "job.step.done",
    "job.step.failed",
    "job.cancel_requested",
    "job.finished",
    "job.retried",
    "webhook_endpoint.disabled",
)
"""What an endpoint can ask for; `webhook.ping` comes only when it was asked for by its own call."""

MOST_AT_ONCE = 8
"""Deliveries to one endpoint that are under way at a time, over all workers."""

type Moment = Annotated[datetime, Meta(tz=True)]
type Patterns = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=100)]],
    Meta(
        min_length=1,
        max_length=50,
        description="Names of events, or patterns that end in *: job.finished, job.step.*, job.*, *.",
    ),
]
type Address = Annotated[
    str, Meta(min_length=1, max_length=2048, description="https address that events are posted to.")
]


class RetiredSecret(msgspec.Struct, frozen=True):
    """One from before the secret before: rotated twice within a day, because an answer was lost perhaps."""

    secret: str
    until: datetime

    def __repr__(self) -> str:
        return "RetiredSecret(…)"


class WebhookSecrets(msgspec.Struct, frozen=True):
    """What signs, as it is sealed: the secret of now, the one before it, and those before that are good."""

    current: str
    previous: str | None = None
    earlier: list[RetiredSecret] = []

    def __repr__(self) -> str:
        return "WebhookSecrets(…)"


class NewWebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An endpoint to be added."""

    url: Address
    events: Patterns


class WebhookEndpointChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall be different; the rest stays."""

    url: Address | UnsetType = UNSET
    events: Patterns | UnsetType = UNSET
    enabled: Annotated[
        bool | UnsetType, Meta(description="false stops deliveries, true begins them again.")
    ] = UNSET


class WebhookEndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """An address that hears of events."""

    id: Annotated[UUID, Meta(description="Our id.")]
    url: Annotated[str, Meta(description="Where events are posted to.")]
    events: Annotated[list[str], Meta(description="Which events: names and patterns.")]
    livemode: Annotated[
        bool, Meta(description="Whether it hears of jobs of live accounts; else of sandbox jobs.")
    ]
    enabled: Annotated[bool, Meta(description="Whether events are delivered.")]
    disabled_at: Annotated[Moment | None, Meta(description="When it was disabled.")]
    disabled_reason: Annotated[
        str | None,
        Meta(description="by_caller, gone (it answered 410) or failing (nothing was received)."),
    ]
    failing_since: Annotated[
        Moment | None, Meta(description="Since when nothing was received; null after a success.")
    ]
    previous_secret_until: Annotated[
        Moment | None,
        Meta(description="Until then the secret before the last rotation signs, too."),
    ]
    created_at: Annotated[Moment, Meta(description="When it was added.")]
    updated_at: Annotated[Moment, Meta(description="When it was last changed.")]


class WebhookEndpointWithSecret(WebhookEndpointView, frozen=True, kw_only=True):
    """The same with the secret, which is told this once."""

    secret: Annotated[
        str, Meta(description="whsec_…: verifies what is posted. It cannot be read again.")
    ]

    def __repr__(self) -> str:
        return "WebhookEndpointWithSecret(…)"


class WebhookEndpointPage(msgspec.Struct, frozen=True):
    """Part of a list, newest first."""

    data: Annotated[list[WebhookEndpointView], Meta(description="The endpoints.")]
    next_cursor: Annotated[
        str | None, Meta(description="For the next page; null when this is the last.")
    ]
    livemode: Annotated[bool, Meta(description="Whether a live key asks.")]


class WebhookTryView(msgspec.Struct, frozen=True, kw_only=True):
    """One try to deliver."""

    number: Annotated[int, Meta(description="Counted from 1.")]
    started_at: Annotated[Moment, Meta(description="When it began.")]
    duration_ms: Annotated[int, Meta(description="How long it took.")]
    http_status: Annotated[int | None, Meta(description="The answer's status, if one came.")]
    error_code: Annotated[
        str | None,
        Meta(
            description="Why it counts as failed: bad_status, redirect_refused, gone, timed_out, "
            "unreachable, address_not_public or url_not_allowed; null when it was received."
        ),
    ]
    answer: Annotated[str | None, Meta(description="The beginning of the answer's body.")]


class WebhookDeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one endpoint."""

    id: Annotated[UUID, Meta(description="Our id.")]
    webhook_id: Annotated[str, Meta(description="The header webhook-id of every try.")]
    type: Annotated[str, Meta(description="The event, for example job.finished.")]
    livemode: Annotated[bool, Meta(description="As the endpoint's.")]
    campaign_job_id: Annotated[UUID | None, Meta(description="The job it is about.")]
    status: Annotated[
        WebhookDeliveryStatus,
        Meta(description="PENDING until it was received or is not tried any more."),
    ]
    tries: Annotated[list[WebhookTryView], Meta(description="What was tried so far, in order.")]
    next_try_at: Annotated[
        Moment | None, Meta(description="When it is tried next; null when it is over.")
    ]
    happened_at: Annotated[Moment, Meta(description="When the event happened.")]
    finished_at: Annotated[Moment | None, Meta(description="When it was over.")]
    payload: Annotated[
        str | None, Meta(description="The bytes that are posted, once the first try began.")
    ]


class WebhookDeliveryPage(msgspec.Struct, frozen=True):
    """Part of a list, newest first."""

    data: Annotated[list[WebhookDeliveryView], Meta(description="The deliveries.")]
    next_cursor: Annotated[
        str | None, Meta(description="For the next page; null when this is the last.")
    ]
    livemode: Annotated[bool, Meta(description="Whether a live key asks.")]


class WebhookReplay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events shall be delivered again."""

    since: Annotated[Moment, Meta(description="Events that happened then or later.")]
    until: Annotated[
        Moment | None, Meta(description="Events that happened before; now when it is left out.")
    ] = None


class WebhookReplayView(msgspec.Struct, frozen=True):
    """How much a replay brings."""

    queued: Annotated[int, Meta(description="Deliveries that are on their way now.")]
    livemode: Annotated[bool, Meta(description="As the endpoint's.")]


def webhook_id(delivery_id: UUID) -> str:
    """The message's id, the same for every try.

    >>> webhook_id(UUID(int=10))
    'msg_0000000000000000000000000000000a'
    """
    return f"msg_{delivery_id.hex}"


def is_known(pattern: str) -> bool:
    """Whether a pattern can ever match.

    >>> is_known("job.step.*"), is_known("*"), is_known("job.*.done"), is_known("job.ended")
    (True, True, False, False)
    """
    start, star, rest = pattern.partition("*")
    if not star:
        return pattern in EVENT_TYPES
    is_whole = start == "" or start.endswith(".")
    return is_whole and not rest and any(name.startswith(start) for name in EVENT_TYPES)


def endpoint_view(row: WebhookEndpoint) -> WebhookEndpointView:
    """The endpoint as it stands now."""
    return WebhookEndpointView(
        id=row.id,
        url=row.url,
        events=row.events,
        livemode=row.mode == "live",
        enabled=row.disabled_at is None,
        disabled_at=row.disabled_at,
        disabled_reason=row.disabled_reason,
        failing_since=row.failing_since,
        previous_secret_until=row.previous_secret_until,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def with_secret(row: WebhookEndpoint, secret: str) -> WebhookEndpointWithSecret:
    """The same with its secret."""
    return WebhookEndpointWithSecret(**msgspec.structs.asdict(endpoint_view(row)), secret=secret)


def delivery_view(
    row: ListWebhookDeliveriesRow, body: str | None, tries: list[WebhookTry], *, livemode: bool
) -> WebhookDeliveryView:
    """The delivery with its tries; `livemode` is its endpoint's."""
    return WebhookDeliveryView(
        id=row.id,
        webhook_id=webhook_id(row.id),
        type=row.type,
        livemode=livemode,
        campaign_job_id=row.campaign_job_id,
        status=row.status,
        tries=[_try_view(one) for one in tries],
        next_try_at=row.next_try_at,
        happened_at=row.happened_at,
        finished_at=row.finished_at,
        payload=body,
    )


def _try_view(row: WebhookTry) -> WebhookTryView:
    return WebhookTryView(
        number=row.number,
        started_at=row.started_at,
        duration_ms=row.duration_ms,
        http_status=row.http_status,
        error_code=row.error_code,
        answer=row.answer,
    )
