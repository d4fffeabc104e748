"""/api/v1/me: what a key is and may do, for whoever holds it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.di import NamedDependency
from msgspec import Meta

from middleware.auth import unusable
from middleware.limits import Rate
from models.gen import api_keys
from models.gen.rows import AccountMode
from routes.parts import ApiRequest, Parts
from routes.readable import readable


class TeamOfKey(msgspec.Struct, frozen=True):
    """Whose objects a key reaches."""

    id: Annotated[UUID, Meta(description="Our id of the team.")]
    name: Annotated[str, Meta(description="Its name.")]


class RateLimit(msgspec.Struct, frozen=True):
    """How often may be asked."""

    name: Annotated[str, Meta(description="key, or team: over all keys of the team.")]
    per_second: Annotated[float, Meta(description="Requests a second for long.")]
    burst: Annotated[int, Meta(description="Requests at once, after a pause.")]


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """The key that asks; never the key itself."""

    id: Annotated[UUID, Meta(description="Our id of the key; the audit log names it.")]
    name: Annotated[str, Meta(description="Its name.")]
    key_prefix: Annotated[str, Meta(description="How the key begins, to tell keys apart.")]
    team: Annotated[TeamOfKey, Meta(description="Whose objects it reaches.")]
    mode: Annotated[
        AccountMode, Meta(description="`sandbox` is a test key: it reaches sandbox accounts only.")
    ]
    livemode: Annotated[bool, Meta(description="False where no money can be spent.")]
    scopes: Annotated[list[str], Meta(description="What it may do.")]
    rate_limits: Annotated[
        list[RateLimit],
        Meta(description="All of them hold at once; none: as often as one likes."),
    ]
    created_at: Annotated[datetime, Meta(tz=True, description="When it was made.")]
    expires_at: Annotated[
        datetime | None, Meta(description="When it ends; null: when it is revoked.")
    ]


@readable("/me", opt={"scope": None})
async def show_key(request: ApiRequest, parts: NamedDependency[Parts]) -> KeyView:
    """Shows the key that asks: its team, its scopes, its limits and its end.

    Every key may, whatever its scopes.
    """
    caller = request.auth
    row = await api_keys.get_usable_api_key(parts.pool, id=caller.key_id)
    if row is None:
        raise unusable()
    return KeyView(
        id=row.id,
        name=row.name,
        key_prefix=row.key_prefix,
        team=TeamOfKey(row.team_id, row.team),
        mode=row.mode,
        livemode=row.mode == "live",
        scopes=row.scopes,
        rate_limits=[_shown(rate) for rate in parts.rates.rates_of(caller)],
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _shown(rate: Rate) -> RateLimit:
    return RateLimit(rate.name, rate.per_second, rate.burst)


routes = [show_key]
