"""Writes down who changed what. Objects are kept as hashes of their views, which hold no secret."""

import hashlib
from uuid import UUID

import msgspec

from models.gen import audit_log
from models.gen.rows import Connection


class Actor(msgspec.Struct, frozen=True):
    """Who acts, for which team, and in which request unless it was a command."""

    team_id: UUID
    name: str
    request_id: str | None = None


async def record(
    connection: Connection,
    actor: Actor,
    action: str,
    object_id: UUID,
    *,
    before: msgspec.Struct | None = None,
    after: msgspec.Struct | None = None,
) -> None:
    """`action` reads `ad_account.created`. In the transaction of the change."""
    object_type, _, _ = action.partition(".")
    await audit_log.create_audit_entry(
        connection,
        team_id=actor.team_id,
        actor=actor.name,
        action=action,
        object_type=object_type,
        object_id=object_id,
        request_id=actor.request_id,
        before_hash=_hash(before),
        after_hash=_hash(after),
        detail="{}",
    )


def _hash(view: msgspec.Struct | None) -> bytes | None:
    return None if view is None else hashlib.sha256(msgspec.json.encode(view)).digest()
