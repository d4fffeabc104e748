"""Writes webhook endpoints: a new one, a change that is acceptable, a new secret; sealed on the way."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from common.errors import Conflict
from common.guarded_http import DownloadFailed
from common.keyring import Keyring, Sealed
from common.signing import new_secret
from common.uuid7 import uuid7
from middleware.auth import Caller
from models.gen import teams, webhook_deliveries, webhook_endpoints
from models.gen.rows import AccountMode, Connection, WebhookEndpoint
from models.violation import MOST_TOLD
from models.webhook import (
    EVENT_TYPES,
    MOST_AT_ONCE,
    NewWebhookEndpoint,
    RetiredSecret,
    WebhookEndpointChange,
    WebhookSecrets,
    is_known,
)
from routes.body import JSON, PATCH_TYPES, body_violations, converted, parse_json, raw_body, refuse
from routes.parts import ApiRequest, Parts

MOST_ENDPOINTS = 20
"""Of one team."""
MOST_EARLIER_SECRETS = 8
"""Of one endpoint; each makes every message a signature longer."""


async def read_endpoint[T](request: ApiRequest, parts: Parts, kind: type[T]) -> T:
    """The body as `kind`, whose address may be called. Raises Invalid (422) with all violations."""
    is_patch = request.method == "PATCH"
    taken = (PATCH_TYPES, "Accept-Patch") if is_patch else ((JSON,), "Accept")
    document = parse_json(await raw_body(request, *taken))
    errors = body_violations(kind, document)
    if isinstance(document, dict):
        errors += pattern_violations(document)
        if not any(error["pointer"] == "/url" for error in errors):
            errors += await address_violations(parts, document, request.auth)
    refuse(errors)
    return converted(document, kind)


def pattern_violations(document: dict[str, Any]) -> list[dict[str, str]]:
    """Every pattern that no event can match."""
    patterns = document.get("events")
    if not isinstance(patterns, list):
        return []
    known = ", ".join(EVENT_TYPES)
    return [
        {
            "pointer": f"/events/{nth}",
            "code": "unknown_event",
            "message": f"No event is named so. There are: {known}; * stands at the end alone.",
        }
        for nth, pattern in enumerate(patterns[:MOST_TOLD])
        if isinstance(pattern, str) and not is_known(pattern)
    ]


async def address_violations(
    parts: Parts, document: dict[str, Any], caller: Caller
) -> list[dict[str, str]]:
    """Whatever keeps us from calling the address, when there is one."""
    if "url" not in document:
        return []
    try:
        await parts.assets.client.check(document["url"], asker=caller.team_id)
    except DownloadFailed as error:
        return [{"pointer": "/url", "code": error.code, "message": f"{error.message}."}]
    return []


async def add(
    connection: Connection, keyring: Keyring, wanted: NewWebhookEndpoint, caller: Caller
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret."""
    await _take_address(connection, wanted.url, caller.team_id, caller.mode)
    count = await webhook_endpoints.count_webhook_endpoints(connection, team_id=caller.team_id)
    if (count or 0) >= MOST_ENDPOINTS:
        raise Conflict(
            f"A team has at most {MOST_ENDPOINTS} endpoints; remove one first.",
            code="too_many_webhook_endpoints",
        )
    endpoint_id, secret = uuid7(), new_secret()
    sealed, fingerprint = _seal(keyring, WebhookSecrets(secret), endpoint_id)
    row = await webhook_endpoints.create_webhook_endpoint(
        connection,
        id=endpoint_id,
        team_id=caller.team_id,
        mode=caller.mode,
        url=wanted.url,
        events=wanted.events,
        credentials=sealed.ciphertext,
        credentials_key_id=sealed.key_id,
        credentials_fingerprint=fingerprint,
        max_running=MOST_AT_ONCE,
    )
    return _there(row), secret


async def apply(
    connection: Connection, change: WebhookEndpointChange, before: WebhookEndpoint
) -> WebhookEndpoint:
    """The endpoint with the change, inside the transaction that has locked it; workers are to be told."""
    if change.url is not UNSET and change.url != before.url:
        await _take_address(connection, change.url, before.team_id, before.mode)
    row = await webhook_endpoints.update_webhook_endpoint(
        connection,
        id=before.id,
        url=before.url if change.url is UNSET else change.url,
        events=before.events if change.events is UNSET else change.events,
        is_enabled=before.disabled_at is None if change.enabled is UNSET else change.enabled,
        most_at_once=MOST_AT_ONCE,
    )
    after = _there(row)
    if after.disabled_at is None and (after.url != before.url or before.disabled_at is not None):
        # their pauses were for a receiver that failed, which this one has not done
        await webhook_deliveries.hurry_webhook_endpoint(connection, id=after.id)
    return after


async def _take_address(connection: Connection, url: str, team_id: UUID, mode: AccountMode) -> None:
    """Until the transaction ends nobody else of the team takes one. Raises Conflict where an endpoint has
    it already: whoever repeats a request whose answer was lost would hear of everything twice."""
    await teams.lock_team(connection, id=team_id)
    there = await webhook_endpoints.get_webhook_endpoint_at(
        connection, team_id=team_id, mode=mode, url=url
    )
    if there is not None:
        raise Conflict(
            f"The endpoint {there} posts to this url already: change its events, or remove it first. If its "
            "secret was lost with an answer, rotate_secret makes a new one.",
            code="webhook_endpoint_exists",
        )


async def rotate(
    connection: Connection, keyring: Keyring, before: WebhookEndpoint
) -> tuple[WebhookEndpoint, str]:
    """The endpoint with a new secret; those before it sign for a day from their own rotation on."""
    stored = _there(await webhook_endpoints.get_webhook_secrets(connection, id=before.id))
    plain = keyring.open(stored.credentials, "ad_accounts", before.id, "credentials")
    secrets = msgspec.json.decode(plain, type=WebhookSecrets)
    secret = new_secret()
    earlier = _good_earlier(secrets, before.previous_secret_until, stored.read_at)
    after = WebhookSecrets(secret, secrets.current, earlier)
    sealed, fingerprint = _seal(keyring, after, before.id)
    row = await webhook_endpoints.replace_webhook_secrets(
        connection,
        id=before.id,
        credentials=sealed.ciphertext,
        credentials_key_id=sealed.key_id,
        credentials_fingerprint=fingerprint,
    )
    return _there(row), secret


def _good_earlier(
    secrets: WebhookSecrets, previous_until: datetime | None, now: datetime
) -> list[RetiredSecret]:
    """Those that sign still, and are not the present one."""
    known = list(secrets.earlier)
    if secrets.previous is not None and previous_until is not None:
        known.append(RetiredSecret(secrets.previous, previous_until))
    return [one for one in known if one.until > now][-MOST_EARLIER_SECRETS:]


def _seal(keyring: Keyring, secrets: WebhookSecrets, endpoint_id: UUID) -> tuple[Sealed, str]:
    plain = msgspec.json.encode(secrets)
    sealed = keyring.seal(plain, "ad_accounts", endpoint_id, "credentials")
    return sealed, keyring.fingerprint(plain)


def _there[Row](row: Row | None) -> Row:
    """A row that its statement always returns."""
    if row is None:
        raise LookupError("the statement returned no row")
    return row
