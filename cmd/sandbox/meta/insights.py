"""Figures of delivery: asked for correctly they are empty, since nothing here is ever delivered.

Source: Marketing API, insights.
"""

from datetime import UTC, date, datetime
from typing import Any

from sandbox.meta.asking import Ask, Result
from sandbox.meta.errors import MetaError, parameter
from sandbox.meta.wire import names
from sandbox.meta.words import words
from sandbox.objects import Record

NODES = ("account", "campaign", "ad_set", "ad")
LEVELS = {"account": 0, "campaign": 1, "adset": 2, "ad": 3}
_OF_NODE = {"account": 0, "campaign": 1, "ad_set": 2, "ad": 3}
LONGEST_MONTHS = 37
PRESETS = words(
    """today yesterday last_3d last_7d last_14d last_28d last_30d last_90d this_month last_month
    this_quarter last_quarter this_year last_year this_week_mon_today this_week_sun_today
    last_week_mon_sun last_week_sun_sat maximum data_maximum"""
)
FIELDS = words(
    """account_currency account_id account_name action_values actions ad_id ad_name adset_id
    adset_name attribution_setting buying_type campaign_id campaign_name canvas_avg_view_time
    catalog_segment_value clicks conversion_rate_ranking conversion_values conversions
    cost_per_action_type cost_per_conversion cost_per_inline_link_click
    cost_per_inline_post_engagement cost_per_outbound_click cost_per_thruplay
    cost_per_unique_action_type cost_per_unique_click cpc cpm cpp created_time ctr date_start
    date_stop engagement_rate_ranking frequency full_view_impressions full_view_reach impressions
    inline_link_click_ctr inline_link_clicks inline_post_engagement
    mobile_app_purchase_roas objective optimization_goal outbound_clicks outbound_clicks_ctr
    purchase_roas quality_ranking reach social_spend spend unique_actions unique_clicks unique_ctr
    unique_inline_link_clicks updated_time video_30_sec_watched_actions
    video_avg_time_watched_actions video_p100_watched_actions video_p25_watched_actions
    video_p50_watched_actions video_p75_watched_actions video_p95_watched_actions
    video_play_actions video_thruplay_watched_actions website_ctr website_purchase_roas"""
)
BREAKDOWNS = words(
    """age gender country region dma publisher_platform platform_position device_platform
    impression_device hourly_stats_aggregated_by_advertiser_time_zone
    hourly_stats_aggregated_by_audience_time_zone product_id body_asset title_asset image_asset
    video_asset description_asset link_url_asset call_to_action_asset ad_format_asset
    frequency_value"""
)


def read(ask: Ask, record: Record) -> Result:
    """Nothing was delivered: an empty list, as Meta answers it."""
    _check_choice(ask, "fields", FIELDS)
    _check_choice(ask, "breakdowns", BREAKDOWNS)
    _check_level(ask, record)
    _check_time(ask)
    return Result({"data": []})


def _check_choice(ask: Ask, name: str, known: frozenset[str]) -> None:
    for wanted in names(ask.params.get(name)):
        if wanted not in known:
            raise parameter(name, f"{wanted} is not valid for {name} param")


def _check_level(ask: Ask, record: Record) -> None:
    level = ask.params.get("level")
    if level is None:
        return
    if not isinstance(level, str) or level not in LEVELS:
        raise parameter("level", f"Param level must be one of {{{', '.join(LEVELS)}}}")
    if LEVELS[level] < _OF_NODE[record.kind]:
        raise parameter("level", f"The level {level} lies above the object that is asked")


def _check_time(ask: Ask) -> None:
    preset, increment = ask.params.get("date_preset"), ask.params.get("time_increment")
    if preset is not None and str(preset) not in PRESETS:
        raise parameter("date_preset", f"{preset} is not a known date_preset")
    is_number = isinstance(increment, int) and 1 <= increment <= 90
    if not is_number and increment not in (None, "monthly", "all_days"):
        raise parameter("time_increment", "It is 1 to 90, monthly or all_days")
    if ask.params.get("time_range") is not None:
        _check_range(ask, ask.params["time_range"])


def _check_range(ask: Ask, given: Any) -> None:
    try:
        since, until = (date.fromisoformat(given[name]) for name in ("since", "until"))
    except (TypeError, KeyError, ValueError):
        raise parameter("time_range", "It is {'since': YYYY-MM-DD, 'until': YYYY-MM-DD}") from None
    if since > until:
        raise parameter("time_range", "since lies behind until")
    today = datetime.fromtimestamp(ask.now, UTC).date()
    if (today.year - since.year) * 12 + today.month - since.month > LONGEST_MONTHS:
        message = f"The start date of the time range cannot be beyond {LONGEST_MONTHS} months"
        raise MetaError(3018, f"(#3018) {message} from the current date")
