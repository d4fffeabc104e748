"""Which account, and what everything is called."""

from models.meta_rules.table import Found, Place, Scope, rule

LIMITS = "Marketing API reference, ad set: name"
OURS = "Our own: a request names its account one way"

LONGEST_NAME = 400


@rule("request", "account_not_clear", OURS)
def one_account(scope: Scope) -> Found:
    """A request names its account by our id or by the platform's."""
    given = scope.request.given("ad_account_id", "platform_account_id")
    if not given:
        yield scope.request.at("ad_account_id"), "Give ad_account_id or platform_account_id."
    elif len(given) == 2:
        message = "Give ad_account_id or platform_account_id, not both."
        yield scope.request.at("platform_account_id"), message


@rule("campaign", "name_too_long", LIMITS)
def campaign_name(scope: Scope) -> Found:
    """Behind the campaign's name stands our marker."""
    yield from _name(scope, scope.campaign)


@rule("ad_set", "name_too_long", LIMITS)
def ad_set_name(scope: Scope) -> Found:
    """Behind the ad set's name stands our marker."""
    yield from _name(scope, scope.ad_set)


@rule("ad", "name_too_long", LIMITS)
def ad_name(scope: Scope) -> Found:
    """Behind the ad's name stands our marker."""
    yield from _name(scope, scope.ad)


def _name(scope: Scope, place: Place) -> Found:
    most = LONGEST_NAME - scope.context.marker_length
    if len(place.get("name") or "") > most:
        message = f"At most {most} characters: Meta takes {LONGEST_NAME}, our marker is the rest."
        yield place.at("name"), message


RULES = (one_account, campaign_name, ad_set_name, ad_name)
