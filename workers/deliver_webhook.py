"""Tells a caller's server of an event: an ordinary job, at least once, the same bytes on every try."""

import random
import time
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

import msgspec
import structlog

from common import clock, tracing
from common.guarded_http import Answer, DownloadFailed, GuardedClient
from common.keyring import CannotOpen
from common.log import add_ids
from common.signing import signed_headers
from models import audit
from models.database import DATABASE_FAILURES, Pool
from models.gen import webhook_deliveries, webhook_endpoints
from models.gen.rows import Connection
from models.gen.webhook_deliveries import GetWebhookForRunRow as Message
from models.job import JobError
from models.jsonb import clean_text, to_jsonb
from models.webhook import MOST_AT_ONCE, WebhookSecrets, endpoint_view, webhook_id
from workers.kinds import Ended, Outcome, Parked, Run
from workers.missing_keys import wait_for_key
from workers.webhook_bodies import make_body

log = structlog.get_logger()

RETRY_SECONDS = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""Between tries: about three days in all."""
LONGEST_ANSWER = 1024
LONGEST_EXCERPT = 500
FAILING_HOURS = 48
"""An endpoint is disabled when a delivery was tried for days and for so long nothing was received."""
_GONE = 410
_BUSY_SECONDS = 1.0


class Payload(msgspec.Struct, frozen=True):
    """What the queue keeps of a delivery."""

    webhook_delivery_id: UUID


class Told(NamedTuple):
    """What came of a try."""

    http_status: int | None
    error_code: str | None
    answer: str | None
    retry_after: float = 0.0


class DeliverWebhook:
    """Handler of DELIVER_WEBHOOK. `open_secret` opens the sealed secrets of an endpoint.

    Limits keep receivers that hang from work that does not concern them: one per endpoint over all
    workers, which the claim keeps, and `most_at_once` in this worker.
    """

    def __init__(
        self,
        pool: Pool,
        client: GuardedClient,
        open_secret: Callable[[bytes, str, UUID, str], bytes],
        *,
        most_at_once: int,
        answer_seconds: float,
        sink: tracing.Sink | None = None,
    ) -> None:
        self._pool = pool
        self._client = client
        self._open_secret = open_secret
        self._most_at_once = most_at_once
        self._answer_seconds = answer_seconds
        self._sink = sink
        self._running = 0

    async def __call__(self, run: Run) -> Outcome:
        """One try, and when there is to be another."""
        if self._running >= self._most_at_once:
            return Parked(_BUSY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load
        self._running += 1
        try:
            return await self._deliver(run)
        except CannotOpen as closed:
            return wait_for_key(closed)
        except DATABASE_FAILURES as error:
            # it may have been received and not been written down: then it is sent once more
            log.warning("webhook.not_recorded", error=type(error).__name__)
            return Parked(RETRY_SECONDS[0], "retry")
        finally:
            self._running -= 1

    async def abandon(self, run: Run, error: JobError) -> Ended:
        """Ends it undelivered."""
        await webhook_deliveries.fail_webhook_delivery(
            self._pool, id=_delivery_id(run), job_id=run.job.id
        )
        return Ended("FAILED", error=error)

    async def _deliver(self, run: Run) -> Outcome:
        message = await webhook_deliveries.get_webhook_for_run(
            self._pool, id=_delivery_id(run), job_id=run.job.id
        )
        if message is None or message.status == "DELIVERED":
            return Ended("SUCCESS")  # an earlier run could not write its end
        if message.status == "FAILED" or not message.is_listening:
            return await self.abandon(run, _not_delivered("the endpoint hears of nothing any more"))
        body = message.body or await self._write_body(message)
        if body is None:
            return await self.abandon(run, _not_delivered("its job is not kept any more"))
        run.guard()
        self._enter_trace(message)
        begun_at = clock.seconds()
        told = await self._send(run, message, body.encode())
        return await self._record(run, message, told, clock.seconds() - begun_at)

    async def _write_body(self, message: Message) -> str | None:
        body = await make_body(self._pool, message)
        if body is None:
            return None
        written = await webhook_deliveries.write_webhook_body(self._pool, body=body, id=message.id)
        return written or body

    async def _send(self, run: Run, message: Message, body: bytes) -> Told:
        keys = self._keys(run, message)
        headers = signed_headers(keys, webhook_id(message.id), int(time.time()), body)
        try:
            with tracing.span("POST WEBHOOK", "client", type=message.type):
                answer = await self._client.post(
                    message.url,
                    content=body,
                    headers={"Content-Type": "application/json", **headers, **origin(message)},
                    longest_answer=LONGEST_ANSWER,
                    total_seconds=self._answer_seconds,
                    asker=("webhooks", message.team_id),
                )
        except DownloadFailed as error:
            return Told(None, error.code, None)
        return told_by(answer)

    def _enter_trace(self, message: Message) -> None:
        """That of the request whose job it tells of."""
        trace = tracing.parse(message.traceparent) or tracing.new_trace()
        tracing.enter(trace, self._sink)
        add_ids(trace_id=trace.trace_id, request_id=message.request_id or "")

    def _keys(self, run: Run, message: Message) -> list[str]:
        account = run.account
        sealed = self._open_secret(account.credentials, "ad_accounts", account.id, "credentials")
        secrets = msgspec.json.decode(sealed, type=WebhookSecrets)
        keys = [secrets.current]
        if message.is_previous_secret_good and secrets.previous is not None:
            keys.append(secrets.previous)
        return keys + [one.secret for one in secrets.earlier if one.until > message.read_at]

    async def _record(self, run: Run, message: Message, told: Told, seconds: float) -> Outcome:
        async with self._pool.acquire() as connection, connection.transaction():
            has_failed = told.error_code is not None
            has_moved = has_failed and not await is_there_still(connection, message)
            is_gone = told.http_status == _GONE and not has_moved
            delay = None if is_gone else next_delay(message, told, has_moved=has_moved)
            is_over = has_failed and delay is None
            status = "DELIVERED" if not has_failed else "FAILED" if is_over else "PENDING"
            await webhook_deliveries.record_webhook_try(
                connection,
                id=message.id,
                job_id=run.job.id,
                status=status,
                duration_seconds=seconds,
                duration_ms=round(seconds * 1000),
                http_status=told.http_status,
                error_code=told.error_code,
                answer=told.answer,
                url=message.url,
                most_at_once=MOST_AT_ONCE,
            )
            if is_over:
                await disable_after(connection, message, is_gone=is_gone)
        log.info("webhook.tried", type=message.type, status=status, code=told.error_code)
        if status == "DELIVERED":
            return Ended("SUCCESS")
        if delay is None:
            return Ended("FAILED", error=_not_delivered(f"given up: {told.error_code}"))
        return Parked(delay, "retry")


async def is_there_still(connection: Connection, message: Message) -> bool:
    """Whether the endpoint has the address yet that was called; another one has not said anything."""
    endpoint = await webhook_endpoints.get_webhook_endpoint(
        connection, id=message.webhook_endpoint_id, team_id=message.team_id
    )
    return endpoint is None or endpoint.url == message.url


def origin(message: Message) -> dict[str, str]:
    """Headers that lead back to the request whose job it tells of, and to this try."""
    trace = tracing.current()
    traced = {} if trace is None else {"traceparent": trace.traceparent}
    return traced | ({"X-Request-Id": message.request_id} if message.request_id else {})


def told_by(answer: Answer) -> Told:
    """Only 2xx means received."""
    excerpt = clean_text(answer.beginning.decode("utf-8", "replace"))
    printable = "".join(c if c.isprintable() else " " for c in excerpt)
    shown = " ".join(printable.split())[:LONGEST_EXCERPT]
    after = answer.retry_after or ""
    seconds = min(float(after), RETRY_SECONDS[-1]) if after.isascii() and after.isdigit() else 0.0
    return Told(answer.status, _error_code(answer.status), shown, seconds)


def next_delay(message: Message, told: Told, *, has_moved: bool = False) -> float | None:
    """Seconds until the next try; None when there is none. Spread by a tenth; longer when asked to; none
    where the endpoint has another address by now, which has not failed."""
    if message.tries_since_queued >= len(RETRY_SECONDS):
        return None
    if has_moved:
        return 0.0
    planned = RETRY_SECONDS[message.tries_since_queued]
    return max(planned * random.uniform(0.9, 1.1), told.retry_after)  # noqa: S311 - spreads load


async def disable_after(connection: Connection, message: Message, *, is_gone: bool) -> None:
    """No further deliveries to an endpoint that is gone, or that received nothing for days."""
    reason = "gone" if is_gone else "failing"
    disabled = await webhook_endpoints.disable_webhook_endpoint(
        connection,
        id=message.webhook_endpoint_id,
        url=message.url,
        reason=reason,
        failing_hours=None if is_gone else FAILING_HOURS,
    )
    if disabled is None:
        return
    view = endpoint_view(disabled)
    actor = audit.Actor(message.team_id, "worker")
    await audit.record(connection, actor, "webhook_endpoint.disabled", view.id, after=view)
    ids = await webhook_deliveries.tell_of_disabled_endpoint(
        connection, facts=to_jsonb(view), team_id=message.team_id, mode=message.mode
    )
    await webhook_deliveries.queue_webhook_deliveries(connection, ids=ids)
    log.warning("webhook_endpoint.disabled", webhook_endpoint_id=str(view.id), reason=reason)


def _error_code(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return "redirect_refused"
    return "gone" if status == _GONE else "bad_status"


def _delivery_id(run: Run) -> UUID:
    return msgspec.json.decode(run.request.payload, type=Payload).webhook_delivery_id


def _not_delivered(message: str) -> JobError:
    return JobError(code="webhook_not_delivered", message=message, retryable=True)
