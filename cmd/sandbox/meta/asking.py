"""One call with everything that is needed to answer it: who asks, of what, at which time."""

from typing import Any

import msgspec

from sandbox.accounts import Account
from sandbox.calls import Effect
from sandbox.meta.wire import Sent
from sandbox.objects import Record
from sandbox.state import State

PLATFORM = "META"
ENCODING_SECONDS = 8.0


class Result(msgspec.Struct, frozen=True):
    """A reply and what it did."""

    body: Any
    effect: Effect = "none"
    object_id: str | None = None


class Ask:
    """Reads of one call see one moment; parents are looked up once."""

    def __init__(self, state: State, sent: Sent, account: Account) -> None:
        self.state = state
        self.sent = sent
        self.account = account
        self.now = state.clock.now()
        self._known: dict[str, Record | None] = {}

    @property
    def params(self) -> dict[str, Any]:
        """What was sent, decoded."""
        return self.sent.params

    def record(self, object_id: str) -> Record | None:
        """An object of the account; images are named by account and hash."""
        plain = object_id.removeprefix(f"{self.account.id.removeprefix('act_')}:")
        if plain not in self._known:
            found = self.state.objects.get(PLATFORM, plain, self.account.id)
            self._known[plain] = found
        return self._known[plain]

    def parent(self, record: Record) -> Record | None:
        """What the object hangs below, unless that is the account itself."""
        return self.record(record.parent_id) if record.parent_id else None

    def children(self, parent_id: str, kind: str) -> list[Record]:
        """Whatever their status is."""
        return self.state.objects.find(
            platform=PLATFORM, account=self.account.id, parent_id=parent_id, kind=kind
        )

    def image(self, image_hash: str) -> Record | None:
        """By its hash, a deleted one too."""
        found = self.record(image_hash)
        return found if found is not None and found.kind == "image" else None

    def add(
        self,
        kind: str,
        name: str | None,
        fields: dict[str, Any],
        *,
        parent_id: str | None = None,
        status: str = "ACTIVE",
        object_id: str | None = None,
        digest: str | None = None,
    ) -> Record:
        """A new object, with an id of its own unless one was promised."""
        record = Record(
            platform=PLATFORM,
            account=self.account.id,
            kind=kind,
            id=object_id or self.state.store.new_id(),
            name=name,
            parent_id=parent_id or self.account.id,
            status=status,
            created_at=self.now,
            updated_at=self.now,
            fields=fields,
            digest=digest,
        )
        self.state.objects.add(record)
        self._known[record.id] = record
        return record

    def save(self, record: Record) -> None:
        """Writes what was changed."""
        record.updated_at = self.now
        self.state.objects.save(record)
        self._known[record.id] = record


def video_status(record: Record, now: float) -> str:
    """Encoding takes its time of the clock; bytes that are no video end in an error."""
    if now < record.created_at + ENCODING_SECONDS:
        return "processing"
    return "ready" if record.fields["is_video"] else "error"
