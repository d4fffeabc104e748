"""Takes a request for a campaign on any platform: checks all of it, then makes one job of it, once."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta

from common.errors import CallerError, Conflict, Invalid, TooManyRequests
from common.repeated_names import is_clearly_free
from common.uuid7 import uuid7
from models.gen import ad_accounts, campaign_jobs, media_assets
from models.gen.rows import AdAccount, CampaignJob, CampaignRequest, Connection
from models.job import LANES, JobView, StepView, first_view, job_view
from models.media import MediaKind
from models.plan import PlannedStep, plan
from routes.access import reachable, require_active, require_mode
from routes.answer import Answer
from routes.body import (
    NUL,
    converted,
    has_endless,
    has_exponent,
    parse_json,
    raw_body,
    refuse,
    text_violations,
)
from routes.campaign_jobs import job_headers
from routes.idempotency import canonical, fingerprint, idempotency_key, require_same
from routes.job_writes import NewJob
from routes.parts import ApiRequest, Parts

SAFE_LEVELS = 1000
"""No nesting is deeper than there are brackets; so few levels every reader of JSON survives."""

type Violations = list[dict[str, str]]

_WITH_ARTICLE = {"image": "an image", "video": "a video", "audio": "a sound"}
_MOST_LOOKS = 3
"""An account may be changed between the look at it and the write."""


class IntakeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How to take a request."""

    validate_only: Annotated[
        bool, Meta(description="Check everything and show the steps, but write and do nothing.")
    ] = False


class PlannedJob(msgspec.Struct, frozen=True, kw_only=True):
    """What an acceptable request would do."""

    valid: Annotated[bool, Meta(description="True: the request would be accepted.")] = True
    ad_account_id: Annotated[UUID, Meta(description="Our id of the ad account.")]
    platform_type: Annotated[str, Meta(description="The platform.")]
    livemode: Annotated[bool, Meta(description="Whether real money can be spent.")]
    steps: Annotated[list[StepView], Meta(description="Every step in order.")]


class Door(msgspec.Struct, frozen=True):
    """What the intake must know of a platform."""

    platform_type: str
    kind: type[Any]
    check: Callable[[Any, AdAccount | None], Violations]
    """Rules over a request whose types are right; the account's own limits where it is known."""
    inspect: Callable[[Any], Violations]
    """Everything wrong with any JSON value, types and rules together."""
    assets: Callable[[Any], Sequence[tuple[str, UUID, MediaKind | None]]]
    """Assets that a request names: pointer, id, and what kind each must be, None where any will do."""
    refused_file: Callable[[str, str, int], str | None]
    """Why the platform would not take a file of this kind, type and size."""


class Asked(msgspec.Struct, frozen=True):
    """One request, read and not yet judged."""

    door: Door
    request: Any
    body: bytes
    key: str | None
    fingerprint: bytes | None


async def accept(
    request: ApiRequest, parts: Parts, door: Door, *, validate_only: bool
) -> Answer[JobView | PlannedJob]:
    """The answer to a request: a job, the same job as before, or a plan. Raises CallerError."""
    asked = await _read(request, door)
    known = None if validate_only else _remembered(request, parts, asked)
    if known is not None and await _refusal(parts.pool, request, asked, known) is None:
        with contextlib.suppress(
            TooManyRequests
        ):  # an earlier request with its key may be answered
            write = parts.job_writes.write
            answer = await _take(parts.pool, write, request, parts, asked, known)
            if answer is not None:
                return answer
    async with parts.pool.acquire() as connection:
        return await _judge(connection, request, parts, asked, validate_only=validate_only)


