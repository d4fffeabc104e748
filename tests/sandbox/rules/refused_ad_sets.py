"""What is refused of an ad set: rule, kind, changes, world, subcode, blamed field."""

from tests.sandbox.rules.examples import DAY, NOW

REFUSED = [
    ("ad_set_required", "ad_set", {"billing_event": None}, {}, None, "billing_event"),
    ("campaign_missing", "ad_set", {"campaign_id": "99"}, {}, 33, "campaign_id"),
    ("campaign_gone", "ad_set", {}, {"status": "DELETED"}, 1487566, "campaign_id"),
    (
        "too_many_ad_sets",
        "ad_set",
        {},
        {"siblings": [{"status": "PAUSED", "fields": {}}] * 200},
        None,
        "campaign_id",
    ),
    ("destination", "ad_set", {"destination_type": "ON_AD"}, {}, 2446509, "destination_type"),
    ("goal", "ad_set", {"optimization_goal": "APP_INSTALLS"}, {}, 2490408, "optimization_goal"),
    (
        "website_without_pixel",
        "ad_set",
        {"destination_type": "WEBSITE"},
        {"campaign": {"objective": "OUTCOME_SALES"}},
        2490408,
        "optimization_goal",
    ),
    ("billing", "ad_set", {"billing_event": "THRUPLAY"}, {}, None, "billing_event"),
    (
        "promoted_object",
        "ad_set",
        {"optimization_goal": "OFFSITE_CONVERSIONS"},
        {"campaign": {"objective": "OUTCOME_SALES"}},
        1815430,
        "promoted_object",
    ),
    (
        "promoted_object_incomplete",
        "ad_set",
        {"optimization_goal": "OFFSITE_CONVERSIONS", "promoted_object": {"pixel_id": "1"}},
        {"campaign": {"objective": "OUTCOME_SALES"}},
        1885014,
        "promoted_object.custom_event_type",
    ),
    (
        "two_promoted_objects",
        "ad_set",
        {
            "promoted_object": {
                "pixel_id": "1",
                "application_id": "2",
                "object_store_url": "https://play.google.com/x",
            }
        },
        {},
        1487929,
        "promoted_object",
    ),
    ("budget_levels", "ad_set", {}, {"campaign": {"daily_budget": 500}}, 1885621, "daily_budget"),
    ("budget_unsaid", "ad_set", {"daily_budget": None}, {}, None, "daily_budget"),
    ("whole_amounts", "ad_set", {"daily_budget": 5000.5}, {}, None, "daily_budget"),
    ("budget_minimum", "ad_set", {"daily_budget": "99"}, {}, 1885272, "daily_budget"),
    ("bid_strategy", "ad_set", {"bid_strategy": "TARGET_COST"}, {}, None, "bid_strategy"),
    ("bid_missing", "ad_set", {"bid_strategy": "COST_CAP"}, {}, 1815857, "bid_amount"),
    ("bid_unwanted", "ad_set", {"bid_amount": 100}, {}, 1885204, "bid_amount"),
    (
        "cost_cap",
        "ad_set",
        {"bid_strategy": "COST_CAP", "bid_amount": 100, "billing_event": "LINK_CLICKS"},
        {},
        None,
        "billing_event",
    ),
    (
        "cost_cap",
        "ad_set",
        {"bid_strategy": "COST_CAP", "bid_amount": 100, "pacing_type": ["no_pacing"]},
        {},
        None,
        "pacing_type",
    ),
    (
        "system_of_store",
        "ad_set",
        {
            "optimization_goal": "APP_INSTALLS",
            "promoted_object": {
                "application_id": "1",
                "object_store_url": "https://play.google.com/x",
            },
            "targeting.user_os": ["iOS"],
        },
        {"campaign": {"objective": "OUTCOME_APP_PROMOTION"}},
        1487678,
        "targeting.user_os",
    ),
    (
        "roas",
        "ad_set",
        {"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS"},
        {},
        2490487,
        "bid_constraints.roas_average_floor",
    ),
    (
        "sharing_strategies",
        "ad_set",
        {},
        {
            "campaign": {"is_adset_budget_sharing_enabled": True},
            "siblings": [{"status": "PAUSED", "fields": {"bid_strategy": "COST_CAP"}}],
        },
        4834009,
        "bid_strategy",
    ),
    ("end_past", "ad_set", {"end_time": NOW - 1}, {}, 1487033, "end_time"),
    (
        "lifetime_end",
        "ad_set",
        {"daily_budget": None, "lifetime_budget": 5000},
        {},
        None,
        "end_time",
    ),
    ("short_day", "ad_set", {"end_time": NOW + DAY}, {}, None, "end_time"),
    (
        "frequency",
        "ad_set",
        {
            "optimization_goal": "LINK_CLICKS",
            "frequency_control_specs": [
                {"event": "IMPRESSIONS", "interval_days": 7, "max_frequency": 2}
            ],
        },
        {},
        None,
        "frequency_control_specs",
    ),
    (
        "frequency",
        "ad_set",
        {
            "optimization_goal": "REACH",
            "frequency_control_specs": [
                {"event": "IMPRESSIONS", "interval_days": 91, "max_frequency": 2}
            ],
        },
        {},
        None,
        "frequency_control_specs",
    ),
    (
        "frequency",
        "ad_set",
        {
            "optimization_goal": "REACH",
            "frequency_control_specs": [
                {"event": "IMPRESSIONS", "interval_days": 7, "max_frequency": 91}
            ],
        },
        {},
        None,
        "frequency_control_specs",
    ),
    (
        "frequency",
        "ad_set",
        {
            "optimization_goal": "REACH",
            "frequency_control_specs": [
                {"event": "IMPRESSIONS", "interval_days": 0, "max_frequency": 2}
            ],
        },
        {},
        None,
        "frequency_control_specs",
    ),
    (
        "frequency",
        "ad_set",
        {
            "optimization_goal": "REACH",
            "frequency_control_specs": [
                {"event": "CLICKS", "interval_days": 7, "max_frequency": 2}
            ],
        },
        {},
        None,
        "frequency_control_specs",
    ),
    ("hours", "ad_set", {"adset_schedule": [{}]}, {}, None, "adset_schedule"),
    (
        "hours_pacing",
        "ad_set",
        {
            "adset_schedule": [{}],
            "lifetime_budget": 10_000,
            "daily_budget": None,
            "end_time": "2100-01-01T00:00:00Z",
            "pacing_type": ["standard"],
        },
        {},
        None,
        "pacing_type",
    ),
    (
        "attribution",
        "ad_set",
        {"attribution_spec": [{"event_type": "CLICK_THROUGH", "window_days": 7}]},
        {},
        1885501,
        "attribution_spec",
    ),
    (
        "immutable",
        "update_ad_set",
        {"promoted_object": {"page_id": "8"}},
        {},
        1815198,
        "promoted_object",
    ),
]
