"""Each kind of value is refused at its place, at its exact limits, in words that say what was expected."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta

from models.inspection import is_deeper, violations

ID = "01a1fc84-2ca1-778d-8eed-736019b7f1b8"
AWARE = "Expected a time like 2026-12-01T00:00:00Z, with its offset from UTC."


class Circle(msgspec.Struct, tag="circle", tag_field="shape", forbid_unknown_fields=True):
    radius: int


class Square(msgspec.Struct, tag="square", tag_field="shape", forbid_unknown_fields=True):
    side: int


class Open(msgspec.Struct):
    name: str = ""


type Shape = Circle | Square
type Pair = Annotated[list[int], Meta(min_length=2, max_length=3)]
type Counts = Annotated[dict[str, int], Meta(min_length=1, max_length=2)]
type Letter = Annotated[str, Meta(min_length=1, max_length=1)]
type Word = Annotated[str, Meta(min_length=2, max_length=3)]
type Code = Annotated[str, Meta(pattern="^[A-Z]+$")]
type Country = Annotated[str, Meta(pattern="^[A-Z]+$", extra_json_schema={"examples": ["US"]})]
type Countries = Annotated[list[Code], Meta(extra_json_schema={"examples": [["US"]]})]
type Closed = Annotated[int, Meta(ge=1, le=5)]
type Between = Annotated[float, Meta(gt=0, lt=1)]
type Time = Annotated[datetime, Meta(tz=True)]


def told(kind: Any, document: Any) -> list[tuple[str, str, str]]:
    return [(v["pointer"], v["code"], v["message"]) for v in violations(kind, document)]


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (Shape, {"shape": "circle", "radius": 1}),
        (Shape, {"shape": "square", "side": 1}),
        (Shape | None, None),
        (int | None, None),
        (Circle | int, {"shape": "circle", "radius": 1}),
        (int | str, "a"),
        (int | list[int], [1]),
        (Open, {"name": "a", "other": 1}),
        (Pair, [1, 2]),
        (Pair, [1, 2, 3]),
        (tuple[int, ...], [1]),
        (Counts, {"a": 1}),
        (Counts, {"a": 1, "b": 2}),
        (Word, "ab"),
        (Word, "abc"),
        (Code, "US"),
        (str, "\ud7ff\ue000"),
        (Closed, 1),
        (Closed, 5),
        (Between, 0.5),
        (float, 1),
        (bool, False),
        (Literal["a", "b"], "b"),
        (datetime, "2026-12-01T00:00:00"),
        (Time, "2026-12-01T00:00:00Z"),
        (UUID, ID),
        (Any, {"a": [None]}),
    ],
)
def test_what_is_as_its_type_says_is_right(kind, document):
    assert told(kind, document) == []


@pytest.mark.parametrize(
    ("kind", "document", "code", "message"),
    [
        (Circle, 1, "wrong_type", "Expected an object, got an integer."),
        (list[int], {}, "wrong_type", "Expected a list, got an object."),
        (dict[str, int], [], "wrong_type", "Expected an object, got a list."),
        (str, True, "wrong_type", "Expected text, got a boolean."),
        (int, 1.5, "wrong_type", "Expected an integer, got a number."),
        (int, False, "wrong_type", "Expected an integer, got a boolean."),
        (float, True, "wrong_type", "Expected a number, got a boolean."),
        (float, "1", "wrong_type", "Expected a number, got text."),
        (bool, None, "wrong_type", "Expected a boolean, got null."),
        (bool, 0, "wrong_type", "Expected a boolean, got an integer."),
        (datetime, 7, "wrong_type", "Expected text, got an integer."),
        (UUID, 7, "wrong_type", "Expected text, got an integer."),
        (int, b"1", "wrong_type", "Expected an integer, got something else."),
        (Pair, [1], "too_short", "Expected at least 2 items."),
        (Pair, [1, 2, 3, 4], "too_long", "Expected at most 3 items."),
        (Counts, {}, "too_short", "Expected at least 1 entry."),
        (Counts, {"a": 1, "b": 2, "c": 3}, "too_long", "Expected at most 2 entries."),
        (Word, "a", "too_short", "Expected at least 2 characters."),
        (Letter, "", "too_short", "Expected at least 1 character."),
        (Letter, "ab", "too_long", "Expected at most 1 character."),
        (Word, "abcd", "too_long", "Expected at most 3 characters."),
        (Code, "us", "wrong_format", "Expected text like ^[A-Z]+$."),
        (Country, "us", "wrong_format", "Expected text like US."),
        (Country, " ", "wrong_format", "Text must not be blank."),
        (Country, 7, "wrong_type", "Expected text, got an integer."),
        (str, "\ud800", "invalid_text", "Text must not contain half a character."),
        (str, "\udfff", "invalid_text", "Text must not contain half a character."),
        (Closed, 0, "too_small", "Expected at least 1."),
        (Closed, 6, "too_large", "Expected at most 5."),
        (Between, 0, "too_small", "Expected more than 0."),
        (Between, 1, "too_large", "Expected less than 1."),
        (Literal["a", "b"], "c", "not_allowed", "Expected one of a, b."),
        (Literal[1, 2], True, "not_allowed", "Expected one of 1, 2."),
        (datetime, "soon", "wrong_format", AWARE),
        (Time, "2026-12-01T00:00:00", "wrong_format", AWARE),
        (UUID, "1", "wrong_format", "Expected an id (UUID)."),
    ],
)
def test_what_is_wrong_is_told_in_words(kind, document, code, message):
    assert told(kind, document) == [("", code, message)]


@pytest.mark.parametrize(
    ("kind", "document", "pointer", "code", "message"),
    [
        (Circle, {"shape": "circle"}, "/radius", "missing", "This field is required."),
        (Circle, {"radius": 1, "b": 2}, "/b", "unknown_field", "There is no such field."),
        (Shape, {}, "/shape", "missing", "This field is required; one of circle, square."),
        (Shape, {"shape": 1}, "/shape", "not_allowed", "Expected one of circle, square."),
        (list[int], [1, "2"], "/1", "wrong_type", "Expected an integer, got text."),
        (tuple[int, ...], [1, "2"], "/1", "wrong_type", "Expected an integer, got text."),
        (list[list[int]], [[], [0, None]], "/1/1", "wrong_type", "Expected an integer, got null."),
        (dict[str, int], {"a": None}, "/a", "wrong_type", "Expected an integer, got null."),
        (dict[Word, int], {"a": 1}, "/a", "too_short", "Expected at least 2 characters."),
        (list[Country], ["US", "us"], "/1", "wrong_format", "Expected text like US."),
        (Countries, ["us"], "/0", "wrong_format", "Expected text like ^[A-Z]+$."),
    ],
)
def test_what_is_wrong_below_is_told_at_its_place(kind, document, pointer, code, message):
    assert told(kind, document) == [(pointer, code, message)]


def test_a_wrong_shape_is_looked_into_as_the_shape_that_it_says_it_is():
    assert told(Shape, {"shape": "square", "side": "1", "radius": 1}) == [
        ("/side", "wrong_type", "Expected an integer, got text."),
        ("/radius", "unknown_field", "There is no such field."),
    ]


def test_what_fits_none_of_several_types_is_told_once_as_the_nearest():
    assert told(list[int] | dict[str, int], ["a", "b"]) == [
        ("", "wrong_type", "Expected an object, got a list.")
    ]


def test_everything_wrong_in_a_list_is_told():
    assert [pointer for pointer, _, _ in told(Pair, ["a", "b", "c", 4])] == ["", "/0", "/1", "/2"]


@pytest.mark.parametrize(
    ("value", "levels"),
    [(1, 0), ("text", 0), ([], 1), ({}, 1), ([1, "a"], 1), ([{}, 1], 2), ({"a": [1]}, 2)],
)
def test_depth_counts_lists_and_objects(value, levels):
    assert not is_deeper(value, levels)
    assert levels == 0 or is_deeper(value, levels - 1)
