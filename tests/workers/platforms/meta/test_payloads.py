"""Our requests as Meta's parameters: nothing invented, nothing lost."""

from models.marker import marker
from tests.workers.platforms.meta.conftest import JOB, LINK, request_with
from workers.platforms.meta import payloads

BUTTON = {"type": "LEARN_MORE", "value": {"link": "https://example.com"}}


def test_a_campaign_is_paused_named_with_its_marker_and_says_what_meta_wants_said(context):
    params = payloads.campaign(context("campaign"))

    assert params == {
        "name": f"C [{marker(JOB, 'campaign')}]",
        "objective": "OUTCOME_TRAFFIC",
        "special_ad_categories": [],
        "buying_type": "AUCTION",
        "is_adset_budget_sharing_enabled": False,
        "status": "PAUSED",
    }


def test_sharing_is_not_said_under_a_campaign_budget(context):
    request = request_with(
        LINK, campaign={"daily_budget": 500}, media={"hero": {"url": "https://e.com/h"}}
    )

    assert "is_adset_budget_sharing_enabled" not in payloads.campaign(context("campaign", request))


def test_an_ad_set_hangs_below_its_campaign_and_everybody_is_left_out(context):
    params = payloads.ad_set(context("ad_set[0]"))

    assert params == {
        "name": f"S [{marker(JOB, 'ad_set[0]')}]",
        "campaign_id": "10",
        "daily_budget": 5000,
        "optimization_goal": "LINK_CLICKS",
        "billing_event": "IMPRESSIONS",
        "targeting": {
            "geo_locations": {"countries": ["US"]},
            "targeting_automation": {"advantage_audience": 0},
        },
        "status": "PAUSED",
    }


def test_times_keep_their_offset(context):
    request = request_with(
        LINK,
        ad_set={"start_time": "2026-12-01T00:00:00+02:00"},
        media={"hero": {"url": "https://e.com/h"}},
    )

    assert (
        payloads.ad_set(context("ad_set[0]", request))["start_time"] == "2026-12-01T00:00:00+02:00"
    )


def test_an_ad_names_its_ad_set_and_creative(context):
    params = payloads.ad(context("ad[0][0]"))

    assert params["adset_id"] == "11"
    assert params["creative"] == {"creative_id": "12"}
    assert params["name"].endswith(f"[{marker(JOB, 'ad[0][0]')}]")
    assert params["status"] == "PAUSED"


def test_a_link_creative_is_the_same_every_time_and_its_name_is_cut(context):
    params = payloads.creative(context("creative[0][0]"))

    assert params == payloads.creative(context("creative[0][0]"))
    assert params["name"] == "A" * 100
    assert params["object_story_spec"] == {
        "page_id": "7",
        "link_data": {"link": "https://example.com", "image_hash": "hash"},
    }


def video_request(**changes):
    creative = {
        "type": "video",
        "page_id": "7",
        "video": "clip",
        "link": "https://example.com",
        **changes,
    }
    media = {"clip": {"url": "https://e.com/c"}}
    if "thumbnail" in changes:
        media["hero"] = {"url": "https://e.com/h"}
    return request_with(creative, media=media)


def test_a_video_without_a_thumbnail_gets_the_one_that_meta_prefers(context):
    params = payloads.creative(context("creative[0][0]", video_request()))

    assert params["object_story_spec"]["video_data"] == {
        "video_id": "20",
        "image_url": "https://cdn/t.png",
        "call_to_action": BUTTON,
    }


def test_a_videos_own_thumbnail_is_named_by_its_hash(context):
    data = payloads.creative(context("creative[0][0]", video_request(thumbnail="hero")))

    assert data["object_story_spec"]["video_data"]["image_hash"] == "hash"
    assert "image_url" not in data["object_story_spec"]["video_data"]


def test_a_carousel_has_its_cards(context):
    cards = [
        {"link": "https://example.com/1", "image": "hero", "headline": "One"},
        {"link": "https://example.com/2", "video": "clip"},
    ]
    creative = {
        "type": "carousel",
        "page_id": "7",
        "link": "https://example.com",
        "cards": cards,
        "call_to_action": "LEARN_MORE",
    }
    media = {"hero": {"url": "https://e.com/h"}, "clip": {"url": "https://e.com/c"}}

    data = payloads.creative(context("creative[0][0]", request_with(creative, media=media)))

    first, second = data["object_story_spec"]["link_data"]["child_attachments"]
    assert first == {
        "link": "https://example.com/1",
        "name": "One",
        "image_hash": "hash",
        "call_to_action": {"type": "LEARN_MORE", "value": {"link": "https://example.com/1"}},
    }
    assert second["video_id"] == "20"
    assert second["picture"] == "https://cdn/t.png"


def test_an_existing_post_is_named_and_nothing_else(context):
    creative = {"type": "existing_post", "page_id": "7", "post_id": "7_123", "url_tags": "a=b"}

    params = payloads.creative(context("creative[0][0]", request_with(creative)))

    assert params == {"name": "A" * 100, "object_story_id": "7_123", "url_tags": "a=b"}


def test_an_existing_post_speaks_for_the_instagram_account_that_is_named(context):
    creative = {
        "type": "existing_post",
        "page_id": "7",
        "post_id": "7_123",
        "instagram_user_id": "9",
    }

    params = payloads.creative(context("creative[0][0]", request_with(creative)))

    assert params["instagram_user_id"] == "9"
