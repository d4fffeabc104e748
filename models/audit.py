"""Writes down who changed what. Objects are kept as hashes of their views, which hold no secret."""

import hashlib
import os
import pwd
from typing import Any
from uuid import UUID, uuid4

import msgspec

from models.gen import audit_log
from models.gen.rows import Connection
from models.jsonb import to_jsonb


def command_actor(team_id: UUID | None, command: str) -> "Actor":
    """A person at the command line, by the account of the process: variables may name anybody."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    return Actor(team_id, f"command:{command} user:{user}", uuid4().hex)


class Actor(msgspec.Struct, frozen=True):
    """Who acts, for which team, and in which request unless it was a command."""

    team_id: UUID | None
    name: str
    request_id: str | None = None


async def record(
    connection: Connection,
    actor: Actor,
    action: str,
    object_id: UUID | None,
    *,
    before: msgspec.Struct | None = None,
    after: msgspec.Struct | None = None,
    detail: dict[str, Any] | None = None,
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
        detail=to_jsonb(detail or {}),
    )


def _hash(view: msgspec.Struct | None) -> bytes | None:
    return None if view is None else hashlib.sha256(msgspec.json.encode(view)).digest()
