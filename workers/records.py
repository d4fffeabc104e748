"""What a step met and brought, as it is written into its row and read from there."""

from typing import Any

import msgspec

from common.errors import Reject, StepError
from models.gen.rows import JobStep
from models.job import JobError
from models.jsonb import clean, foreign_jsonb, to_jsonb
from workers.platforms.base import Done


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


def outcome_text(done: Done | None, progress: dict[str, Any] | None) -> str | None:
    """What a step brought in the end, or has brought so far; None for nothing new."""
    if done is not None:
        return foreign_jsonb(done)
    return None if progress is None else foreign_jsonb(progress)


def done_of(row: JobStep) -> Done:
    """What a finished step brought."""
    return msgspec.json.decode(row.outcome or "null", type=Done)
