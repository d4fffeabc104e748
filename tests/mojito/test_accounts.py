"""Ad accounts are listed, added and verified at the command line, and no credentials are ever shown."""

import asyncio
import io
import json

import asyncpg
import pytest

from common.keyring import new_key_line
from mojito.main import main


@pytest.fixture
def mojito(database, tmp_path, monkeypatch, capsys, sandbox):
    """Runs a command as a shell would: exit code, standard output, standard error."""
    keys = tmp_path / "keys"
    keys.write_text(new_key_line("test-1"))
    monkeypatch.setenv("MOJITO_DATABASE_URL", database)
    monkeypatch.setenv("MOJITO_ENCRYPTION_KEYS_FILE", str(keys))
    monkeypatch.setenv("MOJITO_SANDBOX_URL", sandbox.base)

    async def run(*arguments, stdin=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = await asyncio.to_thread(main, ["accounts", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


async def added(mojito, theirs, team="ads", **credentials):
    given = {"access_token": theirs["access_token"], "page_id": theirs["page_id"], **credentials}
    order = ["add", "--team", team, "--account", theirs["id"], "--mode", "sandbox"]
    code, out, _ = await mojito(*order, "--credentials", "-", stdin=json.dumps(given))
    assert code == 0
    return out.strip()


async def test_an_account_is_added_from_standard_input_and_listed(mojito, sandbox):
    theirs = sandbox.account()

    account_id = await added(mojito, theirs)
    _, listed, _ = await mojito("list")
    _, of_others, _ = await mojito("list", "--team", "others")

    assert account_id in listed
    assert theirs["id"] in listed
    assert "never verified" in listed
    assert theirs["access_token"] not in listed
    assert of_others == ""


async def test_endpoints_of_webhooks_are_not_listed(mojito, sandbox, database):
    account_id = await added(mojito, sandbox.account())
    connection = await asyncpg.connect(database)
    await connection.execute(
        """insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
               credentials_key_id, credentials_fingerprint, mode)
           values (gen_random_uuid(), 'hook', 'WEBHOOK', 'hook', '', 'test-1', '', 'sandbox')"""
    )
    await connection.close()

    _, listed, _ = await mojito("list", "--json")

    assert [account["id"] for account in json.loads(listed)] == [account_id]


async def test_an_account_is_added_from_a_file(mojito, sandbox, tmp_path, database):
    theirs = sandbox.account()
    file = tmp_path / "meta.json"
    file.write_text(json.dumps({"access_token": theirs["access_token"]}))
    order = ["add", "--team", "ads", "--account", theirs["id"], "--mode", "live", "--json"]

    code, out, err = await mojito(*order, "--credentials", str(file), "--name", "Client X")

    view = json.loads(out)
    assert (code, view["name"], view["status"], view["mode"]) == (0, "Client X", "ACTIVE", "live")
    assert theirs["access_token"] not in out + err
    connection = await asyncpg.connect(database)
    rows = await connection.fetch("select * from audit_log")
    await connection.close()
    assert [r["action"] for r in rows] == ["team.created", "ad_account.created"]
    assert all(r["actor"].startswith("command:accounts add user:") for r in rows)
    assert all(r["request_id"] for r in rows)


@pytest.mark.parametrize(
    ("credentials", "account", "told"),
    [
        ("EAABsecret", "act_1", "not JSON"),
        ("[]", "act_1", "/credentials"),
        ('{"access_token": "EAABsecret", "colour": 1}', "act_1", "/credentials/colour"),
        ('{"access_token": "EAABsecret"}', "1", "/platform_account_id"),
        ("{}", "act_1", "/credentials/access_token"),
    ],
)
async def test_what_is_not_acceptable_is_told_without_repeating_it(
    mojito, credentials, account, told
):
    order = ["add", "--team", "ads", "--account", account, "--mode", "sandbox"]

    code, out, err = await mojito(*order, "--credentials", "-", stdin=credentials)

    assert code == 2
    assert told in err
    assert "EAABsecret" not in out + err


async def test_a_team_holds_an_account_once(mojito, sandbox):
    theirs = sandbox.account()
    await added(mojito, theirs)
    order = ["add", "--team", "ads", "--account", theirs["id"], "--mode", "sandbox"]

    code, _, err = await mojito(*order, "--credentials", "-", stdin='{"access_token": "x"}')

    assert code == 2
    assert "already" in err


@pytest.mark.parametrize("team", ["", " ", "a\x1b[2J", "\udcff"])
async def test_the_name_of_a_team_is_printable(mojito, team):
    order = ["add", "--team", team, "--account", "act_1", "--mode", "sandbox"]

    code, _, err = await mojito(*order, "--credentials", "-", stdin='{"access_token": "x"}')

    assert code == 2
    assert err == "mojito: team: give printable text\n"


async def test_no_account_is_sealed_under_another_key_of_the_same_id(mojito, sandbox, tmp_path):
    await added(mojito, sandbox.account())
    (tmp_path / "keys").write_text(new_key_line("test-1"))
    order = ["add", "--team", "ads", "--account", "act_1", "--mode", "sandbox"]

    code, _, err = await mojito(*order, "--credentials", "-", stdin='{"access_token": "x"}')

    assert code == 1
    assert "another key of the id test-1" in err


async def test_a_file_that_is_not_there_is_named(mojito):
    order = ["add", "--team", "ads", "--account", "act_1", "--mode", "sandbox"]

    code, _, err = await mojito(*order, "--credentials", "/nowhere/meta.json")

    assert code == 2
    assert "/nowhere/meta.json" in err


async def test_verifying_an_account_in_order_ends_with_0(mojito, sandbox, database):
    theirs = sandbox.account(currency="EUR")
    account_id = await added(mojito, theirs)

    code, out, _ = await mojito("verify", theirs["id"])
    by_id, told, _ = await mojito("verify", account_id, "--json")
    _, listed, _ = await mojito("list", "--json")

    connection = await asyncpg.connect(database)
    verified = await connection.fetch(
        "select distinct actor from audit_log where action ~ 'verified|opened'"
    )
    await connection.close()
    assert [row["actor"].partition(" user:")[0] for row in verified] == ["command:accounts verify"]
    assert (code, by_id) == (0, 0)
    assert "in order" in out
    assert json.loads(told)["account"]["currency"] == "EUR"
    assert json.loads(listed)[0]["currency"] == "EUR"
    assert theirs["access_token"] not in out + told + listed


async def test_verifying_lists_each_problem_and_ends_with_1(mojito, sandbox):
    theirs = sandbox.account(missing_permissions=["ads_management"], account_status=2)
    await added(mojito, theirs)

    code, out, _ = await mojito("verify", theirs["id"])

    assert code == 1
    assert "permission_missing" in out
    assert "ad_account_disabled" in out


async def test_a_platform_that_cannot_be_asked_ends_with_3(mojito, sandbox):
    theirs = sandbox.account()
    await added(mojito, theirs)
    sandbox.order("reset", times=9)

    code, out, err = await mojito("verify", theirs["id"])

    assert (code, out) == (3, "")
    assert "nothing was changed" in err


async def test_an_account_must_be_named_clearly(mojito, sandbox):
    theirs = sandbox.account()
    await added(mojito, theirs)
    await added(mojito, theirs, team="others")

    unknown = await mojito("verify", "act_404")
    unclear = await mojito("verify", theirs["id"])
    clear = await mojito("verify", theirs["id"], "--team", "others")

    assert (unknown[0], unclear[0], clear[0]) == (2, 2, 0)
    assert "--team" in unclear[2]


async def test_a_missing_encryption_key_is_named(mojito, sandbox, tmp_path):
    theirs = sandbox.account()
    await added(mojito, theirs)
    (tmp_path / "keys").write_text(new_key_line("other"))

    code, _, err = await mojito("verify", theirs["id"])

    assert code == 1
    assert "test-1" in err


async def test_jobs_that_waited_are_woken(mojito, sandbox, database):
    theirs = sandbox.account()
    await added(mojito, theirs)
    connection = await asyncpg.connect(database)
    await connection.execute("update ad_accounts set status = 'REQUIRES_REAUTH'")

    code, out, _ = await mojito("verify", theirs["id"])

    assert code == 0
    assert "ACTIVE" in out
    assert await connection.fetchval("select status from ad_accounts") == "ACTIVE"
    await connection.close()


async def test_secrets_are_no_flags(mojito, capsys):
    with pytest.raises(SystemExit):
        await mojito("add", "--access-token", "EAABsecret")

    assert "required" in capsys.readouterr().err
