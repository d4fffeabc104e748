"""What is refused of a creative and an ad: rule, kind, changes, world, subcode, blamed field."""

from tests.sandbox.rules.examples import VIDEO

STORY = "object_story_spec"
CARD = {"link": "https://example.com", "image_hash": "h"}
REFUSED = [
    ("story", "creative", {STORY: None}, {}, None, STORY),
    ("page_required", "creative", {f"{STORY}.page_id": None}, {}, None, f"{STORY}.page_id"),
    ("page_unknown", "creative", {f"{STORY}.page_id": "8"}, {}, 1885029, f"{STORY}.page_id"),
    ("one_story", "creative", {f"{STORY}.video_data": VIDEO}, {}, None, STORY),
    ("creative_name", "creative", {"name": "x" * 101}, {}, None, "name"),
    ("instagram_actor", "creative", {"instagram_actor_id": "1"}, {}, 2238055, "instagram_actor_id"),
    (
        "link",
        "creative",
        {f"{STORY}.link_data": {"message": "m"}},
        {},
        None,
        f"{STORY}.link_data.link",
    ),
    (
        "two_pictures",
        "creative",
        {f"{STORY}.link_data.picture": "https://example.com/p"},
        {},
        None,
        f"{STORY}.link_data.picture",
    ),
    (
        "image_unknown",
        "creative",
        {f"{STORY}.link_data.image_hash": "zz"},
        {},
        1487194,
        f"{STORY}.link_data.image_hash",
    ),
    (
        "video",
        "creative",
        {f"{STORY}.link_data": None, f"{STORY}.video_data": {**VIDEO, "video_id": "21"}},
        {},
        1885252,
        f"{STORY}.video_data.video_id",
    ),
    (
        "thumbnail",
        "creative",
        {f"{STORY}.link_data": None, f"{STORY}.video_data": {"video_id": "20"}},
        {},
        1443226,
        f"{STORY}.video_data.image_hash",
    ),
    (
        "cards",
        "creative",
        {f"{STORY}.link_data.child_attachments": [CARD]},
        {},
        None,
        f"{STORY}.link_data.child_attachments",
    ),
    (
        "button",
        "creative",
        {f"{STORY}.link_data.call_to_action": {"type": "DANCE"}},
        {},
        1373054,
        f"{STORY}.link_data.call_to_action",
    ),
    (
        "button_link",
        "creative",
        {
            f"{STORY}.link_data": None,
            f"{STORY}.video_data": {**VIDEO, "call_to_action": {"type": "SHOP_NOW"}},
        },
        {},
        2061015,
        f"{STORY}.video_data.call_to_action.value.link",
    ),
    ("tags", "creative", {"url_tags": "?a=b"}, {}, None, "url_tags"),
    ("ad_required", "ad", {"creative": None}, {}, None, "creative"),
    ("ad_set_missing", "ad", {"adset_id": "99"}, {}, 33, "adset_id"),
    ("ad_set_gone", "ad", {}, {"status": "ARCHIVED"}, 1487056, "adset_id"),
    ("creative_missing", "ad", {"creative": {"creative_id": "99"}}, {}, 33, "creative.creative_id"),
    (
        "page_of_promoted_object",
        "ad",
        {},
        {"ad_set": {"promoted_object": {"page_id": "8"}}},
        1885154,
        "creative",
    ),
]
