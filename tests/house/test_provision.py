"""What `mojito up` finds of its own in a database that has been used for long."""

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


async def test_an_account_that_a_test_key_may_not_touch_is_named(house):
    await house.pool.execute("update ad_accounts set mode = 'live'")

    with pytest.raises(ConfigurationError, match=house.account["id"]):
        await ensured_account(house.client, "http://api/api/v1", house.account)
