"""Accounts are patched as RFC 7396 says, masks are never stored, and two editors never both win."""

import asyncio

import msgspec
import pytest

from models.credentials import MetaCredentials
from models.gen import ad_accounts
from tests.routes.conftest import TOKEN, account_body, add_account

pytestmark = pytest.mark.usefixtures("patient")

URL = "/api/v1/ad_accounts"
MERGE_PATCH = "application/merge-patch+json"
ANY = {"If-Match": "*", "Content-Type": MERGE_PATCH}
WHOLE = {
    "access_token": TOKEN + "2",
    "app_secret": None,
    "page_id": None,
    "instagram_user_id": None,
    "pixel_id": "77",
}


async def send_patch(caller, account, change, **headers):
    content = msgspec.json.encode(change)
    return await caller.patch(f"{URL}/{account['id']}", content=content, headers={**ANY, **headers})


async def test_a_patch_changes_what_it_names_and_leaves_the_rest(caller):
    account = await add_account(caller, additional_config={"currency": "USD"})

    answer = await send_patch(caller, account, {"name": "New"})

    after = answer.json()
    assert answer.status_code == 200
    assert answer.headers["etag"] == (await caller.get(f"{URL}/{account['id']}")).headers["etag"]
    assert {key for key in after if after[key] != account[key]} == {"name", "updated_at"}


async def test_json_is_taken_as_a_patch_too(caller):
    account = await add_account(caller)

    answer = await send_patch(
        caller, account, {"name": "New"}, **{"Content-Type": "application/json; charset=utf-8"}
    )

    assert answer.status_code == 200
    assert answer.json()["name"] == "New"


@pytest.mark.parametrize("kind", ["application/json-patch+json", "text/plain", ""])
async def test_other_content_types_are_refused_with_those_that_are_taken(caller, kind):
    account = await add_account(caller)

    answer = await send_patch(caller, account, {"name": "New"}, **{"Content-Type": kind})

    assert answer.status_code == 415
    assert answer.json()["code"] == "unsupported_media_type"
    assert answer.headers["accept-patch"] == "application/merge-patch+json, application/json"


async def test_settings_are_merged_and_null_removes_one(caller):
    account = await add_account(
        caller, additional_config={"currency": "USD", "limits": {"daily": 5, "total": 9}}
    )

    patch = {"additional_config": {"currency": None, "limits": {"daily": 7}, "note": "x"}}
    answer = await send_patch(caller, account, patch)

    assert answer.json()["additional_config"] == {"limits": {"daily": 7, "total": 9}, "note": "x"}


async def test_null_removes_what_is_optional(caller):
    owner = "0190c0de-0000-7000-8000-000000000001"
    account = await add_account(
        caller, owner_user_id=owner, max_running=9, additional_config={"currency": "USD"}
    )

    answer = await send_patch(
        caller, account, {"owner_user_id": None, "max_running": None, "additional_config": None}
    )

    after = answer.json()
    assert after["owner_user_id"] is None
    assert after["max_running"] == 4
    assert after["additional_config"] == {}


@pytest.mark.parametrize(
    "field", ["name", "status", "credentials", "platform_type", "platform_account_id", "mode"]
)
async def test_null_for_what_is_required_is_refused_at_its_place(caller, field):
    account = await add_account(caller)

    answer = await send_patch(caller, account, {field: None})

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (f"/{field}", "required")


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"colour": "green"}, "/colour", "unknown_field"),
        ({"colour": None}, "/colour", "unknown_field"),
        ({"id": "x"}, "/id", "read_only"),
        ({"livemode": True}, "/livemode", "read_only"),
        ({"has_credentials": None}, "/has_credentials", "read_only"),
        ({"name": ""}, "/name", "too_short"),
        ({"mode": "live"}, "/mode", "unchangeable"),
        ({"max_running": 0}, "/max_running", "too_small"),
        ({"additional_config": []}, "/additional_config", "wrong_type"),
        ({"additional_config": {"a": "\x00"}}, "/additional_config/a", "invalid_text"),
        (
            {"credentials": {**WHOLE, "access_token": None}},
            "/credentials/access_token",
            "wrong_type",
        ),
        ([], "", "wrong_type"),
        (None, "", "wrong_type"),
        ("name", "", "wrong_type"),
    ],
)
async def test_what_a_patch_cannot_mean_is_named_and_nothing_changes(caller, change, pointer, code):
    account = await add_account(caller)

    answer = await send_patch(caller, account, change)

    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert (await caller.get(f"{URL}/{account['id']}")).json() == account


