"""Three books are compared: what callers were told, what the database says, what the platform holds."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from tests.chaos.storm.callers import Callers, Told
from tests.chaos.storm.orders import Advertiser
from tests.chaos.storm.town import Town

PAID = ("campaign", "ad_set", "ad")


class Books(msgspec.Struct, frozen=True):
    """Everything as it stands when the storm is over."""

    told: list[Told]
    jobs: dict[str, dict[str, Any]]
    """As the API shows them now."""
    rows: dict[str, dict[str, Any]]
    objects: list[dict[str, Any]]


async def read(town: Town, callers: Callers, advertisers: Sequence[Advertiser]) -> Books:
    """Opens all three."""
    rows = await town.ask(
        """select j.id::text, j.status::text, j.claim_token, j.platform_campaign_id, j.finished_at,
               (select count(*) from job_steps as s where s.campaign_job_id = j.id
                   and s.status in ('RUNNING', 'IN_DOUBT', 'WAITING')) as open_steps
           from campaign_jobs as j"""
    )
    objects = [
        thing for one in advertisers for thing in await town.sandbox.objects(one.platform_id)
    ]
    jobs = {row["id"]: await callers.job(row["id"]) for row in rows}
    return Books(callers.told, jobs, {row["id"]: dict(row) for row in rows}, objects)


def differences(books: Books) -> Iterator[str]:
    """Every sentence is something that must not be."""
    by_id = {thing["id"]: thing for thing in books.objects}
    yield from _of_jobs(books)
    for told in books.told:
        yield from _of_one(told, books, by_id)
    yield from _of_objects(books)


def _of_jobs(books: Books) -> Iterator[str]:
    known = {job_id for told in books.told for job_id in told.ids}
    for job_id in books.rows.keys() - known:
        yield f"job {job_id} was made and nobody was told"
    for job_id in known - books.rows.keys():
        yield f"job {job_id} was told to a caller and is lost"
    for job_id, row in books.rows.items():
        if row["claim_token"] is not None or row["finished_at"] is None:
            yield f"job {job_id} is {row['status']} and not over"
        if row["open_steps"] and row["status"] == "SUCCESS":
            yield f"job {job_id} is SUCCESS with open steps"


def _of_one(told: Told, books: Books, by_id: dict[str, Any]) -> Iterator[str]:
    name = told.order.key
    yield from (f"{name}: {wrong}" for wrong in told.wrong)
    if len(told.ids) != 1:
        yield f"{name}: one request became {len(told.ids)} jobs: {told.ids}"
        return
    (job_id,) = told.ids
    job, row = books.jobs[job_id], books.rows[job_id]
    if not job["status"] == row["status"] == told.order.end:
        yield f"{name}: must end {told.order.end}, is {job['status']}, stored {row['status']}: {_story(job)}"
    if told.ends != [job["status"]] or told.last["platform_ids"] != job["platform_ids"]:
        yield f"{name}: was told {told.ends}, now it is {job['status']}; its ids may have changed"
    if job["platform_campaign_id"] != row["platform_campaign_id"]:
        yield f"{name}: the campaign is {row['platform_campaign_id']} in the database"
    yield from _of_tree(told, job, by_id)


def _story(job: dict[str, Any]) -> str:
    steps = [
        f"{step['name']} {step['status']} after {step['attempt']} attempts"
        for step in job["steps"]
        if step["status"] != "DONE" or step["attempt"]
    ]
    return f"{job['campaign_job_id']}: {job['error']}; {', '.join(steps)}"


def _of_tree(told: Told, job: dict[str, Any], by_id: dict[str, Any]) -> Iterator[str]:
    """The ids that the caller has stand for the objects that it asked for, one inside the other."""
    name, body, ids = told.order.key, told.order.body, job["platform_ids"]
    wanted = "ACTIVE" if told.order.is_active else "PAUSED"
    yield from _of_id(name, ids["campaign"], "campaign", None, by_id, wanted)
    for place, ad_set in enumerate(ids["ad_sets"]):
        yield from _of_id(name, ad_set["id"], "ad_set", ids["campaign"], by_id, wanted)
        for ad in ad_set["ads"]:
            yield from _of_id(name, ad["id"], "ad", ad_set["id"], by_id, wanted)
        if told.order.end == "SUCCESS" and (
            ad_set["id"] is None
            or len(ad_set["ads"]) != len(body["ad_sets"][place]["ads"])
            or None in (ad["id"] for ad in ad_set["ads"])
        ):
            yield f"{name}: ad set {place} is not whole: {ad_set}"


def _of_id(
    name: str, found: str | None, kind: str, parent: str | None, by_id: dict[str, Any], wanted: str
) -> Iterator[str]:
    if found is None:
        return
    thing = by_id.get(found)
    if thing is None or thing["kind"] != kind:
        yield f"{name}: {kind} {found} does not exist on the platform"
    elif parent is not None and thing["parent_id"] != parent:
        yield f"{name}: {kind} {found} belongs to {thing['parent_id']}, not to {parent}"
    elif thing["status"] != wanted:
        yield f"{name}: {kind} {found} is {thing['status']}, not {wanted}"


def _of_objects(books: Books) -> Iterator[str]:
    """Nothing paid exists that no job knows, and nothing exists twice."""
    known = {found for job in books.jobs.values() for found in _ids(job)}
    paid = [thing for thing in books.objects if thing["kind"] in PAID]
    for thing in paid:
        if thing["id"] not in known:
            yield f"{thing['kind']} {thing['id']} ({thing['name']}) exists and no job knows it"
    for (kind, name), times in Counter((t["kind"], t["name"]) for t in paid).items():
        if times > 1:
            yield f"{kind} {name} exists {times} times"
    videos = [thing for thing in books.objects if thing["kind"] == "video"]
    uploaded = [job["platform_ids"]["media"].get("clip") for job in books.jobs.values()]
    for thing in videos:
        if thing["id"] not in uploaded:
            yield f"video {thing['id']} exists and no job knows it"


def _ids(job: dict[str, Any]) -> Iterator[str]:
    ids = job["platform_ids"]
    yield from (found for found in [ids["campaign"]] if found)
    for ad_set in ids["ad_sets"]:
        yield from (found for found in [ad_set["id"], *(ad["id"] for ad in ad_set["ads"])] if found)


async def leaks(town: Town, callers: Callers, secrets: Sequence[str]) -> list[str]:
    """Where a secret stands that should stand nowhere: logs, answers, the platform's calls, the database."""
    places = {str(program.log_path): program.log() for program in town.programs}
    places["answers"] = "\n".join(callers.answers)
    places["calls"] = json.dumps(await town.sandbox.calls())
    tables = await town.ask("select tablename from pg_tables where schemaname = 'public'")
    for table in tables:
        rows = await town.ask(f"select t::text from {table['tablename']} as t")  # noqa: S608 - the catalogue's
        places[table["tablename"]] = "\n".join(row[0] for row in rows)
    return [
        f"a secret stands in {place}"
        for place, text in places.items()
        if any(secret in text for secret in secrets)
    ]
