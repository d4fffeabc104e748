"""The one place that touches facebook-business: it builds requests, nothing of it is ever sent by it.

Some private names of its request object are read; a test pins them to the version in use.
"""

import warnings
from typing import Any

import msgspec
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.advideo import AdVideo
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi, _top_level_param_json_encode
from facebook_business.session import FacebookSession

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportPrivateUsage=false
# the SDK has no types


class Call(msgspec.Struct, frozen=True):
    """A request as the SDK built it: nested values are JSON text already."""

    method: str
    path: str
    params: dict[str, str]


class Sdk:
    """Builds calls on an API object of its own; the token is never given to it."""

    def __init__(self, version: str) -> None:
        session = FacebookSession(access_token="-")  # noqa: S106 - the real one travels in a header
        self._api = FacebookAdsApi(session, api_version=version)
        self._version = version

    def create(self, edge: str, account: str, params: dict[str, Any]) -> Call:
        """A create on an edge of an ad account: campaign, ad_set, ad_creative, ad, ad_video."""
        owner = AdAccount(account, api=self._api)
        return self._call(lambda: getattr(owner, f"create_{edge}")(params=params, pending=True))

    def campaigns(self, account: str, fields: list[str], params: dict[str, Any]) -> Call:
        """Campaigns of an ad account."""
        owner = AdAccount(account, api=self._api)
        return self._call(lambda: owner.get_campaigns(fields=fields, params=params, pending=True))

    def ad_sets(self, campaign: str, fields: list[str], params: dict[str, Any]) -> Call:
        """Ad sets of a campaign."""
        owner = Campaign(campaign, api=self._api)
        return self._call(lambda: owner.get_ad_sets(fields=fields, params=params, pending=True))

    def ads(self, ad_set: str, fields: list[str], params: dict[str, Any]) -> Call:
        """Ads of an ad set."""
        owner = AdSet(ad_set, api=self._api)
        return self._call(lambda: owner.get_ads(fields=fields, params=params, pending=True))

    def video(self, video: str, fields: list[str]) -> Call:
        """One video."""
        return self._call(
            lambda: AdVideo(video, api=self._api).api_get(fields=fields, pending=True)
        )

    def update(self, kind: str, object_id: str, params: dict[str, Any]) -> Call:
        """Changes a campaign, ad_set or ad."""
        owner = {"campaign": Campaign, "ad_set": AdSet, "ad": Ad}[kind](object_id, api=self._api)
        return self._call(lambda: owner.api_update(params=params, pending=True))

    def token(self, token: str) -> Call:
        """What a token is worth; the SDK has no object for that edge."""
        return Call("GET", f"{self._version}/debug_token", {"input_token": token})

    def permissions(self) -> Call:
        """What the token may do."""
        me = User("me", api=self._api)
        return self._call(lambda: me.get_permissions(pending=True))

    def account(self, account: str, fields: list[str]) -> Call:
        """The ad account itself."""
        owner = AdAccount(account, api=self._api)
        return self._call(lambda: owner.api_get(fields=fields, pending=True))

    def minimum_budgets(self, account: str) -> Call:
        """The least budgets of an ad account."""
        owner = AdAccount(account, api=self._api)
        return self._call(lambda: owner.get_minimum_budgets(pending=True))

    def pages(self, fields: list[str], params: dict[str, Any]) -> Call:
        """Pages of the token's user."""
        me = User("me", api=self._api)
        return self._call(lambda: me.get_accounts(fields=fields, params=params, pending=True))

    def images(self, account: str) -> Call:
        """The image edge; the SDK takes paths of files only, so the multipart body is ours."""
        return Call("POST", f"{self._version}/{account}/adimages", {})

    def _call(self, build: Any) -> Call:
        with warnings.catch_warnings():
            # the SDK's type checker warns about values that Meta documents
            warnings.simplefilter("ignore", UserWarning)
            request = build()
        params = _top_level_param_json_encode(request.get_params())
        if request.get_fields():
            params["fields"] = ",".join(request.get_fields())
        path = "/".join([self._version, *(str(part).strip("/") for part in request._path)])  # noqa: SLF001 - pinned by a test
        return Call(request._method, path.rstrip("/"), {k: str(v) for k, v in params.items()})  # noqa: SLF001 - likewise
