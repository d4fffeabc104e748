"""Accounts, names, media, creatives."""

from tests.models.meta_requests import (
    ABSENT,
    AD,
    CAMPAIGN,
    CAROUSEL,
    CREATIVE,
    NO_MEDIA,
    POST,
    PROMOTED,
    SET,
    VIDEO,
    Case,
)

HERO = "/media/hero"
ACCOUNT = "/platform_account_id"
ON_AD = {
    f"{CAMPAIGN}/objective": "OUTCOME_LEADS",
    f"{SET}/destination_type": "ON_AD",
    f"{SET}/optimization_goal": "LEAD_GENERATION",
    PROMOTED: {"page_id": "1"},
    f"{CREATIVE}/page_id": "1",
}
EVENT = {
    f"{CAMPAIGN}/objective": "OUTCOME_ENGAGEMENT",
    f"{SET}/destination_type": "ON_VIDEO",
    f"{SET}/optimization_goal": "THRUPLAY",
    CREATIVE: VIDEO,
}

CASES = [
    Case(
        level="request",
        code="account_not_clear",
        at="/ad_account_id",
        both={"/ad_account_id": ABSENT},
        refused={},
        accepted={ACCOUNT: "act_1000000001"},
    ),
    Case(
        level="request",
        code="account_not_clear",
        at=ACCOUNT,
        refused={ACCOUNT: "act_1000000001"},
    ),
    *(
        Case(
            level=level,
            code="name_too_long",
            at=f"{place}/name",
            refused={f"{place}/name": "n" * 385},
            accepted={f"{place}/name": "n" * 384},
        )
        for level, place in (("campaign", CAMPAIGN), ("ad_set", SET), ("ad", AD))
    ),
    Case(
        level="request",
        code="media_source_unclear",
        at=HERO,
        refused={f"{HERO}/asset_id": "01a1fc84-2ca1-778d-8eed-736019b7f1b8"},
    ),
    Case(level="request", code="media_source_unclear", at=HERO, refused={HERO: {}}),
    Case(
        level="request",
        code="generation_not_available",
        at=f"{HERO}/generate",
        refused={HERO: {"generate": {"provider": "gemini", "kind": "image", "prompt": "Mint"}}},
        accepted={HERO: {"asset_id": "01a1fc84-2ca1-778d-8eed-736019b7f1b8"}},
    ),
    Case(
        level="request",
        code="media_not_used",
        at="/media/spare",
        refused={"/media/spare": {"url": "https://example.com/spare.png"}},
    ),
    Case(
        level="request",
        code="media_kind_conflict",
        at=f"{CREATIVE}/thumbnail",
        both={CREATIVE: {**VIDEO, "link": "https://example.com/"}},
        refused={f"{CREATIVE}/thumbnail": "hero"},
        accepted={
            f"{CREATIVE}/thumbnail": "frame",
            "/media/frame": {"url": "https://example.com/frame.png"},
        },
    ),
    Case(
        level="ad",
        code="media_unknown",
        at=f"{CREATIVE}/image",
        both=NO_MEDIA,
        refused={},
        accepted={f"{CREATIVE}/image": ABSENT},
    ),
    Case(
        level="ad",
        code="call_to_action_needs_link",
        at=f"{CREATIVE}/link",
        both=EVENT,
        refused={f"{CREATIVE}/call_to_action": "WATCH_MORE"},
        accepted={f"{CREATIVE}/call_to_action": "NO_BUTTON"},
    ),
    Case(
        level="ad",
        code="link_missing_for_objective",
        at=f"{CREATIVE}/link",
        both={CREATIVE: VIDEO},
        refused={},
        accepted={f"{CREATIVE}/link": "https://example.com/"},
    ),
    Case(
        level="ad",
        code="url_tags_begin_with_question_mark",
        at=f"{CREATIVE}/url_tags",
        refused={f"{CREATIVE}/url_tags": "?utm_source=meta"},
        accepted={f"{CREATIVE}/url_tags": "utm_source=meta"},
    ),
    Case(
        level="ad",
        code="card_media_not_clear",
        at=f"{CREATIVE}/cards/1/image",
        both={CREATIVE: CAROUSEL},
        refused={f"{CREATIVE}/cards/1/image": ABSENT},
    ),
    Case(
        level="ad",
        code="card_media_not_clear",
        at=f"{CREATIVE}/cards/1/video",
        both={CREATIVE: CAROUSEL, "/media/clip": {"url": "https://example.com/clip.mp4"}},
        refused={f"{CREATIVE}/cards/1/video": "clip"},
        accepted={
            f"{CREATIVE}/cards/1/video": "clip",
            f"{CREATIVE}/cards/1/image": ABSENT,
        },
    ),
    Case(
        level="ad",
        code="post_of_another_page",
        at=f"{CREATIVE}/post_id",
        both={CREATIVE: POST, **NO_MEDIA},
        refused={f"{CREATIVE}/post_id": "12_2"},
    ),
    Case(
        level="ad",
        code="lead_form_missing",
        at=f"{CREATIVE}/type",
        both=ON_AD,
        refused={},
        accepted={CREATIVE: POST, **NO_MEDIA},
    ),
    Case(
        level="ad_set",
        code="dynamic_creative_not_available",
        at=f"{SET}/is_dynamic_creative",
        refused={f"{SET}/is_dynamic_creative": True},
        accepted={f"{SET}/is_dynamic_creative": False},
    ),
    Case(
        level="ad",
        code="tracking_too_deep",
        at=f"{AD}/tracking_specs",
        refused={f"{AD}/tracking_specs": [{"a": [[[[[[[]]]]]]]}]},
        accepted={f"{AD}/tracking_specs": [{"a": [[[[[[]]]]]]}]},
    ),
]