async def _judge(
    connection: Connection, request: ApiRequest, parts: Parts, asked: Asked, *, validate_only: bool
) -> Answer[JobView | PlannedJob]:
    """With the account as it is now; tells why the request cannot be accepted."""
    team_id = request.auth.team_id
    for _ in range(_MOST_LOOKS):
        account = await _resolve(connection, asked, team_id)
        refusal = await _refusal(connection, request, asked, account)
        if refusal is None and account is not None:
            if validate_only:
                planned = plan(asked.door.platform_type, asked.request)
                return Answer(_plan_view(account, planned), status_code=200)
            parts.accounts.remember(account)
            write = partial(_write_alone, connection)
            try:
                answer = await _take(connection, write, request, parts, asked, account)
            except TooManyRequests as full:
                answer, refusal = None, full
            if answer is not None:
                return answer
        earlier = None if validate_only else await _earlier(connection, asked, team_id)
        if earlier is not None:
            replayed = await _replayed(connection, request, earlier, asked)
            if replayed is not None:
                return replayed
        elif refusal is not None:
            raise refusal
    raise Conflict(
        "The ad account is being changed again and again. Send the request once more.",
        code="ad_account_changed",
    )


async def _take(
    connection: Connection,
    write: Callable[[NewJob], Awaitable[CampaignJob | None]],
    request: ApiRequest,
    parts: Parts,
    asked: Asked,
    account: AdAccount,
) -> Answer[JobView | PlannedJob] | None:
    """The answer to an acceptable request; None when it is not new, or the account not as it was.

    Raises TooManyRequests when too many jobs are open."""
    planned = plan(asked.door.platform_type, asked.request)
    held = await parts.open_jobs.hold(connection, account.id, request.auth.team_id)
    try:
        job = await write(_new_job(request, asked, account, planned))
    except asyncpg.NumericValueOutOfRangeError:
        message = "A number has more digits than can be kept."
        violation = {"pointer": "", "code": "invalid_number", "message": message}
        raise Invalid(message, code="invalid_request", errors=[violation]) from None
    finally:
        parts.open_jobs.release(held)
    if job is None:
        return None
    parts.notifier.notify()
    return Answer(job_view(job, (), planned), status_code=202, headers=job_headers(job.id))


async def _write_alone(connection: Connection, job: NewJob) -> CampaignJob | None:
    """Waits for whoever is changing the account just now."""
    return await campaign_jobs.create_campaign_job(
        connection, kind="BUILD_CAMPAIGN", **msgspec.structs.asdict(job)
    )


def _remembered(request: ApiRequest, parts: Parts, asked: Asked) -> AdAccount | None:
    wanted = asked.request
    return parts.accounts.find(
        request.auth.team_id,
        wanted.ad_account_id if isinstance(wanted.ad_account_id, UUID) else None,
        asked.door.platform_type,
        wanted.platform_account_id if isinstance(wanted.platform_account_id, str) else None,
    )


