"""Places in a request: what counts as given, what is made once, and what cannot be read."""

import pytest

from models.meta_rules.table import Place, Scope, Unreadable
from tests.models.meta_requests import CONTEXT

NOTHING = frozenset[str]()


def test_a_field_is_filled_by_whatever_is_neither_empty_nor_false():
    values = {
        "zero": 0,
        "nought": 0.0,
        "one": 1,
        "yes": True,
        "text": "a",
        "no": False,
        "empty": "",
        "nobody": [],
        "null": None,
    }
    things = {name: {"": [name]} for name in [*values, "absent"]}

    assert list(Place(values, NOTHING).filled(things)) == ["zero", "nought", "one", "yes", "text"]


def test_a_field_brings_the_things_of_the_word_that_stands_there():
    things = {"type": {"": ["every"], "video": ["video"], "link": ["link"]}}

    assert list(Place({"type": "video"}, NOTHING).filled(things)) == ["every", "video"]


def test_a_place_is_made_once_however_many_rules_look_at_it():
    place = Place({"ad": {}, "ads": [{}]}, NOTHING)

    assert place.below("ad") is place.below("ad")
    assert next(place.each("ads")) is next(place.each("ads"))
    assert place.all("ads")[0] is next(place.each("ads"))


def test_what_is_unreadable_below_an_entry_is_unreadable_there():
    media = Place({"hero": {"url": 7, "asset_id": "1"}}, frozenset({"/hero/url"}))

    (hero,) = media.entries()

    assert hero.get("asset_id") == "1"
    with pytest.raises(Unreadable):
        hero.get("url")


@pytest.mark.parametrize("name", ["ad_set", "targeting", "ad", "creative"])
def test_nothing_is_known_of_what_lies_below_the_level_of_a_rule(name):
    whole = Place({}, NOTHING)

    below = getattr(Scope(CONTEXT, whole, whole), name)

    with pytest.raises(Unreadable):
        below.get("name")
    with pytest.raises(Unreadable):
        below.has("name")
    with pytest.raises(Unreadable):
        below.given("name")
    with pytest.raises(Unreadable):
        below.names()
