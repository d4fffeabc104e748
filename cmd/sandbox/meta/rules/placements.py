"""What is refused of where an ad set's ads appear."""

from sandbox.meta.rules.table import Params, World, rule
from sandbox.meta.rules.values import part, words

PLACEMENTS = "Placement targeting guide"

WITH_FEED = {"marketplace", "search", "profile_feed", "notification"}
GONE = {
    "instagram_positions": {"explore", "explore_home"},
    "messenger_positions": {"story"},
    "facebook_positions": {"video_feeds"},
}


def chosen(params: Params, name: str) -> set[str]:
    """Platforms, positions or devices that are named; empty is all of them."""
    return words(part(params, "targeting", name))


@rule("ad_set", "placement_alone", 1815433, PLACEMENTS, "These placements cannot stand alone.")
def alone(params: Params, world: World):
    platforms = chosen(params, "publisher_platforms")
    if platforms == {"audience_network"} or (
        "threads" in platforms and "instagram" not in platforms
    ):
        return "targeting.publisher_platforms"
    instagram = chosen(params, "instagram_positions")
    if "threads" in platforms and instagram and "stream" not in instagram:
        return "targeting.instagram_positions"
    return "targeting.facebook_positions" if _lacks_feed(params) else None


def _lacks_feed(params: Params) -> bool:
    """Most positions on Facebook stand beside its feed; stories beside those of Instagram, too."""
    facebook = chosen(params, "facebook_positions")
    platforms = chosen(params, "publisher_platforms") or {"instagram"}
    instagram = chosen(params, "instagram_positions") or {"story"}
    has_story = "instagram" in platforms and "story" in instagram
    needy = facebook & (WITH_FEED if has_story else WITH_FEED | {"story"})
    return bool(needy) and "feed" not in facebook


@rule("ad_set", "placement_nowhere", None, PLACEMENTS, "Instagram has no place on desktops.")
def nowhere(params: Params, world: World):
    only = chosen(params, "publisher_platforms") == {"instagram"}
    desktop = chosen(params, "device_platforms") == {"desktop"}
    return "targeting.device_platforms" if only and desktop else None


@rule(
    "ad_set",
    "placement_gone",
    2490392,
    "Marketing API changelog v26.0",
    "This placement does not exist any more.",
)
def gone(params: Params, world: World):
    for name, positions in GONE.items():
        if positions & chosen(params, name):
            return f"targeting.{name}"
    return None


RULES = (alone, nowhere, gone)
