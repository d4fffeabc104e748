"""How rules are written: a line in the table, over places in a request that may be partly unreadable."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from models.marker import MARKER_LENGTH
from models.violation import Violation, step, violation


class Unreadable(Exception):
    """A rule read something that is not as its type says; that has been told already."""


class RuleContext(msgspec.Struct, frozen=True):
    """What rules must know beside the request."""

    now: datetime
    currency: str | None = None
    """The account's, where it is known."""
    min_daily_budget: int | None = None
    """In the currency's smallest unit; what the account itself asks for, where it is known."""
    marker_length: int = MARKER_LENGTH
    """How much longer names become on the platform."""


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
            raise Unreadable(name)
        return self._value.get(name)

    def has(self, name: str) -> bool:
        """Whether a value is given, readable or not."""
        return self._value.get(name) is not None

    def given(self, *names: str) -> list[str]:
        """Which of these are given, readable or not."""
        return [name for name in names if self.has(name)]

    def below(self, name: str) -> "Place":
        """An object below; an empty one when it is not given. Raises Unreadable."""
        return Place(self.get(name) or {}, self.at(name), self._invalid)

    def each(self, name: str) -> Iterator["Place"]:
        """The readable objects of a list below. Raises Unreadable when it is no list."""
        for index, value in enumerate(self.get(name) or ()):
            at = self.at(name, index)
            if at not in self._invalid:
                yield Place(value, at, self._invalid)

    def all(self, name: str) -> list["Place"]:
        """Every object of a list below. Raises Unreadable when one of them is not readable."""
        return [
            Place(value, self.at(name, index), self._invalid)
            for index, value in enumerate(self.values(name))
        ]

    def values(self, name: str) -> list[Any]:
        """The values of a list below. Raises Unreadable when one of them is not readable."""
        found: list[Any] = self.get(name) or []
        if self._invalid and any(self.at(name, i) in self._invalid for i in range(len(found))):
            raise Unreadable(name)
        return found

    def entries(self) -> Iterator["Place"]:
        """The readable ones of the objects in this one, whatever their names."""
        for name, value in self._value.items():
            at = self.at(name)
            if at not in self._invalid:
                yield Place(value, at, self._invalid)

    def names(self) -> list[str]:
        """Names of everything given."""
        return [name for name in self._value if self.has(name)]

    def moment(self, name: str) -> datetime | None:
        """A time."""
        text = self.get(name)
        return None if text is None else msgspec.convert(text, datetime)


class Nowhere(Place):
    """An object that is not readable at all: every rule that asks it anything is left out."""

    def __init__(self) -> None:
        super().__init__({}, "", frozenset())

    def get(self, name: str) -> Any:
        """Nothing can be read here."""
        raise Unreadable(name)

    def has(self, name: str) -> bool:
        """Nor does anybody know what is given."""
        raise Unreadable(name)

    def names(self) -> list[str]:
        """Nor how it is called."""
        raise Unreadable


class Scope(msgspec.Struct, frozen=True):
    """Where a rule looks: the request, and the campaign, ad set, ad and what belongs to them."""

    context: RuleContext
    request: Place
    campaign: Place
    ad_set: Place = Nowhere()
    targeting: Place = Nowhere()
    ad: Place = Nowhere()
    creative: Place = Nowhere()

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
        """What is wrong, as far as what the rule reads is readable."""
        found: list[Violation] = []
        try:
            for pointer, message in self.check(scope):
                found.append(violation(pointer, self.code, message))
        except Unreadable:
            pass
        return found


def rule(
    level: Level, code: str, source: str, subcode: int | None = None
) -> Callable[[Callable[[Scope], Found]], Rule]:
    """Makes a line of the table of a function; its docstring is what the rule is about."""

    def make(check: Callable[[Scope], Found]) -> Rule:
        return Rule(code, level, source, subcode, check.__doc__ or "", check)

    return make


def independently(places: Iterable[Place], check: Callable[[Place], Found]) -> Found:
    """Checks each place for itself: one that is not readable does not hide the others."""
    for place in places:
        try:
            yield from check(place)
        except Unreadable:
            continue
