"""Keys are replaced while workers run, with the rotation killed in the middle."""

import asyncio
import contextlib
import json
import subprocess
import sys

import asyncpg
import pytest
from standardwebhooks.webhooks import Webhook
from uuid_utils.compat import uuid7

from common.keyring import Keyring, new_key_line
from tests.chaos.programs import both, worker
from tests.house.conftest import ENVIRONMENT, PATIENCE_SECONDS, until
from tests.house.receiver import Receiver
from tests.house.webhooks import deliveries, listen, over, post

pytestmark = pytest.mark.alone

MANY = 1500
HERE = 1_500_001


def command(house, *arguments):
    environment = {
        **ENVIRONMENT,
        "MOJITO_DATABASE_URL": str(house.settings.database_url),
        "MOJITO_DATA_DIR": str(house.settings.data_dir),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "mojito", "encryption", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def done(house, *arguments):
    """Exit code, and what was printed."""
    process = command(house, *arguments)
    out, error = await asyncio.to_thread(process.communicate, timeout=PATIENCE_SECONDS)
    assert "Traceback" not in error, error
    return process.returncode, out


async def fill(house, number=MANY):
    """Many more accounts, sealed as the present keys file says."""
    ring = Keyring.from_file(house.settings.keys_file)
    ids = [uuid7() for _ in range(number)]
    sealed = [ring.seal(b"{}", "ad_accounts", one, "credentials") for one in ids]
    await house.pool.execute(
        "insert into ad_accounts (id, name, platform_type, platform_account_id, credentials, "
        "credentials_key_id, credentials_fingerprint, mode) "
        "select id, 'a', 'META', 'act_' || id, sealed, key_id, 'f', 'sandbox' "
        "from (select unnest($1::uuid[]) as id, unnest($2::bytea[]) as sealed, "
        "unnest($3::text[]) as key_id) as told",
        ids,
        [one.ciphertext for one in sealed],
        [one.key_id for one in sealed],
    )
    return ids


@contextlib.asynccontextmanager
async def held_up(house, account_id):
    """Whoever writes to the account waits; yields whether somebody does."""
    await house.pool.execute(
        f"""create function wait_here() returns trigger language plpgsql as $$
            begin perform pg_advisory_xact_lock({HERE}); return new; end $$;
            create trigger wait_here before update on ad_accounts
            for each row when (old.id = '{account_id}') execute function wait_here()"""
    )
    holder = await asyncpg.connect(str(house.settings.database_url))
    await holder.execute("select pg_advisory_lock($1)", HERE)

    async def somebody_waits():
        return await holder.fetchval(
            "select exists (select from pg_locks where locktype = 'advisory' and objid = $1 "
            "and not granted)",
            HERE,
        )

    try:
        yield somebody_waits
    finally:
        await holder.close()
        await house.pool.execute("drop function wait_here cascade")


async def rows_under(house, key_id):
    return await house.pool.fetchval(
        "select count(*) from ad_accounts where credentials_key_id = $1", key_id
    )


async def test_keys_are_replaced_under_load_though_the_rotation_is_killed(house):
    keys = house.settings.keys_file
    old, new = keys.read_text().strip(), new_key_line("test-2")
    ids = await fill(house)
    await house.pool.execute("update ad_accounts set max_running = 8")
    await house.sandbox.fault("slow", "*/adsets", seconds=0.3, times=20)

    async with both(house) as (caller, program):
        submitted = [await house.submit(house.request(name=f"Before {n}")) for n in range(12)]
        keys.write_text(f"{new}\n{old}\n")
        async with held_up(house, ids[MANY // 2]) as somebody_waits:
            rotation = command(house, "rotate", "--batch", "1")
            await until(somebody_waits)
            rotation.kill()
            await asyncio.to_thread(rotation.communicate)
        between = await rows_under(house, "test-1"), await rows_under(house, "test-2")
        submitted += [await house.submit(house.request(name=f"Between {n}")) for n in range(6)]

        code, out = await done(house, "rotate", "--json")
        status_code, status = await done(house, "status", "--json")
        keys.write_text(f"{new}\n")
        other = await house.sandbox.account()
        added = await house.add(other)
        submitted += [await house.submit(house.request(name=f"After {n}")) for n in range(6)]
        ended = [await house.finished(job) for job in submitted]
        assert program.is_running
        assert (await caller.get("/readyz")).status_code == 200

    async with worker(house):
        last = await house.submit(house.request(name="Last"))
        ended.append(await house.finished(last))

    assert min(between) > 0
    assert sum(between) == MANY + 1
    assert rotation.returncode == -9
    assert (code, status_code) == (0, 0)
    (column,) = [
        one for one in json.loads(out)["columns"] if one["column"] == "ad_accounts.credentials"
    ]
    assert (column["rewrapped"], column["left"], column["unopened"]) == (between[0], 0, [])
    told = json.loads(status)
    assert told["rows"]["ad_accounts.credentials"] == {"test-2": MANY + 1}
    assert (told["seals"], told["missing"], told["not_needed"]) == ("test-2", [], ["test-1"])
    assert {job["status"] for job in ended} == {"SUCCESS"}
    assert await rows_under(house, "test-2") == MANY + 2, added
    audited = await house.pool.fetch(
        "select action, actor, detail from audit_log where object_type = 'encryption' order by id"
    )
    # the first run was killed between its two entries
    assert [entry["action"].partition(".")[2] for entry in audited] == [
        "rotation_begun",
        "rotation_begun",
        "rotated",
    ]
    assert all(entry["actor"].startswith("command:encryption rotate user:") for entry in audited)
    assert json.loads(audited[-1]["detail"]) == json.loads(out)


async def test_a_worker_without_a_newer_key_says_so_and_loses_no_job(house, tmp_path):
    old, new = house.settings.keys_file.read_text().strip(), new_key_line("test-2")
    behind = tmp_path / "keys-of-another-machine"
    behind.write_text(f"{old}\n")

    async with worker(house, encryption_keys_file=str(behind)) as program:
        house.settings.keys_file.write_text(f"{new}\n{old}\n")
        code, _ = await done(house, "rotate")
        # somebody changes the account: what the worker remembers of it does not count any more
        await house.pool.execute("update ad_accounts set updated_at = now()")
        job_id = await house.submit(house.request())
        waiting = await house.waiting(job_id, "not_ready")
        said = program.log()
        behind.write_text(f"{new}\n{old}\n")
        await house.pool.execute("update campaign_jobs set due_at = now()")
        job = await house.finished(job_id)

    assert code == 0
    assert waiting["error"]["code"] == "encryption_key_missing"
    assert "test-2" in waiting["error"]["message"]
    assert "MOJITO_ENCRYPTION_KEYS_FILE" in waiting["error"]["remedy"]
    assert "encryption_key.missing" in said
    assert job["status"] == "SUCCESS"


async def test_messages_are_signed_as_before_when_the_keys_were_replaced(house):
    async with Receiver().open() as receiver:
        first = await listen(house, receiver, "job.finished")
        old, new = house.settings.keys_file.read_text().strip(), new_key_line("test-2")
        house.settings.keys_file.write_text(f"{new}\n{old}\n")

        code, out = await done(house, "rotate", "--json")
        house.settings.keys_file.write_text(f"{new}\n")
        second = await post(house, first, "rotate_secret")
        await post(house, first, "ping")
        async with worker(house, allowed_private_targets="127.0.0.0/8"):
            await over(house)

    (posted,) = receiver.posted
    assert code == 0
    assert json.loads(out)["columns"][0]["rewrapped"] == 2
    assert await rows_under(house, "test-1") == 0
    for secret in (first["secret"], second["secret"]):
        assert Webhook(secret).verify(posted.body, posted.headers)["type"] == "webhook.ping"


async def test_a_worker_without_a_newer_key_gives_up_no_message(house, tmp_path):
    old, new = house.settings.keys_file.read_text().strip(), new_key_line("test-2")
    behind = tmp_path / "keys-of-another-machine"
    behind.write_text(f"{old}\n")
    options = {"encryption_keys_file": str(behind), "allowed_private_targets": "127.0.0.0/8"}

    async def waits():
        return await house.pool.fetchval(
            "select count(*) from campaign_jobs "
            "where waiting_reason = 'not_ready' and claim_token is null"
        )

    async with Receiver().open() as receiver, worker(house, **options) as program:
        endpoint = await listen(house, receiver, "job.finished")
        house.settings.keys_file.write_text(f"{new}\n{old}\n")
        await done(house, "rotate")
        # the worker reads accounts ahead beside its first claims, and on a busy machine it has seen the
        # endpoint as it was before: somebody changes it, so that what is remembered does not count
        await house.pool.execute("update ad_accounts set updated_at = now()")
        await post(house, endpoint, "ping")
        await until(waits)
        said = program.log()
        (waiting,) = await deliveries(house, endpoint)
        behind.write_text(f"{new}\n{old}\n")
        await house.pool.execute("update campaign_jobs set due_at = now()")
        await over(house)

    assert "encryption_key.missing" in said
    assert (waiting["status"], waiting["tries"]) == ("PENDING", [])
    assert receiver.types == ["webhook.ping"]


async def test_another_key_under_the_same_id_is_told_and_never_rotated_over(house, capfd):
    house.settings.keys_file.write_text(f"{new_key_line('test-1')}\n")

    status, out = await done(house, "status")
    rotation, _ = await done(house, "rotate")

    assert (status, rotation) == (1, 1)
    assert "ANOTHER KEY in the file than the one that sealed: test-1" in out


async def test_status_fails_and_names_the_key_that_is_missing(house):
    house.settings.keys_file.write_text(f"{new_key_line('test-2')}\n")

    code, out = await done(house, "status")

    assert code == 1
    assert "MISSING from the file, yet needed: test-1" in out


async def test_a_rotation_that_leaves_rows_behind_fails_and_names_them(house):
    house.settings.keys_file.write_text(f"{new_key_line('test-2')}\n")

    code, out = await done(house, "rotate")
    json_code, told = await done(house, "rotate", "--json")

    assert (code, json_code) == (1, 1)
    assert f"row {house.account_id} does not open" in out
    assert json.loads(told)["complete"] is False
    assert json.loads(told)["columns"][0]["unopened"] == [house.account_id]


@pytest.mark.parametrize("rows", ["0", "many", "10001"])
async def test_an_impossible_batch_is_wrong_usage(house, rows):
    assert (await done(house, "rotate", "--batch", rows))[0] == 2
