"""What an ad platform must do so that a campaign job can be built on it."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID

import msgspec

from models.credentials import Account
from models.plan import PlannedStep
from models.verification import AccountFacts

type Called = Callable[[str, str, float], None]
"""Hears of every call: platform, outcome (`done` or the name of a step error), seconds."""


def unmeasured(platform: str, outcome: str, seconds: float) -> None:
    """For where nobody measures."""


class Done(msgspec.Struct, frozen=True):
    """It exists. `detail` is what later steps need, as JSON values (a video's thumbnail, for one)."""

    platform_id: str
    detail: dict[str, Any] = {}


class StoredMedia(msgspec.Struct, frozen=True):
    """The bytes of one media entry, complete in a local file, of the kind that was asked for."""

    path: Path
    kind: Literal["image", "video"]
    content_type: str
    size_bytes: int
    sha256: str
    file_name: str


class StepContext(msgspec.Struct, frozen=True):
    """All that one step may use; an adapter needs and knows nothing else."""

    step: PlannedStep
    job_id: UUID
    account: Account
    request: Any
    """The platform's request struct."""
    outcomes: Mapping[str, Done]
    """Of every finished step of the job, by step name."""
    progress: Mapping[str, Any]
    """What this step saved in an earlier run (an upload session), else empty."""
    deadline_seconds: float
    """The longest that one call may take in all, from the first byte of the connection to the last; one
    that carries a file may take longer by what the file needs on a slow line."""
    write_deadline: float
    """On `common.clock.seconds`: by then the one call that creates something must have ended. It
    lies `deadline_seconds` after the moment before the intent was written."""
    run: UUID
    """Of the job; no other one has this name."""
    earlier_run: UUID | None
    """The one that tried this step last, if any did, by whatever release: it may have said less."""
    save: Callable[[dict[str, Any]], Awaitable[None]]
    """Stores the step's progress; durable when it returns."""
    go_on: Callable[[], Awaitable[None]]
    """For the call of a step of many that cannot be taken back: raises, to be let through, when nobody wants
    it any more."""
    media: Callable[[], Awaitable[StoredMedia]]
    """The bytes of the media entry that a media step is about."""
    guard: Callable[[], None]
    """Raises ClaimLost when this worker has been out of touch too long to start another call. Call
    it right before every request."""


class Platform(Protocol):
    """One ad platform. Methods raise the StepErrors of `common.errors` or ClaimLost, nothing else.

    One object serves all accounts and jobs of a process; it keeps no token."""

    async def perform(self, context: StepContext) -> Done:
        """Makes the effect happen, once; called only after the intent is durable."""
        ...

    async def find(self, context: StepContext) -> Done | None:
        """Looks for what an earlier, unanswered try of this step may have made, in every status."""
        ...

    def must_look(self, step: PlannedStep) -> bool:
        """Whether a step in doubt has to be looked up before it may be performed again. False where
        the platform itself deduplicates, or where `progress` lets the step go on."""
        ...

    async def account_facts(self, account: Account, deadline_seconds: float) -> AccountFacts | None:
        """What the platform says of the account: currency and least budgets above all. Only reads; None
        where it does not tell."""
        ...

    async def close(self) -> None:
        """Lets connections go."""
        ...
