"""An account that a caller has seen is not sent again, unless the platform wants a pause just now;
one whose tag was made weak on its way is told so."""

import pytest

from tests.routes.conftest import add_account

URL = "/api/v1/ad_accounts"


async def read(caller, account, *known):
    headers = [("If-None-Match", one) for one in known]
    return await caller.get(f"{URL}/{account['id']}", headers=headers)


async def test_a_known_version_is_not_sent_again(caller):
    account = await add_account(caller)
    tag = (await read(caller, account)).headers["etag"]

    answers = [
        await read(caller, account, *known)
        for known in ((tag,), (f'"other", W/{tag}',), ('"other"', tag), ("*",))
    ]

    assert [answer.status_code for answer in answers] == [304] * 4
    assert {answer.headers["etag"] for answer in answers} == {tag}
    assert {answer.content for answer in answers} == {b""}


@pytest.mark.parametrize("known", ['"other"', "other", ""])
async def test_another_version_is_sent(caller, known):
    account = await add_account(caller)

    answer = await read(caller, account, known)

    assert (answer.status_code, answer.json()["id"]) == (200, account["id"])


async def test_a_change_is_sent_under_its_own_version(caller):
    account = await add_account(caller)
    before = (await read(caller, account)).headers["etag"]

    await caller.put(f"{URL}/{account['id']}", json={"name": "Client Y"})
    answer = await read(caller, account, before)

    assert (answer.status_code, answer.json()["name"]) == (200, "Client Y")
    assert answer.headers["etag"] != before


async def test_a_pause_that_the_platform_asked_for_is_shown_though_it_makes_no_new_version(
    api, caller
):
    account = await add_account(caller)
    tag = (await read(caller, account)).headers["etag"]

    await api.pool.execute("update ad_accounts set throttled_until = now() + interval '1 hour'")
    during = await read(caller, account, tag)
    await api.pool.execute("update ad_accounts set throttled_until = now() - interval '1 hour'")
    after = await read(caller, account, tag)

    assert (during.status_code, during.headers["etag"]) == (200, tag)
    assert during.json()["throttled_until"] is not None
    assert after.status_code == 304


@pytest.mark.parametrize(("form", "is_told"), [("W/{tag}", True), ('W/"other"', False)])
async def test_who_has_a_tag_that_was_made_weak_on_its_way_is_told_so(caller, form, is_told):
    url = f"{URL}/{(await add_account(caller))['id']}"
    sent = form.format(tag=(await caller.get(url)).headers["etag"])

    answer = await caller.patch(url, json={}, headers={"If-Match": sent})

    assert answer.status_code == 412
    assert ("without W/" in answer.json()["detail"]) is is_told
