"""The few private names of the SDK that are read, and what it builds."""

from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.api import FacebookAdsApi, FacebookRequest, _top_level_param_json_encode
from facebook_business.apiconfig import ads_api_config
from facebook_business.session import FacebookSession

from workers.platforms.meta.sdk import Call, Sdk


def test_a_pending_request_has_the_names_that_are_read():
    api = FacebookAdsApi(FacebookSession(access_token="-"), api_version="v26.0")

    pending = AdAccount("act_1", api=api).create_campaign(params={"name": "x"}, pending=True)

    assert isinstance(pending, FacebookRequest)
    assert pending._method == "POST"
    assert [str(part) for part in pending._path] == ["act_1", "campaigns"]
    assert pending.get_params() == {"name": "x"}
    assert pending.get_fields() == []
    assert _top_level_param_json_encode({"a": [1], "b": True}) == {"a": "[1]", "b": "true"}


def test_the_default_version_is_the_sdks_own():
    assert ads_api_config["API_VERSION"] == "v26.0"


def test_no_default_api_is_ever_set():
    Sdk("v26.0").create("campaign", "act_1", {"name": "x"})

    assert FacebookAdsApi.get_default_api() is None


def test_every_call_has_its_path_and_its_nested_values_as_json():
    sdk = Sdk("v26.0")

    assert sdk.create("ad_set", "act_1", {"targeting": {"a": [1]}, "daily_budget": 5}) == Call(
        "POST", "v26.0/act_1/adsets", {"targeting": '{"a":[1]}', "daily_budget": "5"}
    )
    assert sdk.create("ad_creative", "act_1", {}).path == "v26.0/act_1/adcreatives"
    assert sdk.create("ad", "act_1", {}).path == "v26.0/act_1/ads"
    assert sdk.create("ad_video", "act_1", {}).path == "v26.0/act_1/advideos"
    assert sdk.images("act_1").path == "v26.0/act_1/adimages"
    assert sdk.campaigns("act_1", ["id"], {}).path == "v26.0/act_1/campaigns"
    assert sdk.ad_sets("10", ["id"], {}).path == "v26.0/10/adsets"
    assert sdk.ads("11", ["id"], {}).path == "v26.0/11/ads"
    assert sdk.video("20", ["status"]) == Call("GET", "v26.0/20", {"fields": "status"})
    assert sdk.update("ad", "9", {"status": "ACTIVE"}) == Call(
        "POST", "v26.0/9", {"status": "ACTIVE"}
    )
