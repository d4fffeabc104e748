"""A program written with the official SDK works when only its base address is changed."""

import base64
from pathlib import Path
from typing import Any

import pytest
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adcreative import AdCreative
from facebook_business.adobjects.adimage import AdImage
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.advideo import AdVideo
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.exceptions import FacebookRequestError

from tests.sandbox.running import (
    AD_SET,
    CAMPAIGN,
    CLIP,
    CREATIVE,
    PAGE,
    READY_MADE,
    Running,
    long_clip,
    picture,
)

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportIndexIssue=false
# the SDK has no types

pytestmark = [
    # the SDK warns about values that the platform documents, and about its own old names
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_a_whole_tree_is_built_read_changed_and_deleted(sandbox: Running) -> None:
    account = sandbox.sdk()

    campaign = account.create_campaign(params=CAMPAIGN)
    ad_set = account.create_ad_set(params={**AD_SET, "campaign_id": campaign["id"]})
    creative = account.create_ad_creative(params=CREATIVE)
    ad = account.create_ad(
        params={
            "name": "Ad",
            "adset_id": ad_set["id"],
            "creative": {"creative_id": creative["id"]},
            "status": "PAUSED",
        }
    )
    api = account.get_api()
    Campaign(campaign["id"], api=api).api_update(params={"status": "ACTIVE"})
    AdSet(ad_set["id"], api=api).api_update(params={"status": "ACTIVE", "daily_budget": 6000})
    Ad(ad["id"], api=api).api_update(params={"status": "ACTIVE", "name": "Renamed"})

    read = Ad(ad["id"], api=api).api_get(
        fields=["name", "effective_status", "creative", "adset", "campaign_id"]
    )
    assert read["name"] == "Renamed"
    assert read["effective_status"] == "ACTIVE"
    assert read["creative"]["id"] == creative["id"]
    assert read["adset"]["id"] == ad_set["id"]
    assert read["campaign_id"] == campaign["id"]
    assert AdSet(ad_set["id"], api=api).api_get(fields=["daily_budget"])["daily_budget"] == "6000"
    Campaign(campaign["id"], api=api).api_delete()
    assert [one["id"] for one in account.get_campaigns()] == []


def test_a_create_answers_with_the_asked_fields(sandbox: Running) -> None:
    account = sandbox.sdk()

    campaign = account.create_campaign(
        fields=["name", "status", "effective_status", "created_time"], params=CAMPAIGN
    )

    assert campaign["name"] == "Spring sale"
    assert (campaign["status"], campaign["effective_status"]) == ("PAUSED", "PAUSED")
    assert campaign["created_time"].endswith("+0000")


def test_a_trial_makes_nothing(sandbox: Running) -> None:
    account = sandbox.sdk()

    account.create_campaign(params={**CAMPAIGN, "execution_options": ["validate_only"]})

    assert sandbox.objects("campaign") == []
    assert sandbox.calls()[-1]["effect"] == "none"


def test_edges_of_campaigns_and_ad_sets_are_listed(sandbox: Running) -> None:
    tree = sandbox.make_tree()
    api = sandbox.sdk().get_api()

    campaign: Any = Campaign(tree["campaign"], api=api)
    ad_set: Any = AdSet(tree["ad_set"], api=api)
    ad: Any = Ad(tree["ad"], api=api)

    assert [one["id"] for one in campaign.get_ad_sets(fields=["name"])] == [tree["ad_set"]]
    assert [one["id"] for one in campaign.get_ads()] == [tree["ad"]]
    assert [one["id"] for one in ad_set.get_ads()] == [tree["ad"]]
    assert [one["id"] for one in ad_set.get_ad_creatives()] == [tree["creative"]]
    assert [one["id"] for one in ad.get_ad_creatives()] == [tree["creative"]]


def test_cursors_walk_through_all_pages(sandbox: Running) -> None:
    made = [sandbox.make("campaigns", {**CAMPAIGN, "name": f"c{i}"}) for i in range(7)]

    found = sandbox.sdk().get_campaigns(fields=["name"], params={"limit": 3})

    assert [one["id"] for one in found] == made[::-1]
    assert found.total() == 7


def test_objects_are_found_by_a_part_of_their_name(sandbox: Running) -> None:
    sandbox.make("campaigns", {**CAMPAIGN, "name": "Other"})
    wanted = sandbox.make("campaigns", {**CAMPAIGN, "name": "Sale [m:ab12]"})
    rule = {"field": "name", "operator": "CONTAIN", "value": "[m:ab12]"}

    found = sandbox.sdk().get_campaigns(
        fields=["id", "name", "status"],
        params={"filtering": [rule], "effective_status": ["ACTIVE", "PAUSED", "DELETED"]},
    )

    assert [one["id"] for one in found] == [wanted]


def test_an_image_is_sent_as_a_file_and_as_bytes(sandbox: Running, tmp_path: Path) -> None:
    file = tmp_path / "hero.png"
    file.write_bytes(picture())
    account = sandbox.sdk()

    by_file = account.create_ad_image(params={"filename": str(file)})
    encoded = base64.b64encode(picture()).decode()
    by_bytes = account.create_ad_image(params={"bytes": encoded, "name": "hero.png"})
    read = list(account.get_ad_images(fields=["hash", "width", "url"], params={"hashes": ["no"]}))
    asked = {"hashes": [by_file["hash"]]}
    listed = list(account.get_ad_images(fields=["hash", "width", "url"], params=asked))

    assert len(by_file["hash"]) == 32
    assert by_bytes["hash"] == by_file["hash"]
    assert read == []
    assert [(one["hash"], one["width"]) for one in listed] == [(by_file["hash"], 800)]
    assert sandbox.client.get(listed[0]["url"]).content == picture()


def test_the_old_way_of_sending_an_image_works_too(sandbox: Running, tmp_path: Path) -> None:
    file = tmp_path / "hero.png"
    file.write_bytes(picture())
    account = sandbox.sdk()

    image = AdImage(parent_id=READY_MADE, api=account.get_api())
    image["filename"] = str(file)
    image.remote_create()

    assert sandbox.objects("image")[0]["id"] == image["hash"]


def test_a_video_is_sent_at_once(sandbox: Running) -> None:
    video = sandbox.sdk().create_ad_video(params={"source": str(CLIP), "name": "clip"})

    assert [one["id"] for one in sandbox.objects("video")] == [video["id"]]


def test_the_uploader_of_the_sdk_sends_a_video_in_chunks(sandbox: Running, tmp_path: Path) -> None:
    file = tmp_path / "long.mp4"
    file.write_bytes(long_clip(2_500_000))
    api = sandbox.sdk().get_api()
    video = AdVideo(parent_id=READY_MADE, api=api)
    video["filepath"] = str(file)

    video.remote_create()
    sandbox.advance(8)
    read = AdVideo(video["id"], api=api).api_get(
        fields=["status", "thumbnails", "picture", "length", "title"]
    )

    assert read["status"]["video_status"] == "ready"
    assert read["title"] == "long.mp4"
    assert [t["is_preferred"] for t in read["thumbnails"]["data"]].count(True) == 1
    assert sum(call["path"].endswith("/advideos") for call in sandbox.calls()) == 5
    fetched = sandbox.client.get(f"{sandbox.base}/meta/files/videos/{video['id']}.mp4")
    assert fetched.content == file.read_bytes()


def test_the_uploader_goes_on_after_a_lost_place(sandbox: Running, tmp_path: Path) -> None:
    file = tmp_path / "long.mp4"
    file.write_bytes(long_clip(2_500_000))
    video = AdVideo(parent_id=READY_MADE, api=sandbox.sdk().get_api())
    video["filepath"] = str(file)
    # the start is let pass, the first chunk is kept and its answer lost on the way
    sandbox.order("lose_reply", match={"path": "*/advideos"}, skip=1)

    with pytest.raises(Exception, match="Connection aborted"):
        video.remote_create()

    assert sandbox.objects("video") == []
    assert sandbox.calls()[-1]["status"] is None


def test_creatives_are_read_with_their_pictures(sandbox: Running) -> None:
    account = sandbox.sdk()
    encoded = base64.b64encode(picture()).decode()
    image = account.create_ad_image(params={"bytes": encoded})
    link = {**CREATIVE["object_story_spec"]["link_data"], "image_hash": image["hash"]}
    creative = account.create_ad_creative(
        params={"name": "Hero", "object_story_spec": {"page_id": PAGE, "link_data": link}}
    )

    read = AdCreative(creative["id"], api=account.get_api()).api_get(
        fields=["image_hash", "image_url", "effective_object_story_id", "object_story_spec"]
    )

    assert read["image_hash"] == image["hash"]
    assert sandbox.client.get(read["image_url"]).content == picture()
    assert read["effective_object_story_id"] == f"{PAGE}_{creative['id']}"
    assert read["object_story_spec"]["link_data"]["message"] == "50 % off"


def test_what_surrounds_an_account_can_be_read(sandbox: Running) -> None:
    account = sandbox.sdk()
    me: Any = User("me", api=account.get_api())

    read = account.api_get(fields=["name", "currency", "account_status", "timezone_name"])
    accounts = me.get_ad_accounts(fields=["id", "currency"])
    pages = me.get_accounts(fields=["id", "name"])
    minimum = account.get_minimum_budgets()

    assert (read["currency"], read["account_status"]) == ("USD", 1)
    assert [one["id"] for one in accounts] == [READY_MADE]
    assert [one["id"] for one in pages] == [PAGE]
    assert minimum[0]["min_daily_budget_imp"] == 100


def test_errors_arrive_as_the_sdks_own(sandbox: Running) -> None:
    api = sandbox.sdk().get_api()

    with pytest.raises(FacebookRequestError) as caught:
        Campaign("999999", api=api).api_get(fields=["name"])

    assert caught.value.api_error_code() == 100
    assert caught.value.api_error_subcode() == 33
    assert caught.value.http_status() == 400
    assert "x-business-use-case-usage" in caught.value.http_headers()


def test_what_is_not_imitated_is_raised_and_says_so(sandbox: Running) -> None:
    account = sandbox.sdk()

    with pytest.raises(FacebookRequestError) as caught:
        account.get_custom_audiences(fields=["name"])

    assert caught.value.http_status() == 501
    assert "does not imitate" in str(caught.value.api_error_message())
    assert not caught.value.api_transient_error()


def test_the_proof_of_the_app_secret_is_sent_and_checked(sandbox: Running) -> None:
    made = sandbox.account(app_secret=True)

    proven = sandbox.sdk(made["id"], made["app_secret"]).api_get(fields=["name"])
    with pytest.raises(FacebookRequestError) as caught:
        sandbox.sdk(made["id"], "another").api_get(fields=["name"])

    assert proven["id"] == made["id"]
    assert caught.value.api_error_code() == 104
