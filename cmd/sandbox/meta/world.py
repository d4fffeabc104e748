"""What the rules of refusal may look at, and how their refusals become answers."""

from typing import Any

import msgspec

from sandbox.meta.access import granted
from sandbox.meta.asking import Ask, video_status
from sandbox.meta.errors import MetaError
from sandbox.meta.rules import refuse
from sandbox.objects import Record


class AskWorld:
    """The world of one call, in the plain words that rules use."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self.now = ask.now
        self.account: dict[str, Any] = {
            **msgspec.to_builtins(ask.account),
            "permissions": granted(ask.account),
        }

    def get(self, object_id: str) -> dict[str, Any] | None:
        """An object of the account."""
        return self._plain(self._ask.record(str(object_id)))

    def children(self, parent_id: str, kind: str) -> list[dict[str, Any]]:
        """Objects directly below another, deleted ones too."""
        found = self._ask.children(str(parent_id), kind)
        return [plain for record in found if (plain := self._plain(record))]

    def image(self, content_hash: str) -> dict[str, Any] | None:
        """An image of the account that was not deleted."""
        found = self._ask.image(str(content_hash))
        return None if found is None or found.status == "DELETED" else self._plain(found)

    def _plain(self, record: Record | None) -> dict[str, Any] | None:
        if record is None:
            return None
        fields = dict(record.fields)
        if record.kind == "video":
            fields["video_status"] = video_status(record, self.now)
        return {
            "kind": record.kind,
            "id": record.id,
            "name": record.name,
            "parent_id": record.parent_id,
            "status": record.status,
            "fields": fields,
        }


def raise_refusal(ask: Ask, kind: str, params: dict[str, Any]) -> None:
    """Raises what the rules say against it, if they say anything."""
    refusal = refuse(kind, params, AskWorld(ask))
    if refusal is not None:
        raise MetaError(
            refusal.code,
            refusal.message,
            subcode=refusal.subcode,
            user_title=refusal.user_title,
            user_message=refusal.user_message,
            blame=refusal.blame,
            status=refusal.status,
            transient=refusal.transient,
        )
