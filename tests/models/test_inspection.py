"""Everything wrong with a request is told at once, and nothing wrong is told of what is right."""

import copy
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from models.inspection import violations
from models.meta import MetaCampaignRequest
from models.meta_rules import inspect
from tests.models.meta_requests import (
    ABSENT,
    CAMPAIGN,
    CAMPAIGN_BUDGET,
    CAROUSEL,
    CONTEXT,
    CREATIVE,
    EXAMPLE,
    LIFETIME,
    PLACES,
    SET,
    TARGETING,
    Changes,
    found,
    request,
)


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: Annotated[int, Meta(ge=1, lt=5)] = 1
    ratio: Annotated[float, Meta(gt=0, le=1)] = 0.5
    key: UUID | None = None


class Tree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(max_length=3)]
    leaves: dict[str, Leaf] = {}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], {("", "wrong_type")}),
        (None, {("", "wrong_type")}),
        ({}, {("/name", "missing")}),
        ({"name": None}, {("/name", "wrong_type")}),
        ({"name": "ab\ud800"}, {("/name", "invalid_text")}),
        (
            {"name": "a", "leaves": {"a/b": {"number": True}}},
            {("/leaves/a~1b/number", "wrong_type")},
        ),
        ({"name": "a", "leaves": {"~": {"ratio": True}}}, {("/leaves/~0/ratio", "wrong_type")}),
        (
            {"name": "a", "leaves": {"x": {"ratio": 1, "number": 5}}},
            {("/leaves/x/number", "too_large")},
        ),
        ({"name": "a", "leaves": {"x": {"ratio": 0}}}, {("/leaves/x/ratio", "too_small")}),
        ({"name": "a", "leaves": {"x": {"key": "{not}"}}}, {("/leaves/x/key", "wrong_format")}),
        (
            {"name": 1, "leaves": {"x": 2, "y": {"z": 3}}, "a~b": 4},
            {
                ("/name", "wrong_type"),
                ("/leaves/x", "wrong_type"),
                ("/leaves/y/z", "unknown_field"),
                ("/a~0b", "unknown_field"),
            },
        ),
    ],
)
def test_each_violation_is_told_with_its_place(document: Any, expected: set[tuple[str, str]]):
    assert found(violations(Tree, document)) == expected


def test_a_format_is_shown_by_an_example():
    (told,) = violations(MetaCampaignRequest, request({f"{CREATIVE}/page_id": "me"}))

    assert told["message"] == "Expected text like 1234567890."


PARTLY_WRONG: list[tuple[Changes, set[tuple[str, str]]]] = [
    # a rule runs beside a wrong field that it does not read
    (
        {f"{TARGETING}/age_min": "25", f"{SET}/optimization_goal": "PAGE_LIKES"},
        {
            (f"{TARGETING}/age_min", "wrong_type"),
            (f"{SET}/optimization_goal", "goal_does_not_fit_objective"),
        },
    ),
    # a rule keeps still about a wrong field that it reads
    (
        {f"{CAMPAIGN}/objective": "TRAFFIC", f"{SET}/optimization_goal": "PAGE_LIKES"},
        {(f"{CAMPAIGN}/objective", "not_allowed")},
    ),
    # a wrong budget is a budget all the same
    (
        {f"{SET}/daily_budget": "50", f"{SET}/lifetime_budget": 100},
        {
            (f"{SET}/daily_budget", "wrong_type"),
            (f"{SET}/lifetime_budget", "two_budgets"),
            (f"{SET}/end_time", "lifetime_budget_without_end"),
        },
    ),
    # nobody knows whether an unreadable campaign has a budget
    ({f"{SET}/daily_budget": ABSENT, CAMPAIGN: "Spring sale"}, {(CAMPAIGN, "wrong_type")}),
    ({f"{SET}/daily_budget": ABSENT, CAMPAIGN: ABSENT}, {(CAMPAIGN, "missing")}),
    # nobody knows which media unreadable creatives use
    ({CREATIVE: {"type": "reel"}}, {(f"{CREATIVE}/type", "not_allowed")}),
    ({CREATIVE: []}, {(CREATIVE, "wrong_type")}),
    ({f"{SET}/ads": {}}, {(f"{SET}/ads", "wrong_type")}),
    ({"/ad_sets": 5}, {("/ad_sets", "wrong_type")}),
    # one wrong place does not hide the next
    (
        {f"{PLACES}/cities": [{"key": "1", "country": "usa"}, {"key": "2", "country": "US"}]},
        {(f"{PLACES}/cities/0/country", "wrong_format"), (f"{PLACES}/cities/1", "places_overlap")},
    ),
    (
        {CREATIVE: CAROUSEL, f"{CREATIVE}/cards/0": 7, f"{CREATIVE}/cards/1/image": ABSENT},
        {
            (f"{CREATIVE}/cards/0", "wrong_type"),
            (f"{CREATIVE}/cards/1/image", "card_media_not_clear"),
        },
    ),
    (
        {"/media/hero": {"url": 7, "asset_id": "x"}},
        {
            ("/media/hero/url", "wrong_type"),
            ("/media/hero/asset_id", "wrong_format"),
            ("/media/hero", "media_source_unclear"),
        },
    ),
    ({"/media/hero": "hero.png"}, {("/media/hero", "wrong_type")}),
    (
        {**LIFETIME, f"{SET}/start_time": "soon", f"{SET}/end_time": "2026-11-01T00:00:00Z"},
        {(f"{SET}/start_time", "wrong_format"), (f"{SET}/end_time", "end_in_past")},
    ),
    (
        {**CAMPAIGN_BUDGET, f"{CAMPAIGN}/bid_strategy": 1},
        {(f"{CAMPAIGN}/bid_strategy", "not_allowed")},
    ),
]


