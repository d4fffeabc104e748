"""Examples of what callers send and read about webhooks, and of what is posted to them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from models.job import JobView
from models.webhook import (
    NewWebhookEndpoint,
    WebhookDeliveryPage,
    WebhookDeliveryView,
    WebhookEndpointChange,
    WebhookEndpointPage,
    WebhookEndpointView,
    WebhookEndpointWithSecret,
    WebhookReplay,
    WebhookReplayView,
    WebhookTryView,
    webhook_id,
)
from models.webhook_message import JobMessage, OtherMessage

_ENDPOINT_ID = UUID("01a1fdbb-5e4d-7c3b-9a21-0f1e2d3c4b5a")
_DELIVERY_ID = UUID("01a1fdbf-1a2b-7c3d-8e4f-5a6b7c8d9e0f")
_MORNING = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
_NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
_URL = "https://example.com/hooks/mojito"

_ENDPOINT = WebhookEndpointView(
    id=_ENDPOINT_ID,
    url=_URL,
    events=["job.finished", "job.step.*"],
    livemode=False,
    enabled=True,
    disabled_at=None,
    disabled_reason=None,
    failing_since=None,
    previous_secret_until=None,
    created_at=_MORNING,
    updated_at=_MORNING,
)
_WITH_SECRET = WebhookEndpointWithSecret(
    **msgspec.structs.asdict(_ENDPOINT),
    secret="whsec_…",  # noqa: S106 - shows the form of a secret, and is none
)


def made_with(job: JobView) -> dict[str, dict[str, Any]]:
    """By the name of the struct, then by a name of their own; `job` is what the messages are about."""
    message = JobMessage(
        type="job.finished",
        timestamp=_MORNING,
        livemode=False,
        event={"status": job.status},
        short=False,
        data=job,
    )
    ping = OtherMessage(
        type="webhook.ping",
        timestamp=_MORNING,
        livemode=False,
        event={},
        data={"webhook_endpoint_id": str(_ENDPOINT_ID)},
    )
    delivery = _delivery(job.id, message)
    return {
        "NewWebhookEndpoint": {
            "endpoint": NewWebhookEndpoint(url=_URL, events=["job.finished", "job.step.*"])
        },
        "WebhookEndpointChange": {
            "events": WebhookEndpointChange(events=["*"]),
            "again": WebhookEndpointChange(enabled=True),
        },
        "WebhookEndpointView": {"endpoint": _ENDPOINT},
        "WebhookEndpointWithSecret": {"endpoint": _WITH_SECRET},
        "WebhookEndpointPage": {"page": WebhookEndpointPage([_ENDPOINT], None, livemode=False)},
        "WebhookDeliveryView": {"second_try": delivery},
        "WebhookDeliveryPage": {"page": WebhookDeliveryPage([delivery], None, livemode=False)},
        "WebhookReplay": {"morning": WebhookReplay(since=_MORNING, until=_NOON)},
        "WebhookReplayView": {"queued": WebhookReplayView(12, livemode=False)},
        "JobMessage": {"finished": message},
        "OtherMessage": {"ping": ping},
    }


def _delivery(job_id: UUID, message: JobMessage) -> WebhookDeliveryView:
    return WebhookDeliveryView(
        id=_DELIVERY_ID,
        webhook_id=webhook_id(_DELIVERY_ID),
        type=message.type,
        livemode=False,
        campaign_job_id=job_id,
        status="PENDING",
        tries=[
            WebhookTryView(
                number=1,
                started_at=_MORNING,
                duration_ms=184,
                http_status=502,
                error_code="bad_status",
                answer="upstream is starting",
            )
        ],
        next_try_at=_NOON,
        happened_at=message.timestamp,
        finished_at=None,
        payload=msgspec.json.encode(message).decode(),
    )