async def test_settings_do_not_grow_without_end(caller):
    account = await add_account(caller, additional_config={"a": "x" * 40_000})

    answer = await send_patch(caller, account, {"additional_config": {"b": "x" * 40_000}})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/additional_config"


async def test_a_patch_of_credentials_names_every_field_so_that_nothing_is_opened(api, caller):
    account = await add_account(caller)

    answer = await send_patch(caller, account, {"credentials": WHOLE})

    row = await api.pool.fetchrow("select * from ad_accounts")
    plain = api.keyring.open(row["credentials"], "ad_accounts", row["id"], "credentials")
    assert answer.status_code == 200
    assert TOKEN not in answer.text
    assert msgspec.json.decode(plain, type=MetaCredentials) == MetaCredentials(
        TOKEN + "2", pixel_id="77"
    )
    assert row["credentials_version"] == 2


async def test_a_part_of_the_credentials_is_not_merged_and_not_guessed(api, caller):
    account = await add_account(caller)
    sealed = await api.pool.fetchval("select credentials from ad_accounts")

    answer = await send_patch(caller, account, {"credentials": {"access_token": TOKEN + "2"}})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/credentials/app_secret",
        "/credentials/page_id",
        "/credentials/instagram_user_id",
        "/credentials/pixel_id",
    ]
    assert {error["code"] for error in answer.json()["errors"]} == {"credentials_incomplete"}
    assert await api.pool.fetchval("select credentials from ad_accounts") == sealed


@pytest.mark.parametrize(
    "mask",
    [
        "***",
        "EAAB****1234",
        "••••••••",
        "EAA•••",
        "[hidden]",
        "<redacted>",
        "{{token}}",
        "(secret)",
        "REDACTED",
        "null",
        "xxxxxxxx",
        "-----",
        "EAAB…",
        "MetaCredentials(…)",
    ],
)
async def test_a_mask_is_never_stored_as_a_secret(api, caller, mask):
    account = await add_account(caller)
    credentials = {"access_token": TOKEN, "app_secret": mask}
    sealed = await api.pool.fetchval("select credentials from ad_accounts")

    answers = [
        await caller.post(
            URL, json=account_body(platform_account_id="act_2", credentials=credentials)
        ),
        await caller.put(f"{URL}/{account['id']}", json={"credentials": credentials}),
        await send_patch(caller, account, {"credentials": {**WHOLE, "app_secret": mask}}),
    ]

    assert {answer.status_code for answer in answers} == {422}
    for answer in answers:
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == ("/credentials/app_secret", "masked_secret")
    assert await api.pool.fetch("select credentials from ad_accounts") == [(sealed,)]


async def test_the_shown_fingerprint_is_no_secret_either(caller):
    account = await add_account(caller)
    credentials = {"access_token": account["credentials_fingerprint"]}

    answer = await caller.put(f"{URL}/{account['id']}", json={"credentials": credentials})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "masked_secret"


@pytest.mark.parametrize(
    "secret", [TOKEN + "\n", " " + TOKEN, "EAA\u00e9" + TOKEN, "EAA b" + TOKEN]
)
@pytest.mark.parametrize("field", ["access_token", "app_secret"])
async def test_a_secret_that_no_request_could_carry_is_refused(caller, field, secret):
    account = await add_account(caller)
    credentials = {"access_token": TOKEN, "app_secret": "0" * 30 + "ab", field: secret}

    answers = [
        await caller.put(f"{URL}/{account['id']}", json={"credentials": credentials}),
        await send_patch(caller, account, {"credentials": {**WHOLE, **credentials}}),
    ]

    assert {answer.status_code for answer in answers} == {422}
    for answer in answers:
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == (f"/credentials/{field}", "wrong_format")
        assert TOKEN not in answer.text


async def test_a_patch_needs_the_version_that_it_was_made_from(caller):
    account = await add_account(caller)

    answer = await caller.patch(f"{URL}/{account['id']}", json={"name": "New"})

    assert answer.status_code == 428
    assert answer.json()["code"] == "precondition_required"
    assert (await caller.get(f"{URL}/{account['id']}")).json() == account


async def test_replacing_and_removing_need_no_version(caller):
    account = await add_account(caller)

    replaced = await caller.put(f"{URL}/{account['id']}", json={"name": "New"})
    removed = await caller.delete(f"{URL}/{account['id']}")

    assert (replaced.status_code, removed.status_code) == (200, 204)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("form", ['"other"', "W/{tag}", '"a", W/{tag}, "b"', '"a,{bare},b"', '""'])
