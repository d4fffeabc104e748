"""Where ads appear."""

from models.meta_rules.table import Found, Place, Scope, rule

PLACEMENT = "Marketing API, placement targeting"
GONE_SINCE = "Marketing API changelogs v24.0 and v26.0: placements"

POSITIONS = {
    "facebook_positions": "facebook",
    "instagram_positions": "instagram",
    "threads_positions": "threads",
    "messenger_positions": "messenger",
    "audience_network_positions": "audience_network",
}
GONE = {
    "facebook_positions": ("video_feeds",),
    "instagram_positions": ("explore", "explore_home"),
    "messenger_positions": ("story",),
}
NEED_FEED = ("marketplace", "search", "profile_feed", "notification")


@rule("ad_set", "placement_not_chosen", PLACEMENT, when=("targeting.publisher_platforms",))
def positions_of_platforms(scope: Scope) -> Found:
    """Positions belong to a chosen platform."""
    platforms = scope.targeting.values("publisher_platforms")
    for field, platform in POSITIONS.items():
        if platforms and scope.targeting.has(field) and platform not in platforms:
            yield scope.targeting.at(field), f"publisher_platforms does not name {platform}."


@rule(
    "ad_set",
    "placement_gone",
    GONE_SINCE,
    2490392,
    when=(
        "targeting.facebook_positions",
        "targeting.instagram_positions",
        "targeting.messenger_positions",
    ),
)
def positions_exist(scope: Scope) -> Found:
    """Some positions do not exist any more."""
    for field, gone in GONE.items():
        for index, position in enumerate(scope.targeting.get(field) or ()):
            if position in gone:
                message = f"Meta does not show ads in {position} any more."
                yield scope.targeting.at(field, index), message


@rule(
    "ad_set", "platform_needs_another", PLACEMENT, 1815433, when=("targeting.publisher_platforms",)
)
def platforms_together(scope: Scope) -> Found:
    """The Audience Network never stands alone, and Threads follows Instagram."""
    platforms = scope.targeting.values("publisher_platforms")
    at = scope.targeting.at("publisher_platforms")
    if set(platforms) == {"audience_network"}:
        yield at, "audience_network needs another platform beside it."
    if "threads" in platforms and "instagram" not in platforms:
        yield at, "threads needs instagram beside it."


@rule(
    "ad_set", "position_needs_another", PLACEMENT, 1815433, when=("targeting.facebook_positions",)
)
def positions_together(scope: Scope) -> Found:
    """Some positions on Facebook come only with its feed; stories also with those of Instagram."""
    facebook = scope.targeting.values("facebook_positions")
    if "feed" in facebook:
        return
    for index, position in enumerate(facebook):
        if position in NEED_FEED or (position == "story" and not _instagram_has(scope, "story")):
            at = scope.targeting.at("facebook_positions", index)
            yield at, f"{position} needs feed beside it."


@rule(
    "ad_set",
    "threads_needs_stream",
    PLACEMENT,
    1815433,
    when=("targeting.publisher_platforms", "targeting.threads_positions"),
)
def threads_with_stream(scope: Scope) -> Found:
    """Threads comes with the stream of Instagram."""
    if not _has_threads(scope.targeting):
        return
    positions = scope.targeting.values("instagram_positions")
    if positions and "stream" not in positions:
        yield scope.targeting.at("instagram_positions"), "threads needs stream beside it."


@rule("ad_set", "placement_empty", PLACEMENT, when=("targeting.publisher_platforms",))
def somewhere(scope: Scope) -> Found:
    """Instagram is not shown on desktops alone."""
    platforms = set(scope.targeting.values("publisher_platforms"))
    if platforms == {"instagram"} and set(scope.targeting.values("device_platforms")) == {
        "desktop"
    }:
        message = "Instagram alone on desktop alone is nowhere."
        yield scope.targeting.at("device_platforms"), message


@rule("ad", "video_in_right_column_only", PLACEMENT, when=("targeting.publisher_platforms",))
def videos_need_more(scope: Scope) -> Found:
    """A video is not shown in the right column alone."""
    targeting = scope.targeting
    if scope.creative.get("type") != "video":
        return
    is_facebook_alone = set(targeting.values("publisher_platforms")) == {"facebook"}
    if is_facebook_alone and set(targeting.values("facebook_positions")) == {"right_hand_column"}:
        message = "right_hand_column alone does not show videos."
        yield targeting.at("facebook_positions"), message


def _instagram_has(scope: Scope, position: str) -> bool:
    """Instagram is chosen, and this position of it, by name or because none is named."""
    platforms = scope.targeting.values("publisher_platforms")
    positions = scope.targeting.values("instagram_positions")
    return "instagram" in (platforms or ("instagram",)) and position in (positions or (position,))


def _has_threads(targeting: Place) -> bool:
    return "threads" in targeting.values("publisher_platforms") or targeting.has(
        "threads_positions"
    )


RULES = (
    positions_of_platforms,
    positions_exist,
    platforms_together,
    positions_together,
    threads_with_stream,
    somewhere,
    videos_need_more,
)