async def _read(request: ApiRequest, door: Door) -> Asked:
    key = idempotency_key(request.headers.getall("idempotency-key", []))
    body = await raw_body(request)
    if body.count(b"[") + body.count(b"{") > SAFE_LEVELS:
        parse_json(
            body
        )  # refuses what is nested so deeply that a reader behind this one would fail
    try:
        wanted = msgspec.json.decode(body, type=door.kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        document = parse_json(body)
        has_nul = NUL in body  # looking through a large document for it costs more than reading it
        refuse(door.inspect(document) + (text_violations(document) if has_nul else []))
        wanted = converted(document, door.kind)
    if NUL in body or has_exponent(body):
        refuse(text_violations(parse_json(body)))
    anew = canonical(body)
    if not is_clearly_free(body, anew) or has_endless(body, anew):
        parse_json(body)  # refuses names that stand twice, and numbers that cannot be kept
    return Asked(
        door, wanted, body, key, None if key is None else fingerprint(door.platform_type, anew)
    )


async def _resolve(connection: Connection, asked: Asked, team_id: UUID) -> AdAccount | None:
    if isinstance(asked.request.ad_account_id, UUID):
        return await ad_accounts.get_ad_account(
            connection, id=asked.request.ad_account_id, team_id=team_id
        )
    if isinstance(asked.request.platform_account_id, str):
        return await ad_accounts.get_ad_account_by_platform_id(
            connection,
            platform_type=asked.door.platform_type,
            platform_account_id=asked.request.platform_account_id,
            team_id=team_id,
        )
    return None


async def _refusal(
    connection: Connection, request: ApiRequest, asked: Asked, account: AdAccount | None
) -> CallerError | None:
    """Why the request cannot be accepted: what is wrong with the body comes before the account."""
    try:
        errors = asked.door.check(asked.request, account)
        errors += await _asset_violations(connection, asked, request.auth.team_id)
        errors += _platform_violations(asked, account)
        refuse(errors)
        require_active(reachable(account, request.auth))
    except CallerError as refusal:
        return refusal
    return None


def _platform_violations(asked: Asked, account: AdAccount | None) -> Violations:
    if account is None or account.platform_type == asked.door.platform_type:
        return []
    message = f"This is an account of {account.platform_type}, not of {asked.door.platform_type}."
    return [{"pointer": "/ad_account_id", "code": "wrong_platform", "message": message}]


async def _asset_violations(connection: Connection, asked: Asked, team_id: UUID) -> Violations:
    """Every named asset must be there, belong to the team, and be of the kind that it is used as."""
    named = asked.door.assets(asked.request)
    if not named:
        return []
    rows = await media_assets.list_kinds_of_assets(
        connection, ids=[asset_id for _, asset_id, _ in named], team_id=team_id
    )
    found = {row.id: row for row in rows}
    errors: Violations = []
    for pointer, asset_id, kind in named:
        row = found.get(asset_id)
        if row is None:
            message = "There is no such asset."
            errors.append({"pointer": pointer, "code": "asset_not_found", "message": message})
        elif kind is not None and row.kind != kind:
            message = (
                f"The asset is {_WITH_ARTICLE[row.kind]}; {_WITH_ARTICLE[kind]} is needed here."
            )
            errors.append({"pointer": pointer, "code": "wrong_asset_kind", "message": message})
        elif refused := asked.door.refused_file(row.kind, row.content_type, row.size_bytes):
            errors.append({"pointer": pointer, "code": "asset_not_taken", "message": refused})
    return errors


def _new_job(
    request: ApiRequest, asked: Asked, account: AdAccount, planned: Sequence[PlannedStep]
) -> NewJob:
    return NewJob(
        id=uuid7(),
        ad_account_id=account.id,
        account_updated_at=account.updated_at,
        team_id=request.auth.team_id,
        platform_type=asked.door.platform_type,
        mode=account.mode,
        payload=asked.body.decode(),
        steps_total=len(planned),
        lane=LANES[asked.request.priority],
        idempotency_key=asked.key,
        request_fingerprint=asked.fingerprint,
        requested_by=request.auth.key_id,
        request_id=request.scope["state"]["request_id"],
        traceparent=request.scope["state"]["traceparent"],
    )


async def _earlier(connection: Connection, asked: Asked, team_id: UUID) -> CampaignRequest | None:
    if asked.key is None:
        return None
    return await campaign_jobs.get_request_by_idempotency_key(
        connection, team_id=team_id, idempotency_key=asked.key
    )


async def _replayed(
    connection: Connection, request: ApiRequest, earlier: CampaignRequest, asked: Asked
) -> Answer[JobView | PlannedJob] | None:
    """The first answer again; None when retention has just taken its job, which frees the key."""
    require_same(earlier, asked.fingerprint)
    job = await campaign_jobs.get_campaign_job(
        connection, id=earlier.campaign_job_id, team_id=earlier.team_id
    )
    if job is None:
        return None
    require_mode(request.auth, job.mode)
    # the same fingerprint is the same request, so its plan is the job's
    planned = plan(asked.door.platform_type, asked.request)
    headers = {**job_headers(job.id), "Idempotent-Replayed": "true"}
    return Answer(first_view(job, planned), status_code=202, headers=headers)


def _plan_view(account: AdAccount, planned: Sequence[PlannedStep]) -> PlannedJob:
    steps = [StepView(name=step.name, kind=step.kind, status="PENDING") for step in planned]
    return PlannedJob(
        ad_account_id=account.id,
        platform_type=account.platform_type,
        livemode=account.mode == "live",
        steps=steps,
    )
