"""How rules are written: a line in the table, over places in a request that may be partly unreadable."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import reduce
from typing import Any, Literal

import msgspec

from models.marker import MARKER_LENGTH
from models.verification import MinimumBudgets
from models.violation import Violation, step, violation


class Unreadable(Exception):
    """A rule read something that is not as its type says; that has been told already."""


class RuleContext(msgspec.Struct, frozen=True):
    """What rules must know beside the request."""

    now: datetime
    currency: str | None = None
    """The account's, where it is known."""
    min_daily_budget: int | None = None
    """In the currency's smallest unit; what the account's configuration tells, where it does."""
    minimum_budgets: MinimumBudgets | None = None
    """What the platform itself told; it goes before the configuration."""
    marker_length: int = MARKER_LENGTH
    """How much longer names become on the platform."""


class Place:
    """An object in the request: its values, where it stands, and what below it is not readable.

    Most requests break no rule, so pointers are made when somebody asks; and many rules look at the
    same places, so each place is made once. None knows the one above it: places that hold each other
    would be left to the collector of garbage, which costs more than they do.
    """

    __slots__ = ("_below", "_invalid", "_path", "_pointer", "_value")

    def __init__(
        self, value: Mapping[str, Any], invalid: frozenset[str], path: tuple[object, ...] = ()
    ) -> None:
        self._value = value
        self._invalid = invalid
        self._path = path
        self._below: dict[object, Any] = {}
        self._pointer: str | None = None

    @property
    def pointer(self) -> str:
        """Where it stands."""
        if self._pointer is None:
            self._pointer = reduce(step, self._path, "")
        return self._pointer

    def at(self, *names: object) -> str:
        """A pointer to something below."""
        return reduce(step, names, self.pointer)

    def get(self, name: str) -> Any:
        """A value, None when it is not given. Raises Unreadable."""
        if self._invalid and self.at(name) in self._invalid:
            raise Unreadable(name)
        return self._value.get(name)

    def has(self, name: str) -> bool:
        """Whether a value is given, readable or not."""
        return self._value.get(name) is not None

    def filled[Thing](self, things: Mapping[str, Mapping[str, Iterable[Thing]]]) -> list[Thing]:
        """The things of those fields where something stands that is not empty or false.

        Of each field those under an empty word, and those under the word that stands there.
        """
        found: list[Thing] = []
        for name, by_word in things.items():
            value = self._value.get(name)
            if value or (value == 0 and value is not False):
                found += by_word.get("", ())
                if isinstance(value, str):
                    found += by_word.get(value, ())
        return found

    def once[Thing](self, make: Callable[["Place"], Thing]) -> Thing:
        """What a function finds here, found once however many rules ask; nothing that holds this place."""
        if make not in self._below:
            self._below[make] = make(self)
        return self._below[make]

    def given(self, *names: str) -> list[str]:
        """Which of these are given, readable or not."""
        return [name for name in names if self._value.get(name) is not None]

    def below(self, name: str) -> "Place":
        """An object below; an empty one when it is not given. Raises Unreadable."""
        return self._below.get(name) or self._entry(name, self.get(name) or {})

    def each(self, name: str) -> Iterator["Place"]:
        """The readable objects of a list below. Raises Unreadable when it is no list."""
        for index, value in enumerate(self.get(name) or ()):
            if not self._invalid or self.at(name, index) not in self._invalid:
                yield self._item(name, index, value)

    def all(self, name: str) -> list["Place"]:
        """Every object of a list below. Raises Unreadable when one of them is not readable."""
        return [self._item(name, index, value) for index, value in enumerate(self.values(name))]

    def values(self, name: str) -> list[Any]:
        """The values of a list below. Raises Unreadable when one of them is not readable."""
        found: list[Any] = self.get(name) or []
        if self._invalid and self._has_invalid(self.at(name), len(found)):
            raise Unreadable(name)
        return found

    def _has_invalid(self, pointer: str, count: int) -> bool:
        """Whether one of so many values below is not readable; whichever is less is looked through."""
        if count <= len(self._invalid):
            return any(f"{pointer}/{index}" in self._invalid for index in range(count))
        begin = f"{pointer}/"
        return any(one.startswith(begin) and one[len(begin) :].isdigit() for one in self._invalid)

    def entries(self) -> Iterator["Place"]:
        """The readable ones of the objects in this one, whatever their names."""
        for name, value in self._value.items():
            if not self._invalid or self.at(name) not in self._invalid:
                yield self._entry(name, value)

    def names(self) -> list[str]:
        """Names of everything given."""
        return [name for name, value in self._value.items() if value is not None]

    def _entry(self, name: str, value: Mapping[str, Any]) -> "Place":
        place = self._below.get(name)
        if place is None:
            place = self._below[name] = Place(value, self._invalid, (*self._path, name))
        return place

    def _item(self, name: str, index: int, value: Mapping[str, Any]) -> "Place":
        place = self._below.get((name, index))
        if place is None:
            path = (*self._path, name, index)
            place = self._below[name, index] = Place(value, self._invalid, path)
        return place

    def moment(self, name: str) -> datetime | None:
        """A time."""
        text = self.get(name)
        return None if text is None else msgspec.convert(text, datetime)


class Nowhere(Place):
    """An object that is not readable at all: every rule that asks it anything is left out."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__({}, frozenset())

    def get(self, name: str) -> Any:
        """Nothing can be read here."""
        raise Unreadable(name)

    def has(self, name: str) -> bool:
        """Nor does anybody know what is given."""
        raise Unreadable(name)

    def given(self, *names: str) -> list[str]:
        """Nor which of these."""
        raise Unreadable(*names)

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
    places: Place = Nowhere()
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
    when: tuple[tuple[str, str, str], ...]
    """Object of the scope, field of it and word: one of these fields must be given, and hold that word
    unless it is empty, else the rule has nothing to say."""
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
    level: Level, code: str, source: str, subcode: int | None = None, *, when: tuple[str, ...] = ()
) -> Callable[[Callable[[Scope], Found]], Rule]:
    """Makes a line of the table of a function; its docstring is what the rule is about.

    `when` names fields as in "campaign.spend_cap", or with a word as in "creative.type=video"; where
    none of them is given so, the rule finds nothing.
    """
    fields = tuple(_condition(name) for name in when)

    def make(check: Callable[[Scope], Found]) -> Rule:
        return Rule(code, level, source, subcode, check.__doc__ or "", fields, check)

    return make


def _condition(text: str) -> tuple[str, str, str]:
    """Object, field and word.

    >>> _condition("campaign.spend_cap"), _condition("creative.type=video")
    (('campaign', 'spend_cap', ''), ('creative', 'type', 'video'))
    """
    name, _, word = text.partition("=")
    place, _, field = name.partition(".")
    return place, field, word


def independently(places: Iterable[Place], check: Callable[[Place], Found]) -> Found:
    """Checks each place for itself: one that is not readable does not hide the others."""
    for place in places:
        try:
            yield from check(place)
        except Unreadable:
            continue
