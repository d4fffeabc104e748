"""A short storm over real processes, and proof that the comparison of the books can fail."""

import sys
from collections import Counter
from typing import Any

import pytest

from tests.chaos.storm.books import Books, differences
from tests.chaos.storm.callers import Told
from tests.chaos.storm.orders import Advertiser, Order, orders
from tests.chaos.storm.run import new_seed, storm

pytestmark = pytest.mark.alone

JOBS = 60
ADVERTISERS = [Advertiser("a", "act_1", "11"), Advertiser("b", "act_2", "22", is_barred=True)]


async def test_nothing_is_made_twice_or_lost_in_a_storm():
    seed = new_seed()
    sys.stdout.write(f"replay with: python -m tests.chaos.storm --jobs {JOBS} --seed {seed}\n")

    report = await storm(seed, JOBS)

    sys.stdout.write(f"{report}\n")
    assert report.wrong == []
    assert report.kills >= 0.3 * JOBS
    assert report.lost_replies >= 0.3 * JOBS
    assert sum(report.ends.values()) == JOBS


def test_a_seed_draws_the_same_orders_of_every_shape():
    assets = {"image": "i", "video": "v"}

    drawn = orders(7, 300, ADVERTISERS, assets)

    assert drawn == orders(7, 300, ADVERTISERS, assets)
    assert drawn != orders(8, 300, ADVERTISERS, assets)
    assert {order.end for order in drawn} == {"SUCCESS", "PARTIAL_SUCCESS", "FAILED"}
    assert {order.twist for order in drawn} == {"none", "sent twice", "cancelled and retried"}
    assert {len(order.body["ad_sets"]) for order in drawn} == {1, 2, 3, 5}
    shapes = Counter(
        ad["creative"]["type"]
        for order in drawn
        for ad_set in order.body["ad_sets"]
        for ad in ad_set["ads"]
    )
    assert set(shapes) == {"link", "video", "carousel"}


def good() -> Books:
    """One job that ended well, in all three books."""
    order = Order(0, "k", {"activate": False, "ad_sets": [{"ads": [{}]}]}, "SUCCESS", "none")
    told = Told(order)
    told.ids, told.ends = {"j"}, ["SUCCESS"]
    tree = {"campaign": "1", "ad_sets": [{"id": "2", "ads": [{"id": "3"}]}], "media": {}}
    job: dict[str, Any] = {
        "status": "SUCCESS",
        "platform_ids": tree,
        "platform_campaign_id": "1",
        "error": None,
        "campaign_job_id": "j",
        "steps": [{"name": "campaign", "status": "DONE", "attempt": 0}],
    }
    told.last = job
    row = {
        "status": "SUCCESS",
        "claim_token": None,
        "platform_campaign_id": "1",
        "finished_at": 1,
        "open_steps": 0,
    }
    objects = [
        {"id": "1", "kind": "campaign", "name": "c", "parent_id": None, "status": "PAUSED"},
        {"id": "2", "kind": "ad_set", "name": "s", "parent_id": "1", "status": "PAUSED"},
        {"id": "3", "kind": "ad", "name": "a", "parent_id": "2", "status": "PAUSED"},
    ]
    return Books([told], {"j": job}, {"j": row}, objects)


def test_books_that_agree_have_no_differences():
    assert list(differences(good())) == []


def _twin(books: Books) -> None:
    books.objects.append({**books.objects[0], "id": "9"})


def _lost(books: Books) -> None:
    books.rows.clear()
    books.jobs.clear()
    books.told[0].ids = set()


def _second_job(books: Books) -> None:
    books.told[0].ids.add("k")
    books.rows["k"], books.jobs["k"] = books.rows["j"], books.jobs["j"]


def _unheard_job(books: Books) -> None:
    books.rows["k"], books.jobs["k"] = books.rows["j"], books.jobs["j"]


def _still_held(books: Books) -> None:
    books.rows["j"]["claim_token"] = "t"


def _other_end(books: Books) -> None:
    books.rows["j"]["status"] = "FAILED"


def _changed_end(books: Books) -> None:
    books.told[0].ends = ["FAILED"]


def _spends(books: Books) -> None:
    books.objects[2]["status"] = "ACTIVE"


def _in_another_campaign(books: Books) -> None:
    books.objects[1]["parent_id"] = "7"


def _gone(books: Books) -> None:
    del books.objects[2]


def _half_an_ad_set(books: Books) -> None:
    books.jobs["j"]["platform_ids"]["ad_sets"][0]["ads"][0]["id"] = None


def _unknown_video(books: Books) -> None:
    video = {"id": "8", "kind": "video", "name": "v", "parent_id": None, "status": "READY"}
    books.objects.append(video)


@pytest.mark.parametrize(
    "spoil",
    [
        _twin,
        _lost,
        _second_job,
        _unheard_job,
        _still_held,
        _other_end,
        _changed_end,
        _spends,
        _in_another_campaign,
        _gone,
        _half_an_ad_set,
        _unknown_video,
    ],
)
def test_a_difference_between_the_books_is_found(spoil: Any):
    books = good()

    spoil(books)

    assert list(differences(books))
