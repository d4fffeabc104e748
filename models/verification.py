"""What a look at an ad account through its credentials finds: facts, and findings with their remedies."""

from datetime import datetime
from typing import Annotated, Literal, Protocol, runtime_checkable
from uuid import UUID

import msgspec
from msgspec import Meta

from models.credentials import Account
from models.gen.rows import AccountStatus

type Severity = Literal["error", "warning", "info"]
DEAD = ("token_rejected", "token_expired")
type Moment = Annotated[datetime, Meta(tz=True)]


class Finding(msgspec.Struct, frozen=True):
    """One thing that somebody should know, or should do something about."""

    code: Annotated[str, Meta(description="A stable word for programs.")]
    severity: Annotated[
        Severity,
        Meta(
            description="error: campaigns cannot be built. warning: something is missing or ends soon. "
            "info: nothing need be done."
        ),
    ]
    message: Annotated[str, Meta(description="What was found.")]
    remedy: Annotated[str, Meta(description="What to do about it.")]


class MinimumBudgets(msgspec.Struct, frozen=True):
    """The least for a day of an ad set, and for a campaign's cap, in the currency's smallest unit."""

    impressions: Annotated[int, Meta(description="Of who pays for impressions.")]
    frequent_actions: Annotated[int | None, Meta(description="Of who pays for link clicks.")] = None
    video_views: Annotated[int | None, Meta(description="Of who pays for video views.")] = None
    rare_actions: Annotated[
        int | None, Meta(description="Of who pays for actions that happen seldom.")
    ] = None
    campaign_spend_cap: Annotated[
        int | None, Meta(description="The least cap on what a campaign may spend in all.")
    ] = None


class TokenFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform says of the token."""

    works: Annotated[bool, Meta(description="Whether the platform accepts it.")]
    expires: Annotated[
        Literal["never", "at", "unknown"],
        Meta(description="at: see `expires_at`. unknown: the platform did not tell."),
    ] = "unknown"
    expires_at: Annotated[Moment | None, Meta(description="When it ends.")] = None
    data_access_expires_at: Annotated[
        Moment | None, Meta(description="When its user must sign in again to be seen by the app.")
    ] = None
    application_id: Annotated[
        str | None, Meta(description="The app of the platform that it belongs to.")
    ] = None
    permissions: Annotated[
        list[str] | None, Meta(description="What it may do; null when that could not be learnt.")
    ] = None


class AccountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform says of the account."""

    name: Annotated[str | None, Meta(description="Its name there.")] = None
    status: Annotated[
        str | None, Meta(description="Its state there in the platform's words, such as ACTIVE.")
    ] = None
    currency: Annotated[str | None, Meta(description="ISO 4217, such as EUR.")] = None
    timezone_name: Annotated[
        str | None, Meta(description="Its days begin and end there, such as Europe/Berlin.")
    ] = None
    minimum_budgets: Annotated[
        MinimumBudgets | None, Meta(description="Null when they could not be learnt.")
    ] = None


class PageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A page that the token can speak for."""

    id: Annotated[str, Meta(description="The platform's id.")]
    name: Annotated[str | None, Meta(description="Its name.")] = None
    may_advertise: Annotated[
        bool, Meta(description="Whether the token's user may advertise for it.")
    ]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a platform's adapter found out."""

    token: TokenFacts
    account: AccountFacts | None = None
    pages: list[PageFacts] = []
    findings: list[Finding] = []

    @property
    def is_well(self) -> bool:
        """Campaigns can be built, as far as can be seen from here."""
        return self.token.works and all(found.severity != "error" for found in self.findings)

    @property
    def is_token_dead(self) -> bool:
        """Only another token helps."""
        return any(found.code in DEAD for found in self.findings)


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The state of an ad account's credentials, and of what they open."""

    ad_account_id: Annotated[UUID, Meta(description="Our id of the account.")]
    platform_type: Annotated[str, Meta(description="The platform.")]
    platform_account_id: Annotated[str, Meta(description="The platform's id of the account.")]
    livemode: Annotated[bool, Meta(description="Whether real money can be spent.")]
    ok: Annotated[bool, Meta(description="No finding is an error: campaigns can be built.")]
    status: Annotated[
        AccountStatus,
        Meta(
            description="The account's status now. A dead token makes an ACTIVE account "
            "REQUIRES_REAUTH; one that REQUIRES_REAUTH and verifies well is ACTIVE again."
        ),
    ]
    jobs_woken: Annotated[
        int, Meta(description="How many jobs waited for a token that works, and go on now.")
    ]
    verified_at: Annotated[Moment, Meta(description="When the platform was asked.")]
    token: Annotated[TokenFacts, Meta(description="The token.")]
    account: Annotated[
        AccountFacts | None,
        Meta(description="The account; null when the platform does not show it."),
    ]
    pages: Annotated[list[PageFacts], Meta(description="Pages that ads can speak for.")]
    findings: Annotated[list[Finding], Meta(description="Everything worth knowing, errors first.")]


@runtime_checkable
class Checker(Protocol):
    """A platform that can be asked what credentials are worth."""

    async def check(self, account: Account, deadline_seconds: float) -> Checked:
        """Only reads, each call within the deadline. Raises Retry when the platform cannot be asked
        and Wait when it asks for a pause."""
        ...
