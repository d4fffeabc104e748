"""How rules are written: a line in the table, over places in a request that may be partly unreadable."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from models.inspection import Violation, step, violation
from models.marker import MARKER_LENGTH


class Unreadable(Exception):
    """A rule read something that is not as its type says; that has been told already."""


class RuleContext(msgspec.Struct, frozen=True):
    """What rules must know beside the request."""

    now: datetime
    currency: str | None = None
    min_daily_budget: int | None = None
    """In the currency's smallest unit; what the account itself asks for, where it is known."""
    marker_length: int = MARKER_LENGTH

    @classmethod
    def at_present(cls, config: Mapping[str, Any]) -> "RuleContext":
        """For an account with this configuration, now."""
        least = config.get("min_daily_budget")
        return cls(
            datetime.now(UTC), config.get("currency"), least if isinstance(least, int) else None
        )


class Place:
    """An object in the request: its values, where it stands, and what below it is not readable."""

    def __init__(self, value: Mapping[str, Any], pointer: str, invalid: frozenset[str]) -> None:
        self._value = value
        self.pointer = pointer
        self._invalid = invalid

    def at(self, *names: object) -> str:
        """A pointer to something below."""
        pointer = self.pointer
        for name in names:
            pointer = step(pointer, name)
        return pointer

    def get(self, name: str) -> Any:
        """A value, None when it is not given. Raises Unreadable."""
        if self._invalid and self.at(name) in self._invalid:
            raise Unreadable
        return self._value.get(name)

    def has(self, name: str) -> bool:
        """Whether a value is given, readable or not."""
        return self._value.get(name) is not None

    def given(self, *names: str) -> list[str]:
        """Which of these are given."""
        return [name for name in names if self.has(name)]

    def below(self, name: str) -> "Place":
        """An object below; an empty one when it is not given. Raises Unreadable."""
        value = self.get(name)
        return Place({} if value is None else value, self.at(name), self._invalid)

    def each(self, name: str) -> Iterator["Place"]:
        """The readable objects of a list below. Raises Unreadable when it is no list."""
        for index, value in enumerate(self.get(name) or ()):
            at = self.at(name, index)
            if at not in self._invalid and isinstance(value, dict):
                yield Place(value, at, self._invalid)  # pyright: ignore[reportUnknownArgumentType]  # JSON of a caller

    def values(self, name: str) -> list[Any]:
        """The values of a list below. Raises Unreadable when one of them is not readable."""
        found = self.get(name) or []
        if self._invalid and any(
            self.at(name, index) in self._invalid for index in range(len(found))
        ):
            raise Unreadable
        return list(found)

    def names(self) -> list[str]:
        """Names of everything given."""
        return list(self._value)

    def moment(self, name: str) -> datetime | None:
        """A time."""
        text = self.get(name)
        return None if text is None else datetime.fromisoformat(text)


class Scope(msgspec.Struct, frozen=True):
    """Where a rule looks: the request, and the campaign, ad set, ad and creative it is about."""

    context: RuleContext
    request: Place
    campaign: Place
    ad_set: Place
    ad: Place
    creative: Place

    @property
    def targeting(self) -> Place:
        """Of the ad set."""
        return self.ad_set.below("targeting")

    @property
    def has_campaign_budget(self) -> bool:
        """Whether the campaign holds the budget for all ad sets."""
        return bool(self.campaign.given("daily_budget", "lifetime_budget"))


type Level = Literal["request", "campaign", "ad_set", "ad"]
type Found = Iterator[tuple[str, str]]
"""Pointer and message."""


class Rule(msgspec.Struct, frozen=True):
    """One line of the table."""

    code: str
    level: Level
    source: str
    subcode: int | None
    """What Meta answers where we did not look, as far as it is known."""
    about: str
    check: Callable[[Scope], Found]

    def violations(self, scope: Scope) -> list[Violation]:
        """What is wrong, nothing when what it reads is not readable."""
        try:
            return [
                violation(pointer, self.code, message) for pointer, message in self.check(scope)
            ]
        except Unreadable:
            return []


def rule(
    level: Level, code: str, source: str, subcode: int | None = None
) -> Callable[[Callable[[Scope], Found]], Rule]:
    """Makes a line of the table of a function; its docstring is what the rule is about."""

    def make(check: Callable[[Scope], Found]) -> Rule:
        return Rule(code, level, source, subcode, check.__doc__ or "", check)

    return make
