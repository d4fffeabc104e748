"""A throttle is one whatever status carries it; whether it proves that nothing was made is another matter."""

import json

import pytest

from common.errors import Reject, Unknown, Wait
from tests.workers.platforms.meta.hosts import Host, hosted

THROTTLES = [(4, None), (17, 2446079), (32, None), (613, None), (80004, 2446079), (2, 2446079)]
STATUSES = [200, 400, 403, 429, 500, 502, 503]


def refused(status, code, subcode=None):
    error = {"code": code, "error_subcode": subcode, "message": "m"}
    return Host(lambda *_: (status, json.dumps({"error": error})))


async def met(host, context, step):
    async with hosted(host) as meta:
        with pytest.raises((Reject, Unknown, Wait)) as error:
            await meta.perform(context(step))
    return error.value


@pytest.mark.parametrize("step", ["campaign", "creative[0][0]"])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(("code", "subcode"), THROTTLES)
async def test_a_code_of_a_throttle_is_a_throttle_under_every_status(
    context, step, status, code, subcode
):
    error = await met(refused(status, code, subcode), context, step)

    assert (type(error), error.reason) == (Wait, "throttled")


@pytest.mark.parametrize("step", ["campaign", "creative[0][0]"])
@pytest.mark.parametrize("code", [1, 2, -1, 99, 100, 123456, "busy", None])
async def test_too_many_requests_are_a_throttle_whatever_the_error_object_says(context, step, code):
    """Of a create it was a refusal for good, or a doubt; of others an attempt."""
    error = await met(refused(429, code), context, step)

    assert (type(error), error.reason, error.seconds) == (Wait, "throttled", 60)
    assert error.code == "throttled"
    assert not error.may_have_happened


@pytest.mark.parametrize("code", [200, 368, 2635])
async def test_what_somebody_must_mend_is_not_waited_for(context, code):
    assert type(await met(refused(429, code), context, "campaign")) is Reject


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80004, 190])
@pytest.mark.parametrize(
    ("status", "is_open"), [(400, False), (429, False), (500, True), (503, True)]
)
async def test_a_wait_leaves_a_doubt_only_where_the_server_failed(context, status, is_open, code):
    """What fails behind the limit may have made the object before it met the limit."""
    error = await met(refused(status, code), context, "campaign")

    assert (type(error), error.may_have_happened) == (Wait, is_open)
