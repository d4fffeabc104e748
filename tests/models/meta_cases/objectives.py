"""Objectives, destinations, goals, promoted objects, attribution, apps."""

from tests.models.meta_requests import (
    ABSENT,
    APP,
    CAMPAIGN,
    CREATIVE,
    NO_MEDIA,
    OF_PIXEL,
    POST,
    PROMOTED,
    SALES,
    SET,
    TARGETING,
    Case,
)

GOAL = f"{SET}/optimization_goal"
DESTINATION = f"{SET}/destination_type"
OBJECTIVE = f"{CAMPAIGN}/objective"
SKADNETWORK = f"{CAMPAIGN}/is_skadnetwork_attribution"
STORE = {"application_id": "9", "object_store_url": "https://apps.apple.com/x"}

CASES = [
    Case(
        level="ad_set",
        code="destination_does_not_fit_objective",
        at=DESTINATION,
        refused={DESTINATION: "ON_POST"},
        accepted={DESTINATION: "WEBSITE"},
    ),
    Case(
        level="ad_set",
        code="goal_does_not_fit_objective",
        at=GOAL,
        refused={GOAL: "APP_INSTALLS"},
        accepted={GOAL: "LANDING_PAGE_VIEWS"},
    ),
    Case(
        level="ad_set",
        code="goal_does_not_fit_objective",
        at=GOAL,
        both={
            OBJECTIVE: "OUTCOME_ENGAGEMENT",
            DESTINATION: "ON_POST",
            PROMOTED: {"page_id": "1"},
            CREATIVE: POST,
            **NO_MEDIA,
        },
        refused={GOAL: "IMPRESSIONS"},
        accepted={GOAL: "POST_ENGAGEMENT"},
    ),
    Case(
        level="ad_set",
        code="goal_does_not_fit_promoted_object",
        at=GOAL,
        both={PROMOTED: STORE},
        refused={GOAL: "LANDING_PAGE_VIEWS"},
        accepted={GOAL: "REACH"},
    ),
    Case(
        level="ad_set",
        code="goal_does_not_fit_promoted_object",
        at=GOAL,
        both={
            **SALES,
            f"{CAMPAIGN}/promoted_object": {"product_catalog_id": "5"},
            PROMOTED: {"product_set_id": "6", "custom_event_type": "PURCHASE"},
        },
        refused={GOAL: "REACH"},
    ),
    Case(
        level="ad_set",
        code="billing_does_not_fit_goal",
        at=f"{SET}/billing_event",
        both={f"{SET}/billing_event": "LINK_CLICKS"},
        refused={GOAL: "REACH"},
        accepted={GOAL: "LINK_CLICKS"},
    ),
    Case(
        level="ad_set",
        code="promoted_object_missing",
        at=PROMOTED,
        refused={**SALES, PROMOTED: ABSENT},
        accepted=SALES,
    ),
    Case(
        level="ad_set",
        code="promoted_object_missing",
        at=PROMOTED,
        both={OBJECTIVE: "OUTCOME_AWARENESS", GOAL: "REACH"},
        refused={},
        accepted={PROMOTED: {"page_id": "1"}},
    ),
    Case(
        level="ad_set",
        code="promoted_object_incomplete",
        at=f"{PROMOTED}/custom_event_type",
        both=SALES,
        refused={f"{PROMOTED}/custom_event_type": ABSENT},
    ),
    Case(
        level="ad_set",
        code="promoted_object_incomplete",
        at=f"{PROMOTED}/custom_event_str",
        both={**SALES, f"{PROMOTED}/custom_event_type": "OTHER"},
        refused={},
        accepted={f"{PROMOTED}/custom_event_str": "tasted"},
    ),
    Case(
        level="ad_set",
        code="promoted_object_incomplete",
        at=f"{PROMOTED}/object_store_url",
        refused={PROMOTED: {"application_id": "9"}},
        accepted={PROMOTED: STORE},
    ),
    Case(
        level="ad_set",
        code="promoted_object_incomplete",
        at=f"{PROMOTED}/custom_event_type",
        both={**APP, GOAL: "OFFSITE_CONVERSIONS"},
        refused={},
        accepted={f"{PROMOTED}/custom_event_type": "PURCHASE"},
    ),
    Case(
        level="ad_set",
        code="two_promoted_objects",
        at=PROMOTED,
        both=SALES,
        refused={f"{PROMOTED}/place_page_set_id": "3"},
        accepted={f"{PROMOTED}/page_id": "1"},
    ),
    Case(
        level="ad_set",
        code="catalogue_at_wrong_level",
        at=f"{CAMPAIGN}/promoted_object/product_catalog_id",
        both={**SALES, PROMOTED: {"product_set_id": "6", "custom_event_type": "PURCHASE"}},
        refused={},
        accepted={f"{CAMPAIGN}/promoted_object": {"product_catalog_id": "5"}},
    ),
    Case(
        level="ad_set",
        code="catalogue_at_wrong_level",
        at=f"{PROMOTED}/product_catalog_id",
        both=SALES,
        refused={f"{PROMOTED}/product_catalog_id": "5"},
    ),
    Case(
        level="ad_set",
        code="event_does_not_fit_objective",
        at=f"{PROMOTED}/custom_event_type",
        both={OBJECTIVE: "OUTCOME_SALES", **OF_PIXEL},
        refused={f"{PROMOTED}/custom_event_type": "LEAD"},
        accepted={f"{PROMOTED}/custom_event_type": "ADD_TO_CART"},
    ),
    Case(
        level="ad_set",
        code="attribution_does_not_fit_goal",
        at=f"{SET}/attribution_spec",
        refused={f"{SET}/attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 7}]},
        accepted={f"{SET}/attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 1}]},
    ),
    Case(
        level="ad_set",
        code="attribution_does_not_fit_goal",
        at=f"{SET}/attribution_spec",
        both=SALES,
        refused={f"{SET}/attribution_spec": [{"event_type": "VIEW_THROUGH", "window_days": 1}]},
        accepted={
            f"{SET}/attribution_spec": [
                {"event_type": "VIEW_THROUGH", "window_days": 1},
                {"event_type": "CLICK_THROUGH", "window_days": 7},
            ]
        },
    ),
    Case(
        level="ad_set",
        code="attribution_does_not_fit_goal",
        at=f"{SET}/attribution_spec",
        both=APP,
        refused={f"{SET}/attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 7}]},
        accepted={
            f"{SET}/attribution_spec": [
                {"event_type": "CLICK_THROUGH", "window_days": 1},
                {"event_type": "ENGAGED_VIDEO_VIEW", "window_days": 1},
            ]
        },
    ),
    Case(
        level="campaign",
        code="app_attribution_not_said",
        at=SKADNETWORK,
        both=APP,
        refused={SKADNETWORK: ABSENT},
    ),
    Case(
        level="campaign",
        code="app_missing_at_campaign",
        at=f"{CAMPAIGN}/promoted_object/object_store_url",
        both={
            **APP,
            SKADNETWORK: True,
            PROMOTED: STORE,
            f"{TARGETING}/user_os": ["iOS_ver_16.0_and_above"],
        },
        refused={f"{CAMPAIGN}/promoted_object": {"application_id": "9"}},
        accepted={f"{CAMPAIGN}/promoted_object": STORE},
    ),
    Case(
        level="ad_set",
        code="app_system_does_not_match",
        at=f"{TARGETING}/user_os",
        both=APP,
        refused={f"{TARGETING}/user_os": ["iOS", "Android"]},
    ),
    Case(
        level="ad_set",
        code="app_system_does_not_match",
        at=f"{TARGETING}/user_os",
        both=APP,
        refused={f"{TARGETING}/user_os": ABSENT},
    ),
    Case(
        level="ad_set",
        code="app_needs_mobile",
        at=f"{TARGETING}/device_platforms/1",
        both=APP,
        refused={f"{TARGETING}/device_platforms": ["mobile", "desktop"]},
        accepted={f"{TARGETING}/device_platforms": ["mobile"]},
    ),
]
