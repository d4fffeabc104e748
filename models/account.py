"""An ad account as callers send and see it. Credentials go in and never come out."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from models.gen.rows import AccountMode, AccountStatus, AdAccount
from models.verification import MinimumBudgets

type PlatformType = Literal["META", "GOOGLE_ADS", "TIKTOK_ADS"]
type Name = Annotated[str, Meta(min_length=1, max_length=200, description="For people.")]
type MaxRunning = Annotated[
    int, Meta(ge=1, le=100, description="How many jobs of the account run at a time.")
]
type Configuration = Annotated[
    dict[str, Any],
    Meta(
        description="Settings of the platform, never a secret. Of META `currency` (ISO 4217) and "
        "`min_daily_budget` (as the platform counts it) are read where verifying has not learnt them; other "
        "names are kept for you and not read."
    ),
]
type CredentialsInput = Annotated[
    dict[str, Any],
    Meta(
        description="Of the platform that `platform_type` names. Written only, never shown again.",
        extra_json_schema={"writeOnly": True},
    ),
]
type Moment = Annotated[datetime, Meta(tz=True)]

MAX_RUNNING: dict[PlatformType, int] = {"META": 4, "GOOGLE_ADS": 1, "TIKTOK_ADS": 4}
"""Unless the caller says otherwise; mutates of one Google Ads account conflict."""
_SAME = Meta(description="May be repeated, not changed.")
type _NewStatus = Annotated[
    Literal["ACTIVE", "INACTIVE"] | UnsetType,
    Meta(description="INACTIVE accounts take no new jobs."),
]

LONGEST_CONFIGURATION = 64 * 1024
"""Bytes of the settings of one account, which lists show 200 times and caches hold 10,000 times."""
ACCOUNT_IDS: dict[PlatformType, str] = {"META": "^act_[0-9]{1,32}$"}
"""How each platform writes its account ids."""
ACCOUNT_ID_EXAMPLES: dict[PlatformType, str] = {"META": "act_1234567890"}
"""One for each pattern: it says more to people."""


class MetaSettings(msgspec.Struct, frozen=True):
    """What is read of the settings of a Meta account; other names are the caller's own."""

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}(?!\s)$", examples=["EUR"])] | None = None
    min_daily_budget: Annotated[int, Meta(ge=0)] | None = None


SETTINGS: dict[str, type[msgspec.Struct]] = {"META": MetaSettings}


class NewAccount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account that exists on the platform, and the credentials that open it."""

    name: Name
    platform_type: Annotated[PlatformType, Meta(description="The platform.")]
    platform_account_id: Annotated[
        str,
        Meta(min_length=1, max_length=64, description="The platform's id; Meta's begin with act_."),
    ]
    mode: Annotated[AccountMode, Meta(description="A sandbox account can never spend money.")]
    credentials: CredentialsInput
    additional_config: Configuration = {}
    max_running: MaxRunning | UnsetType = UNSET
    owner_user_id: Annotated[
        UUID | None, Meta(description="A user of yours that the account belongs to.")
    ] = None

    def __repr__(self) -> str:
        return f"NewAccount({self.platform_type}, {self.platform_account_id})"


class AccountChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change; what is not named stays. Platform, id and mode of an account never change."""

    name: Name | UnsetType = UNSET
    status: _NewStatus = UNSET
    credentials: CredentialsInput | UnsetType = UNSET
    additional_config: Configuration | UnsetType = UNSET
    max_running: MaxRunning | UnsetType = UNSET
    owner_user_id: Annotated[
        UUID | UnsetType | None, Meta(description="A user of yours; null for none.")
    ] = UNSET
    platform_type: Annotated[PlatformType | UnsetType, _SAME] = UNSET
    platform_account_id: Annotated[str | UnsetType, _SAME] = UNSET
    mode: Annotated[AccountMode | UnsetType, _SAME] = UNSET

    def __repr__(self) -> str:
        return "AccountChange(…)"


class AccountPatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change, as a JSON Merge Patch: null removes what is optional, objects are merged."""

    name: Name | UnsetType = UNSET
    status: _NewStatus = UNSET
    credentials: Annotated[
        CredentialsInput | UnsetType,
        Meta(
            description="Stored ones are sealed and never merged: name every field, null for none."
        ),
    ] = UNSET
    additional_config: Annotated[
        dict[str, Any] | UnsetType | None,
        Meta(
            description="Merged into the stored settings; null removes a setting, or all of them."
        ),
    ] = UNSET
    max_running: Annotated[
        MaxRunning | UnsetType | None, Meta(description="Null is the platform's default.")
    ] = UNSET
    owner_user_id: Annotated[
        UUID | UnsetType | None, Meta(description="Null removes the owner.")
    ] = UNSET
    platform_type: Annotated[PlatformType | UnsetType, _SAME] = UNSET
    platform_account_id: Annotated[str | UnsetType, _SAME] = UNSET
    mode: Annotated[AccountMode | UnsetType, _SAME] = UNSET

    def __repr__(self) -> str:
        return "AccountPatch(…)"


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An ad account. The credentials are not in it and cannot be read back."""

    id: Annotated[UUID, Meta(description="Our id.")]
    name: Annotated[str, Meta(description="For people.")]
    platform_type: Annotated[str, Meta(description="The platform.")]
    platform_account_id: Annotated[str, Meta(description="The platform's id of the account.")]
    status: Annotated[
        AccountStatus,
        Meta(
            description="Only ACTIVE accounts take jobs. REQUIRES_REAUTH: the platform refuses the "
            "credentials; replace them."
        ),
    ]
    mode: Annotated[AccountMode, Meta(description="A sandbox account can never spend money.")]
    livemode: Annotated[bool, Meta(description="Whether real money can be spent.")]
    max_running: Annotated[int, Meta(description="How many of its jobs run at a time.")]
    throttled_until: Annotated[
        Moment | None, Meta(description="The platform asked for a pause until then.")
    ]
    has_credentials: Annotated[bool, Meta(description="Whether credentials are stored.")]
    credentials_updated_at: Annotated[Moment, Meta(description="When they were last replaced.")]
    credentials_fingerprint: Annotated[
        str, Meta(description="Equal for equal credentials; tells nothing about them.")
    ]
    owner_user_id: Annotated[UUID | None, Meta(description="As the caller gave it.")]
    additional_config: Annotated[dict[str, Any], Meta(description="Settings of the platform.")]
    verified_at: Annotated[
        Moment | None,
        Meta(description="When these credentials were last verified; null when they never were."),
    ]
    token_expires_at: Annotated[
        Moment | None, Meta(description="When their token ends, as far as verifying told.")
    ]
    data_access_expires_at: Annotated[
        Moment | None, Meta(description="When the token's user must sign in again, likewise.")
    ]
    currency: Annotated[
        str | None,
        Meta(
            description="The account's currency (ISO 4217), learnt by verifying or by its first job."
        ),
    ]
    timezone_name: Annotated[
        str | None, Meta(description="Where its days begin and end, learnt by verifying.")
    ]
    minimum_budgets: Annotated[
        MinimumBudgets | None,
        Meta(
            description="Learnt by verifying or by its first job; requests with smaller budgets are refused."
        ),
    ]
    created_at: Annotated[Moment, Meta(description="When it was added.")]
    updated_at: Annotated[
        Moment,
        Meta(
            description="When it was last changed, by a caller, by verifying or by what its first job learnt."
        ),
    ]


class AccountPage(msgspec.Struct, frozen=True):
    """Part of a list, newest first."""

    data: Annotated[list[AccountView], Meta(description="The accounts.")]
    next_cursor: Annotated[
        str | None, Meta(description="For the next page; null when this is the last.")
    ]
    livemode: Annotated[
        bool, Meta(description="Whether a live key asks; a test key sees no live account.")
    ]


def account_view(account: AdAccount) -> AccountView:
    """The account as it stands now."""
    return AccountView(
        id=account.id,
        name=account.name,
        platform_type=account.platform_type,
        platform_account_id=account.platform_account_id,
        status=account.status,
        mode=account.mode,
        livemode=account.mode == "live",
        max_running=account.max_running,
        throttled_until=account.throttled_until,
        has_credentials=bool(account.credentials),
        credentials_updated_at=account.credentials_updated_at,
        credentials_fingerprint=account.credentials_fingerprint,
        owner_user_id=account.owner_user_id,
        additional_config=msgspec.json.decode(account.additional_config),
        verified_at=account.verified_at,
        token_expires_at=account.token_expires_at,
        data_access_expires_at=account.data_access_expires_at,
        currency=account.currency,
        timezone_name=account.timezone_name,
        minimum_budgets=minimum_budgets(account),
        created_at=account.created_at,
        updated_at=account.updated_at,
    )


def minimum_budgets(account: AdAccount) -> MinimumBudgets | None:
    """What verifying, or the first job, learnt of them."""
    stored = account.minimum_budgets
    return None if stored is None else msgspec.json.decode(stored, type=MinimumBudgets)
