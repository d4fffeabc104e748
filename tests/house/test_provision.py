"""What `mojito up` finds of its own in a database that has been used for long."""

import httpx
import pytest

from common.errors import ConfigurationError
from mojito.provision import _account as ensured_account

MORE = """
insert into ad_accounts (id, name, platform_type, platform_account_id, credentials, credentials_key_id,
    credentials_fingerprint, mode, team_id, additional_config)
select ('ffffffff-ffff-7fff-bfff-' || lpad(n::text, 12, '0'))::uuid, 'a', 'META', 'act_9' || n, '', 'k', 'f',
    'sandbox', (select team_id from ad_accounts limit 1), '{}'
from generate_series(1, 401) as n
"""


async def test_its_account_is_found_behind_hundreds_of_others(house):
    await house.pool.execute(MORE)

    found = await ensured_account(house.client, "http://api/api/v1", house.account)

    assert found == house.account_id


class Busy(httpx.AsyncBaseTransport):
    """Stands before an API and refuses each request once, as an API does whose database is held up."""

    def __init__(self, api):
        self._api = api
        self.refused = []

    async def handle_async_request(self, request):
        if (asked := (request.method, request.url.path)) not in self.refused:
            self.refused.append(asked)
            return httpx.Response(503, headers={"Retry-After": "0"}, request=request)
        return await self._api.handle_async_request(request)


async def test_an_api_that_is_busy_for_a_moment_is_asked_again(house):
    busy = Busy(house.client._transport)

    async with httpx.AsyncClient(transport=busy, headers=house.client.headers) as client:
        found = await ensured_account(client, "http://api/api/v1", house.account)

    assert found == house.account_id
    assert [method for method, _ in busy.refused] == ["POST", "GET", "PUT"]


async def test_an_account_that_a_test_key_may_not_touch_is_named(house):
    await house.pool.execute("update ad_accounts set mode = 'live'")

    with pytest.raises(ConfigurationError, match=house.account["id"]):
        await ensured_account(house.client, "http://api/api/v1", house.account)
