"""A campaign job as callers see it, made from its row, its steps and its plan."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from models import activation
from models.account import AccountView
from models.gen.rows import CampaignJob, JobStatus, JobStep, StepStatus
from models.marker import where_to_look
from models.plan import LAYERS_THAT_COUNT, PlannedStep

type Moment = Annotated[datetime, Meta(tz=True)]
type Priority = Literal["high", "normal", "low"]

LANES: dict[Priority, int] = {"high": 1, "normal": 2, "low": 3}
NOTHING_TO_DO = "Nothing"
"""So begins the remedy of whatever passes by itself."""
BY_ITSELF = "; the job then goes on by itself"
"""So end remedies of waits that somebody must end."""
FINISHED: frozenset[JobStatus] = frozenset({"SUCCESS", "PARTIAL_SUCCESS", "FAILED", "CANCELLED"})


class Upstream(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform itself said."""

    platform: Annotated[str, Meta(description="Which platform answered.")]
    code: Annotated[int | str | None, Meta(description="The platform's error code.")] = None
    subcode: Annotated[int | None, Meta(description="The platform's finer code.")] = None
    message: Annotated[str | None, Meta(description="The platform's message for developers.")] = (
        None
    )
    user_title: Annotated[
        str | None, Meta(description="A title the platform wrote for people.")
    ] = None
    user_message: Annotated[str | None, Meta(description="What the platform tells people.")] = None
    blame: Annotated[
        list[list[str]] | None,
        Meta(description="The fields that the platform blames, in its words."),
    ] = None
    trace_id: Annotated[str | None, Meta(description="For the platform's support.")] = None


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a step, and with it the job, did not succeed, and what to do about it."""

    step: Annotated[
        str | None, Meta(description="The step that failed; null when it was none.")
    ] = None
    code: Annotated[str, Meta(description="A stable word for programs.")]
    message: Annotated[str, Meta(description="What happened, for people.")]
    remedy: Annotated[str, Meta(description="What to do.")] = ""
    retryable: Annotated[
        bool, Meta(description="Whether asking for a retry may help without another request.")
    ] = False
    pointer: Annotated[
        str | None, Meta(description="The blamed place in the request, as a JSON pointer.")
    ] = None
    upstream: Annotated[
        Upstream | None,
        Meta(description="What the platform said; null when it was not the platform."),
    ] = None


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a job."""

    name: Annotated[str, Meta(description="Unique in its job, for example ad_set[0].")]
    kind: Annotated[str, Meta(description="What the step makes.")]
    status: Annotated[StepStatus, Meta(description="How far the step is.")]
    attempt: Annotated[int, Meta(description="Retries and resolved doubts so far.")] = 0
    platform_id: Annotated[str | None, Meta(description="The platform's id of what was made.")] = (
        None
    )
    error: Annotated[JobError | None, Meta(description="What it last met.")] = None
    started_at: Annotated[Moment | None, Meta(description="When it was first begun.")] = None
    finished_at: Annotated[Moment | None, Meta(description="When it was done or failed.")] = None


class Progress(msgspec.Struct, frozen=True):
    """How many of a job's steps are done."""

    done: Annotated[int, Meta(description="Steps done.")]
    total: Annotated[int, Meta(description="Steps planned.")]


