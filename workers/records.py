"""What a step met and brought, as it is written into its row and read from there."""

from datetime import datetime, timedelta

import msgspec
import structlog

from common.errors import Reject, StepError, Unknown, Wait
from common.plain_words import counted
from models import activation
from models.gen.rows import JobStep
from models.job import NOTHING_TO_DO, JobError
from models.jsonb import clean, to_jsonb
from models.marker import where_to_look
from models.plan import LAYERS_THAT_COUNT
from workers.effects import Pace
from workers.platforms.base import Done
from workers.writes import Intent, Record

log = structlog.get_logger()

LONGEST_PAUSE = timedelta(minutes=30)
"""Between two tries that follow each other; no backoff of a step's eight attempts is longer."""
LOOK_AGAIN = "Ask for a retry of the job, which looks again."
_decode_done = msgspec.json.Decoder(Done).decode


def job_error(step_name: str | None, error: StepError) -> JobError:
    """A step's error as callers see it; foreign text is cleaned and cut."""
    return msgspec.convert(
        clean(
            {
                "step": step_name,
                "code": error.code,
                "message": error.message,
                "remedy": error.remedy,
                "retryable": getattr(error, "retryable", not isinstance(error, Reject)),
                "pointer": error.pointer,
                "upstream": error.upstream,
            }
        ),
        JobError,
    )


def error_text(step_name: str, error: StepError | None) -> str | None:
    """The same as jsonb text; None for no error."""
    return None if error is None else to_jsonb(job_error(step_name, error))


def done_of(row: JobStep) -> Done:
    """What a finished step brought."""
    return _decode_done(row.outcome or "null")


def begun(intent: Intent, row: JobStep | None, now: datetime) -> JobStep:
    """The row of a step whose intent was written just now, over what stood there before."""
    # in the order of the columns: sixteen names would take six times as long
    return JobStep(
        intent.campaign_job_id,
        intent.name,
        intent.position,
        intent.kind,
        "RUNNING",
        intent.attempt,
        0,  # looks
        intent.request_digest,
        None if row is None else row.outcome,
        None,  # platform_id
        None if row is None else row.error,
        intent.claim_token,
        now,
        None,  # due_at
        now if row is None else began_at(row, now),
        None,  # finished_at
        intent.call_seconds,
    )


def written(row: JobStep, record: Record, due_at: datetime | None) -> JobStep:
    """The row of a step after this was recorded in it."""
    return JobStep(
        row.campaign_job_id,
        row.name,
        row.position,
        row.kind,
        record.status,
        record.attempt,
        record.looks,
        row.request_digest,
        row.outcome if record.outcome is None else record.outcome,
        record.platform_id,
        record.error,
        record.claim_token,
        row.intent_at,
        due_at,
        row.started_at,
        row.finished_at,
        row.call_seconds,
    )


def seconds_until_quiet(row: JobStep, pace: Pace, passed: float) -> float:
    """Until no earlier call of this step can still be at work, when so many seconds have surely passed
    since its intent: also none of a worker that lets calls take longer."""
    longest = max(pace.call_seconds, row.call_seconds)
    return longest + pace.lag_seconds - passed


def began_at(row: JobStep, now: datetime) -> datetime:
    """Since when the step has been tried again and again; StartSteps says the same. Hours in which
    nobody tried are none of them: a throttle, a dead token, workers that were down."""
    was_left_alone = row.intent_at is not None and now - row.intent_at > LONGEST_PAUSE
    return now if was_left_alone or row.started_at is None else row.started_at


def last_error(row: JobStep) -> StepError:
    """What the step met last, as far as its row still tells."""
    if row.error is None:
        return Unknown("the platform gave no answer", code="no_answer")
    last = msgspec.json.decode(row.error, type=JobError)
    upstream = None if last.upstream is None else msgspec.to_builtins(last.upstream)
    return Unknown(last.message, code=last.code, remedy=last.remedy, upstream=upstream)


def was_made_to_wait(row: JobStep) -> bool:
    """Whether the last it met was a throttle or a dead token, which cost no attempt."""
    if row.error is None:
        return False
    code = msgspec.json.decode(row.error, type=JobError).code
    return code.startswith("throttled") or code == "token_rejected"


def is_known_to_count(row: JobStep) -> bool:
    """Of a doubt that costs an attempt once it is resolved, also when a look must wait meanwhile."""
    return row.status == "IN_DOUBT" and row.error is not None and not was_made_to_wait(row)


def given_up(error: StepError, attempt: int) -> Reject:
    """What a step ends with that met the same again and again."""
    # what was nothing to worry about while the job went on by itself needs somebody now
    is_told = error.remedy and not error.remedy.startswith(NOTHING_TO_DO)
    return Reject(
        f"gave up after {counted(attempt, 'attempt')}: {error.message}",
        code=error.code,
        remedy=error.remedy if is_told else "Ask for a retry when the platform is well again.",
        upstream=error.upstream,
        pointer=error.pointer,
        retryable=True,
    )


def tell_of_doubt(row: JobStep, error: Reject, *, is_in_doubt: bool) -> None:
    """Of an object that may exist, or a campaign that may spend, although the step has failed."""
    if row.kind == "activate":
        if is_in_doubt or activation.may_be_active(row):
            error.code = activation.ACTIVATION_IN_DOUBT
            # another request would make a second campaign beside one that may spend
            others = error.remedy if error.retryable else ""
            error.remedy, error.retryable = activation.remedy(others), True
    elif is_in_doubt:
        # nobody's request is why a look was refused; a retry looks again
        if not error.retryable:
            error.remedy, error.retryable, error.pointer = LOOK_AGAIN, True, None
        if row.kind in LAYERS_THAT_COUNT:
            error.remedy = f"{error.remedy} {where_to_look(row.campaign_job_id, row.name)}"


def not_yet(row: JobStep, seconds: float) -> Wait:
    """What a step meets that is begun before its own time."""
    error = None if row.error is None else msgspec.json.decode(row.error, type=JobError)
    return Wait(
        "the step's own time has not come",
        code="not_yet" if error is None else error.code,
        reason="in_doubt" if row.status in ("RUNNING", "IN_DOUBT") else "retry",
        seconds=seconds,
    )


def in_doubt_for(seconds: float) -> Wait:
    """What a step meets whose earlier call may still be at work."""
    return Wait(
        "it is not known yet whether the platform carried an earlier call out",
        code="in_doubt",
        reason="in_doubt",
        seconds=seconds,
    )


def met(step_name: str, error: Exception) -> StepError:
    """What a look met. A fault of our own, or of an answer, leaves the doubt as it was."""
    if isinstance(error, StepError):
        return error
    log.error("step.look_crashed", step=step_name, exc_info=error)
    return unexpected(error)


def unexpected(error: Exception) -> Unknown:
    """What a fault of our own leaves behind: nobody knows what the call has done."""
    return Unknown(
        f"an unexpected {type(error).__name__} in our own program", code="internal_error"
    )
