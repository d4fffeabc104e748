"""From which number on a stream tells, and which numbers it refuses."""

from collections.abc import AsyncGenerator

import pytest

from tests.routes.conftest import Api
from tests.routes.streaming import Live, served
from tests.routes.test_events import events_of


@pytest.fixture
async def live(api: Api) -> AsyncGenerator[Live]:
    async with served(api) as live:
        yield live


@pytest.mark.parametrize("last", ["", "abc", "-1", "1.5", "²", "9" * 18, "9" * 40, "1, 2"])
@pytest.mark.parametrize("of_one", [True, False])
async def test_a_number_that_no_event_bears_is_refused(caller, job, last, of_one):
    path = events_of(job) if of_one else "/events"

    answer = await caller.get(f"/api/v1{path}", headers={"Last-Event-ID": last.encode()})

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_last_event_id"
    assert answer.json()["errors"][0]["parameter"] == "Last-Event-ID"


async def test_two_last_numbers_are_none(caller, job):
    headers = [("Last-Event-ID", "0"), ("Last-Event-ID", "0")]

    answer = await caller.get(f"/api/v1{events_of(job)}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_last_event_id")


@pytest.mark.parametrize("after", ["9999", "9" * 30])
async def test_a_number_that_no_event_bears_yet_is_refused_as_a_parameter_too(caller, job, after):
    for path in ("/events", f"/campaign_jobs/{job['id']}/events"):
        answer = await caller.get(f"/api/v1{path}", params={"after": after})

        (error,) = answer.json()["errors"]
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_last_event_id")
        assert error["parameter"] == "after"


@pytest.mark.parametrize("after", ["-1", "x", "", "1.5", "null", "1e0", "9007199254740993.0"])
async def test_what_is_no_number_is_refused_as_a_parameter(caller, after):
    answer = await caller.get("/api/v1/events", params={"after": after})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


async def test_who_cannot_send_the_header_names_the_number_in_the_address(live, caller, job):
    numbers = [await live.tell(job, kind) for kind in ("job.started", "job.waiting", "job.waiting")]
    of_job = f"/campaign_jobs/{job['id']}/events?after="

    async with (
        live.stream(caller, f"/events?after={numbers[0]}") as of_all,
        live.stream(caller, f"{of_job}{numbers[1]}") as of_one,
        live.stream(caller, f"{of_job}0", last=numbers[0]) as came_back,
    ):
        heard = [(await stream.event())["id"] for stream in (of_all, of_one, came_back)]

    assert heard == [numbers[1], numbers[2], numbers[1]]