class Waiting(msgspec.Struct, frozen=True):
    """Why nobody works on the job now, and until when."""

    reason: Annotated[
        str,
        Meta(
            description="retry, in_doubt, throttled, media_processing, not_ready or reauth_required."
        ),
    ]
    until: Annotated[Moment, Meta(description="When it is looked at again.")]
    since: Annotated[
        Moment | None,
        Meta(
            description="Since when the job has been waiting for this and nothing else, however often it "
            "was looked at meanwhile. There is no end to a throttle: cancel what waits for too long."
        ),
    ] = None


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign job: one request to build one campaign."""

    campaign_job_id: Annotated[UUID, Meta(description="The job's id.")]
    id: Annotated[UUID, Meta(description="The same id, under the name that every object has.")]
    kind: Annotated[str, Meta(description="What kind of work it is; BUILD_CAMPAIGN.")]
    status: Annotated[JobStatus, Meta(description="How far the job is.")]
    ad_account_id: Annotated[UUID, Meta(description="Our id of the ad account it works on.")]
    platform_type: Annotated[str, Meta(description="The platform, for example META.")]
    livemode: Annotated[bool, Meta(description="False where no money can be spent.")]
    progress: Annotated[Progress, Meta(description="Steps done and planned.")]
    waiting: Annotated[
        Waiting | None, Meta(description="Why the job waits; null while it does not.")
    ]
    cancel_requested: Annotated[bool, Meta(description="Whether somebody asked to stop.")]
    steps: Annotated[list[StepView], Meta(description="Every planned step in order.")]
    platform_ids: Annotated[
        dict[str, Any],
        Meta(
            description="The platform's ids in the shape of the request: campaign, ad_sets with id and "
            "ads (id, creative), media by name; null where nothing exists."
        ),
    ]
    platform_campaign_id: Annotated[
        str | None, Meta(description="The campaign's id on the platform, once it exists.")
    ]
    error: Annotated[
        JobError | None,
        Meta(
            description="Why it failed, or what a cancelled job may have left ACTIVE; null otherwise."
        ),
    ]
    created_at: Annotated[Moment, Meta(description="When the request was accepted.")]
    started_at: Annotated[Moment | None, Meta(description="When a worker first began.")]
    finished_at: Annotated[Moment | None, Meta(description="When it ended.")]
    updated_at: Annotated[Moment, Meta(description="When it last changed.")]
    ad_account: Annotated[
        AccountView | UnsetType | None,
        Meta(
            description="The ad account, where `expand=ad_account` asked for it; null when it was "
            "removed."
        ),
    ] = UNSET


def job_view(job: CampaignJob, rows: Sequence[JobStep], planned: Sequence[PlannedStep]) -> JobView:
    """The job as it stands now."""
    by_name = {row.name: row for row in rows}
    steps = [_step_view(job, step, by_name.get(step.name)) for step in planned]
    # of a new job, which the busiest route shows, nothing is there to be looked for
    progress = Progress(sum([step.status == "DONE" for step in steps]) if rows else 0, len(steps))
    made = {step.name: step.platform_id for step in steps} if rows else {}
    ids, error = platform_ids(planned, made), _error(job, steps)
    return _view(job, steps, progress, ids, made.get("campaign"), error)


def brief_view(job: CampaignJob, rows: Sequence[JobStep], step_name: object, done: int) -> JobView:
    """The same without what grows with the request: of the steps one at most, of the ids the campaign's.

    `rows` are those of that step, of the campaign and of the activation, as far as they were begun; `done`
    counts all.
    """
    shown = [_begun_step(job, row) for row in rows]
    campaign = next((step.platform_id for step in shown if step.kind == "campaign"), None)
    steps = [step for step in shown if step.name == step_name]
    progress = Progress(done, job.steps_total)
    return _view(job, steps, progress, {"campaign": campaign}, campaign, _error(job, shown))


def _view(
    job: CampaignJob,
    steps: list[StepView],
    progress: Progress,
    ids: dict[str, Any],
    campaign: str | None,
    error: JobError | None,
) -> JobView:
    return JobView(
        campaign_job_id=job.id,
        id=job.id,
        kind=job.kind,
        status=job.status,
        ad_account_id=job.ad_account_id,
        platform_type=job.platform_type,
        livemode=job.mode == "live",
        progress=progress,
        waiting=_waiting(job),
        cancel_requested=job.cancel_requested_at is not None,
        steps=steps,
        platform_ids=ids,
        platform_campaign_id=job.platform_campaign_id or campaign,
        error=error,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        updated_at=job.updated_at,
    )


def first_view(job: CampaignJob, planned: Sequence[PlannedStep]) -> JobView:
    """The job as it was when it was accepted: what an idempotent replay answers."""
    born = msgspec.structs.replace(
        job,
        status="PENDING",
        claim_token=None,
        waiting_reason=None,
        cancel_requested_at=None,
        platform_campaign_id=None,
        error=None,
        started_at=None,
        finished_at=None,
        updated_at=job.created_at,
    )
    return job_view(born, (), planned)


def platform_ids(planned: Sequence[PlannedStep], ids: dict[str, str | None]) -> dict[str, Any]:
    """The ids in the shape of the request, null where nothing exists."""
    tree: dict[str, Any] = {"campaign": ids.get("campaign"), "ad_sets": [], "media": {}}
    for step in planned:
        found = ids.get(step.name)
        match step.kind:
            case "media":
                tree["media"][step.media_key] = found
            case "ad_set":
                tree["ad_sets"].append({"id": found, "ads": []})
            case "creative":
                tree["ad_sets"][step.place[0]]["ads"].append({"id": None, "creative": found})
            case "ad":
                tree["ad_sets"][step.place[0]]["ads"][step.place[1]]["id"] = found
            case "campaign" | "activate":
                pass
    return tree


def _step_view(job: CampaignJob, step: PlannedStep, row: JobStep | None) -> StepView:
    if row is None:
        status: StepStatus = "SKIPPED" if job.status in FINISHED else "PENDING"
        return StepView(name=step.name, kind=step.kind, status=status)
    return _begun_step(job, row)


def _begun_step(job: CampaignJob, row: JobStep) -> StepView:
    error = None if row.error is None else msgspec.json.decode(row.error, type=JobError)
    status = row.status
    if job.status in FINISHED:
        status, error = _left(job, row, error)
    return StepView(
        name=row.name,
        kind=row.kind,
        status=status,
        attempt=row.attempt,
        platform_id=row.platform_id if row.status == "DONE" else None,
        error=error,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _left(
    job: CampaignJob, row: JobStep, met: JobError | None
) -> tuple[StepStatus, JobError | None]:
    """Where a step stays whose job is over: nobody works on it any more, and nobody asks."""
    if row.kind == "activate" and row.status != "DONE" and activation.may_be_active(row):
        return "IN_DOUBT", _left_active(row, met)
    if row.status in ("RUNNING", "IN_DOUBT") and row.kind != "activate":
        return "IN_DOUBT", _left_in_doubt(job, row, met) if row.kind in LAYERS_THAT_COUNT else met
    if row.status in ("DONE", "FAILED", "SKIPPED"):
        return row.status, met
    return "SKIPPED", None if met is None else _left_waiting(met)


def _left_waiting(met: JobError) -> JobError:
    """What goes on by itself while the job does, goes on by a retry now."""
    remedy = f"{_by_hand(met)} A retry of the job goes on with it.".strip()
    return msgspec.structs.replace(met, remedy=remedy, retryable=True)


def _by_hand(met: JobError) -> str:
    """What somebody must do although nothing goes on by itself any more."""
    return "" if met.remedy.startswith(NOTHING_TO_DO) else met.remedy.replace(BY_ITSELF, "")


def _left_active(row: JobStep, met: JobError | None) -> JobError:
    """Of a campaign that may be spending although nobody works on its job any more."""
    code = activation.ACTIVATION_IN_DOUBT
    met = met or JobError(step=row.name, code=code, message="no answer was heard")
    if row.status == "FAILED" and met.code == code:
        return met
    remedy = activation.remedy(_by_hand(met))
    return msgspec.structs.replace(met, code=code, remedy=remedy, retryable=True)


def _left_in_doubt(job: CampaignJob, row: JobStep, met: JobError | None) -> JobError:
    """Of an object that may exist although the job has no id of it."""
    met = met or JobError(step=row.name, code="in_doubt", message="no answer was heard")
    remedy = f"{where_to_look(job.id, row.name)} A retry of the job looks for it first."
    return msgspec.structs.replace(met, remedy=remedy, retryable=True)


def _error(job: CampaignJob, steps: Sequence[StepView]) -> JobError | None:
    """Whatever else ended the job, a campaign that spends, or may, is told of."""
    found = None if job.status == "SUCCESS" or job.status not in FINISHED else _spending(steps)
    if job.error is None or job.status == "CANCELLED":
        return found  # what a cancelled job waited for last is not why it ended
    error = msgspec.json.decode(job.error, type=JobError)
    if found is None or error.step == found.step:
        return found or error
    is_sure = found.code == activation.CAMPAIGN_ACTIVE
    remedy = f"{found.remedy} {error.remedy}" if is_sure else activation.remedy(error.remedy)
    return msgspec.structs.replace(error, remedy=remedy.strip())


def _spending(steps: Sequence[StepView]) -> JobError | None:
    """Of the activation of a job that has ended without success."""
    step = next((step for step in steps if step.kind == "activate"), None)
    if step is None or step.status not in ("IN_DOUBT", "DONE"):
        return None
    if step.status == "IN_DOUBT":
        return step.error
    return JobError(
        step=step.name,
        code=activation.CAMPAIGN_ACTIVE,
        message="everything was done, and the campaign ACTIVE, before the job ended",
        remedy=activation.IS_ACTIVE,
        retryable=True,
    )


def _waiting(job: CampaignJob) -> Waiting | None:
    if job.waiting_reason is None or job.claim_token is not None or job.status in FINISHED:
        return None
    return Waiting(job.waiting_reason, job.due_at, job.waiting_since)
