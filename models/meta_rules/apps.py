"""What ads for apps need beside the app."""

from models.meta_rules.table import Found, Scope, rule

APPS = "Marketing API, app ads"
FIELD = "Reported by users of the Marketing API"

STORES = {"apple.com": "iOS", "google.com": "Android"}


@rule(
    "campaign",
    "app_attribution_not_said",
    FIELD,
    3955009,
    when=("campaign.objective=OUTCOME_APP_PROMOTION",),
)
def attribution_is_said(scope: Scope) -> Found:
    """Whether Apple's attribution is used has to be said for apps."""
    if scope.campaign.get("objective") != "OUTCOME_APP_PROMOTION":
        return
    if not scope.campaign.has("is_skadnetwork_attribution"):
        message = "Say true or false: Meta requires it for OUTCOME_APP_PROMOTION."
        yield scope.campaign.at("is_skadnetwork_attribution"), message


@rule("campaign", "app_missing_at_campaign", FIELD, when=("campaign.is_skadnetwork_attribution",))
def app_of_campaign(scope: Scope) -> Found:
    """Under Apple's attribution a campaign promotes one app."""
    if not scope.campaign.get("is_skadnetwork_attribution"):
        return
    promoted = scope.campaign.below("promoted_object")
    for field in ("application_id", "object_store_url"):
        if not promoted.has(field):
            yield promoted.at(field), "It is required with is_skadnetwork_attribution."


@rule("ad_set", "app_system_does_not_match", APPS, 1487678, when=("ad_set.promoted_object",))
def system_of_store(scope: Scope) -> Found:
    """Apps are promoted on the system of their store."""
    store = scope.ad_set.below("promoted_object").get("object_store_url") or ""
    system = next((name for host, name in STORES.items() if host in store), None)
    systems = scope.targeting.values("user_os")
    is_required = scope.campaign.get("objective") == "OUTCOME_APP_PROMOTION"
    if system is None or not (systems or is_required):
        return
    if not systems or not all(found.startswith(system) for found in systems):
        yield scope.targeting.at("user_os"), f"The app's store is that of {system}: name it alone."


@rule("ad_set", "app_needs_mobile", APPS, when=("targeting.device_platforms",))
def mobile_only(scope: Scope) -> Found:
    """Apps are promoted on mobile devices."""
    if scope.campaign.get("objective") != "OUTCOME_APP_PROMOTION":
        return
    for index, device in enumerate(scope.targeting.values("device_platforms")):
        if device != "mobile":
            yield scope.targeting.at("device_platforms", index), "Apps are promoted on mobile only."


RULES = (attribution_is_said, app_of_campaign, system_of_store, mobile_only)
