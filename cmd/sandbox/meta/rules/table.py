"""How a refusal is written down: a line of a table with its codes and its source."""

from collections.abc import Callable
from typing import Any, Protocol

import msgspec


class Refusal(msgspec.Struct, frozen=True):
    """An error that the platform answers."""

    code: int
    subcode: int | None
    message: str
    user_title: str
    user_message: str
    blame: list[list[str]] = []
    status: int = 400
    transient: bool = False


class World(Protocol):
    """What rules may look at."""

    now: float
    account: dict[str, Any]

    def get(self, object_id: str) -> dict[str, Any] | None:
        """An object of the account."""
        ...

    def children(self, parent_id: str, kind: str) -> list[dict[str, Any]]:
        """Objects below another."""
        ...

    def image(self, content_hash: str) -> dict[str, Any] | None:
        """An image by its hash."""
        ...


type Params = dict[str, Any]
type Check = Callable[[Params, World], str | tuple[str, str] | None]
"""None, or the blamed field as a dotted path; with a text for people where the rule's own is too general."""


class Rule(msgspec.Struct, frozen=True):
    """One line of the table."""

    name: str
    kinds: tuple[str, ...]
    code: int
    subcode: int | None
    source: str
    about: str
    check: Check

    def refusal(self, params: Params, world: World) -> Refusal | None:
        """The refusal, if the rule has something against it."""
        found = self.check(params, world)
        if found is None:
            return None
        path, text = found if isinstance(found, tuple) else (found, self.about)
        return Refusal(
            self.code,
            self.subcode,
            "Invalid parameter" if self.code == 100 else self.about,
            self.about.split(":")[0].rstrip("."),
            text,
            [path.split(".")] if path else [],
        )


def rule(
    kinds: str, name: str, subcode: int | None, source: str, about: str, *, code: int = 100
) -> Callable[[Check], Rule]:
    """Makes a line of the table of a check; several kinds are separated by spaces."""

    def make(check: Check) -> Rule:
        return Rule(name, tuple(kinds.split()), code, subcode, source, about, check)

    return make
