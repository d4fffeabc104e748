"""Many who read history at once get all of it, in order, and in small pieces."""

import contextlib
import re

from common.uuid7 import uuid7
from routes.subscriptions import Subscription
from routes.watch import page_size

STREAMS = 160
EVENTS = 100
_NUMBER = re.compile(rb"^id: (\d+)$", re.MULTILINE)


async def numbers(subscription: Subscription, api, last: int) -> list[int]:
    """Of all events that come, up to the last."""
    found: list[int] = []
    while not found or found[-1] < last:
        taken = await subscription.take(30)
        assert taken
        found += [int(number) for number in _NUMBER.findall(taken)]
        api.watch.want_more()
    return found


async def test_many_streams_behind_different_numbers_miss_nothing(api):
    team = uuid7()
    rows = await api.pool.fetch(
        """insert into job_events (campaign_job_id, team_id, kind)
           select gen_random_uuid(), $1, 'job.started' from generate_series(1, $2) returning id""",
        team,
        EVENTS,
    )
    ids = [row["id"] for row in rows]
    starts = [nth % (EVENTS - 20) for nth in range(STREAMS)]
    await api.caller()
    key_id = await api.pool.fetchval("select id from api_keys")

    with contextlib.ExitStack() as stack:
        subscriptions = [
            stack.enter_context(
                api.watch.subscribed(Subscription(team, after=ids[0] + start, key_id=key_id))
            )
            for start in starts
        ]
        told = [await numbers(subscription, api, ids[-1]) for subscription in subscriptions]

    assert told == [ids[start + 1 :] for start in starts]


def test_the_more_read_the_smaller_the_pieces():
    assert page_size(1) == 500
    assert page_size(80) == 62
    assert page_size(5000) == 10
