"""Makes, lists and revokes API keys; the key itself is shown once and only its hash is kept."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from common.api_keys import SCOPES, hash_key, key_prefix, make_key
from common.errors import Invalid, NotFound
from common.uuid7 import uuid7
from models import audit
from models.database import Pool
from models.gen import api_keys
from models.gen.api_keys import ListApiKeysRow
from models.teams import ensured_team


class CreatedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key just made. `key` is not kept anywhere."""

    id: UUID
    team_id: UUID
    team: str
    name: str
    key: str
    scopes: list[str]
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"CreatedKey(id={self.id}, name={self.name!r})"


async def create_key(
    pool: Pool,
    *,
    team: str,
    name: str,
    scopes: Sequence[str] = SCOPES,
    live: bool = False,
    expires_at: datetime | None = None,
    rate: tuple[float, int] | None = None,
) -> CreatedKey:
    """Makes a key for the team of that name, and the team when there is none. Raises Invalid.

    `rate` is requests a second and at once, instead of what settings allow every key.
    """
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        named = ", ".join(sorted(unknown)) or "none given"
        raise Invalid(f"scopes: {named}; known are {', '.join(SCOPES)}", code="unknown_scope")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise Invalid(
            f"a key cannot end at {expires_at:%Y-%m-%d %H:%M} UTC, which is over", code="over"
        )
    if not name.isprintable():
        raise Invalid("name: give printable text, or none", code="invalid_name")
    mode = "live" if live else "sandbox"
    key = make_key(mode)
    async with pool.acquire() as connection, connection.transaction():
        owner = await ensured_team(connection, team, "keys create")
        made = await api_keys.create_api_key(
            connection,
            id=uuid7(),
            team_id=owner.id,
            name=name,
            key_hash=hash_key(key),
            key_prefix=key_prefix(key),
            mode=mode,
            scopes=sorted(set(scopes)),
            expires_at=expires_at,
            rate_per_second=None if rate is None else rate[0],
            rate_burst=None if rate is None else rate[1],
        )
        assert made is not None  # noqa: S101 - the statement always returns the row
        actor = audit.command_actor(owner.id, "keys create")
        ends = None if expires_at is None else expires_at.isoformat()
        shown = {"name": name, "mode": mode, "scopes": made.scopes, "rate": rate, "ends": ends}
        await audit.record(connection, actor, "api_key.created", made.id, detail=shown)
    return CreatedKey(
        id=made.id,
        team_id=owner.id,
        team=team,
        name=name,
        key=key,
        scopes=made.scopes,
        expires_at=made.expires_at,
    )


async def list_keys(pool: Pool, *, team: str | None = None) -> list[ListApiKeysRow]:
    """Every key, oldest first, revoked ones included; of one team when it is named."""
    return await api_keys.list_api_keys(pool, team=team)


async def revoke_key(pool: Pool, key_id: UUID) -> None:
    """Ends a key; every API process notices within 30 s. Raises NotFound."""
    async with pool.acquire() as connection, connection.transaction():
        team_id = await api_keys.revoke_api_key(connection, id=key_id)
        if team_id is None:
            raise NotFound(
                f"no key {key_id} that could be revoked: there is none, or it is revoked already",
                code="api_key_not_found",
            )
        actor = audit.command_actor(team_id, "keys revoke")
        await audit.record(connection, actor, "api_key.revoked", key_id)
