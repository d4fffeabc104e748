"""What each platform asks for before it lets us in; never shown, logged or printed."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

type Secret = Annotated[str, Meta(min_length=1, max_length=4096)]
type PlatformId = Annotated[str, Meta(pattern=r"^[0-9]{1,32}(?!\s)$", examples=["1000000002"])]


class MetaCredentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Credentials of a Meta ad account."""

    access_token: Annotated[
        Secret, Meta(description="User or system user token with ads_management.")
    ]
    app_secret: Annotated[
        Secret | None,
        Meta(
            description="Secret of the app the token belongs to; every call then carries its proof."
        ),
    ] = None
    page_id: Annotated[PlatformId | None, Meta(description="The page that ads speak for.")] = None
    instagram_user_id: Annotated[
        PlatformId | None, Meta(description="The Instagram account that ads speak for.")
    ] = None
    pixel_id: Annotated[
        PlatformId | None, Meta(description="The pixel that counts conversions.")
    ] = None

    def __repr__(self) -> str:
        return "MetaCredentials(…)"


type Credentials = MetaCredentials

CREDENTIALS: dict[str, type[Credentials]] = {"META": MetaCredentials}
"""Which struct a platform's credentials are; the platform type stands beside them, no tag inside."""

SECRETS = ("access_token", "app_secret")
"""The fields that open something; the others only name something."""


class Account(msgspec.Struct, frozen=True):
    """An ad account with its opened credentials, for the length of one run."""

    id: UUID
    platform_account_id: str
    mode: Literal["live", "sandbox"]
    credentials: Credentials
    additional_config: dict[str, Any] = {}
