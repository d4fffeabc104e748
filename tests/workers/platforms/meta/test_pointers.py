"""What Meta blames is shown in the caller's own request."""

import pytest

from workers.platforms.meta.pointers import pointer


@pytest.mark.parametrize(
    ("step", "blamed", "expected"),
    [
        ("campaign", [["objective"]], "/campaign/objective"),
        ("ad_set[0]", [["daily_budget"]], "/ad_sets/0/daily_budget"),
        ("ad_set[0]", [["targeting", "age_max"]], "/ad_sets/0/targeting/age_max"),
        (
            "ad_set[0]",
            [["targeting", "targeting_automation", "advantage_audience"]],
            "/ad_sets/0/targeting/advantage_audience",
        ),
        ("ad_set[0]", [["targeting_automation"]], "/ad_sets/0/targeting/advantage_audience"),
        ("ad_set[0]", [["name"]], "/ad_sets/0/name"),
        ("creative[0][0]", [["object_story_spec", "page_id"]], "/ad_sets/0/ads/0/creative/page_id"),
        (
            "creative[0][0]",
            [["object_story_spec", "link_data", "link"]],
            "/ad_sets/0/ads/0/creative/link",
        ),
        (
            "creative[0][0]",
            [["object_story_spec", "link_data", "image_hash"]],
            "/ad_sets/0/ads/0/creative/image",
        ),
        (
            "creative[0][0]",
            [["object_story_spec", "video_data", "call_to_action", "value", "link"]],
            "/ad_sets/0/ads/0/creative/link",
        ),
        (
            "creative[0][0]",
            [["object_story_spec", "link_data", "child_attachments", "1", "image_hash"]],
            "/ad_sets/0/ads/0/creative/cards/1/image",
        ),
        ("ad[0][0]", [["name"]], "/ad_sets/0/ads/0/name"),
        ("media[hero]", [["filename"]], "/media/hero"),
        ("campaign", [], None),
    ],
)
def test_a_blamed_field_is_found_in_the_request(context, step, blamed, expected):
    assert pointer(context(step), blamed) == expected