async def test_a_version_that_is_not_the_one_changes_nothing(caller, method, form):
    account = await add_account(caller)
    tag = (await caller.get(f"{URL}/{account['id']}")).headers["etag"]
    named = form.format(tag=tag, bare=tag.strip('"'))

    answer = await caller.request(
        method, f"{URL}/{account['id']}", json={"name": "New"}, headers={"If-Match": named}
    )

    assert answer.status_code == 412, named
    assert answer.json()["code"] == "precondition_failed"
    assert answer.headers["etag"] == tag
    assert (await caller.get(f"{URL}/{account['id']}")).json() == account


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "form", ["{tag}", '"a", {tag}', '{tag} , W/"b"', ", {tag},", '"a,b",{tag}', "*", " * "]
)
async def test_the_version_may_stand_anywhere_in_a_list_of_tags(caller, method, form):
    account = await add_account(caller)
    tag = (await caller.get(f"{URL}/{account['id']}")).headers["etag"]

    answer = await caller.request(
        method,
        f"{URL}/{account['id']}",
        json={"name": "New"},
        headers={"If-Match": form.format(tag=tag)},
    )

    assert answer.status_code in (200, 204), answer.text


async def test_several_headers_are_one_list(caller):
    account = await add_account(caller)
    tag = (await caller.get(f"{URL}/{account['id']}")).headers["etag"]

    answer = await caller.put(
        f"{URL}/{account['id']}",
        json={"name": "New"},
        headers=[("If-Match", '"a"'), ("If-Match", tag)],
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("header", ["", "abc", '"a" "b"', '"a', "*, *", 'w/"a"', '*, "a"', "W/*"])
async def test_what_is_no_list_of_tags_is_refused_as_such(caller, header):
    account = await add_account(caller)

    answer = await caller.put(
        f"{URL}/{account['id']}", json={"name": "New"}, headers={"If-Match": header}
    )

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_header"
    assert answer.json()["errors"][0]["parameter"] == "If-Match"


async def test_every_change_makes_a_new_version_even_within_a_moment(api, caller):
    account = await add_account(caller)
    seen = []

    async with api.pool.acquire() as connection, connection.transaction():
        for number in range(3):
            row = await ad_accounts.update_ad_account(
                connection,
                id=account["id"],
                name=f"N{number}",
                status="ACTIVE",
                max_running=4,
                owner_user_id=None,
                additional_config="{}",
            )
            seen.append(row.updated_at)

    assert seen == sorted(set(seen))


async def test_a_refused_token_makes_a_new_version(api, caller):
    account = await add_account(caller)
    tag = (await caller.get(f"{URL}/{account['id']}")).headers["etag"]

    await ad_accounts.require_reauthorisation(api.pool, id=account["id"], credentials_version=1)
    answer = await send_patch(caller, account, {"name": "New"}, **{"If-Match": tag})

    assert answer.status_code == 412


async def test_of_editors_who_read_the_same_version_one_wins(api, caller):
    account = await add_account(caller)
    url = f"{URL}/{account['id']}"
    for _ in range(10):
        tag = (await caller.get(url)).headers["etag"]
        headers = {"If-Match": tag}

        answers = await asyncio.gather(
            *(caller.patch(url, json={"name": f"P{n}"}, headers=headers) for n in range(3)),
            *(caller.put(url, json={"name": f"U{n}"}, headers=headers) for n in range(3)),
        )

        won = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(won) == 1
        assert {a.status_code for a in answers} == {200, 412}
        assert (await caller.get(url)).json() == won[0]
    written = "select count(*) from audit_log where action = 'ad_account.updated'"
    assert await api.pool.fetchval(written) == 10


async def test_an_editor_and_a_remover_of_the_same_version_never_both_win(caller):
    for number in range(5):
        account = await add_account(caller, platform_account_id=f"act_{number}")
        url = f"{URL}/{account['id']}"
        headers = {"If-Match": (await caller.get(url)).headers["etag"]}

        patched, removed = await asyncio.gather(
            caller.patch(url, json={"name": "New"}, headers=headers),
            caller.delete(url, headers=headers),
        )

        outcome = (patched.status_code, removed.status_code)
        assert outcome in ((200, 412), (404, 204)), outcome