@pytest.mark.parametrize(("changes", "expected"), PARTLY_WRONG)
def test_types_and_rules_are_told_together(changes: Changes, expected: set[tuple[str, str]]):
    told = inspect(request(changes), CONTEXT)

    assert found(told) == expected
    assert len(told) == len(expected)


@pytest.mark.parametrize("document", [None, 7, "text", [], {}, {"campaign": {}, "ad_sets": [{}]}])
def test_any_json_value_is_answered(document: Any):
    assert inspect(document, CONTEXT)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=6)
    | st.sampled_from(["US", "2026-12-01T00:00:00Z", "2026-12-01 00:00Z", "OUTCOME_SALES", "link"])
    | st.sampled_from(
        ["01a1fc84-2ca1-778d-8eed-736019b7f1b8", "1", "https://example.com/", "hero"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=4,
)


def _pointers(value: Any, pointer: str = "") -> list[str]:
    below = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [
        p
        for name, inner in below
        for p in (f"{pointer}/{name}", *_pointers(inner, f"{pointer}/{name}"))
    ]


RICH = request(
    LIFETIME,
    {
        f"{SET}/promoted_object": {"pixel_id": "7", "custom_event_type": "PURCHASE"},
        f"{SET}/attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 1}],
        f"{TARGETING}/interests": [{"id": "6003", "name": "Mint"}],
        f"{TARGETING}/locales": [6],
        f"{PLACES}/custom_locations": [{"latitude": 1.5, "longitude": 2, "radius": 20}],
        f"{SET}/ads/1": {"name": "Cards", "creative": CAROUSEL, "tracking_specs": [{"a": ["b"]}]},
    },
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(changes=st.dictionaries(st.sampled_from(_pointers(RICH)), JSON, min_size=1, max_size=3))
def test_inspection_and_decoding_agree_about_any_change(changes: Changes):
    document = _changed(changes)
    body = msgspec.json.encode(document)

    told = violations(MetaCampaignRequest, msgspec.json.decode(body))
    inspect(document, CONTEXT)

    assert (told == []) == _is_decodable(body)
    assert len({(v["pointer"], v["code"]) for v in told}) == len(told)


def _changed(changes: Changes) -> Any:
    """Inner changes first, so that outer ones do not take their places away."""
    document: Any = copy.deepcopy(RICH)
    for pointer in sorted(changes, key=lambda pointer: -pointer.count("/")):
        *parents, last = pointer.removeprefix("/").split("/")
        place = document
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place[name]
        place[int(last) if isinstance(place, list) else last] = changes[pointer]
    return document


def _is_decodable(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=MetaCampaignRequest)
    except msgspec.ValidationError:
        return False
    return True


def test_the_example_is_found_to_be_right():
    assert inspect(EXAMPLE, CONTEXT) == []
