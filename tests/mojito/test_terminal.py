"""No command lets a terminal obey what callers, platforms or other programs have written."""

import argparse
import io
import json

import pytest

from common.errors import ConfigurationError
from common.keyring import new_key_line
from models.api_keys import create_key
from models.database import open_pool
from models.verification import AccountFacts, Checked, Finding, TokenFacts, Verification
from mojito import accounts, audit, main, submit
from mojito.job_display import Log, Picture
from tests.mojito.test_job_display import job_view, step
from tests.mojito.test_main import run

HOSTILE = "x\x1b[2J\x9b31m\u202ey\nz"
SHOWN = "x\\x1b[2J\\x9b31m\\u202ey\\nz"
OBEYED = {"\x1b", "\x9b", "\u202e"}


def require_tame(text, *, as_json=False):
    assert not set(text) & OBEYED
    if as_json:
        json.loads(text)
    else:
        assert SHOWN in text


async def test_names_of_keys(sql, database, tmp_path):
    pool = await open_pool(database, size=1, name="test")
    await create_key(pool, team="t", name="n")
    await pool.close()
    await sql.execute("update api_keys set name = $1", HOSTILE)
    await sql.execute("update teams set name = $1", HOSTILE)

    listed = run(tmp_path, "keys", "list", url=database).stdout
    as_json = run(tmp_path, "keys", "list", "--json", url=database).stdout

    require_tame(listed)
    assert listed.count("\n") == 1
    require_tame(as_json, as_json=True)


async def test_names_of_accounts_and_hosts_that_the_doctor_tells(sql, database, tmp_path):
    (tmp_path / "encryption-keys").write_text(new_key_line("k1"))
    await sql.execute(
        "insert into ad_accounts (id, name, platform_type, platform_account_id, credentials, "
        "credentials_key_id, credentials_fingerprint, mode, status) "
        "values (gen_random_uuid(), $1, 'META', 'act_1', '', 'k1', 'f', 'live', 'REQUIRES_REAUTH')",
        HOSTILE,
    )
    for silent in ("-10 minutes", "5 minutes"):  # the first one lives as long as the test may take
        await sql.execute(
            "insert into workers (id, host, process_id, last_seen_at) "
            "values (gen_random_uuid(), $1, 1, now() - $2::text::interval)",
            HOSTILE,
            silent,
        )

    told = run(tmp_path, "doctor", url=database).stdout

    require_tame(told)
    assert told.count(SHOWN) == 2


def verification():
    finding = Finding(HOSTILE, "error", HOSTILE, HOSTILE)
    facts = AccountFacts(name=HOSTILE, currency=HOSTILE, timezone_name=HOSTILE)
    checked = Checked(token=TokenFacts(works=True), account=facts, findings=[finding])
    return Verification(
        ad_account_id="0199",
        platform_type="META",
        platform_account_id="act_1",
        livemode=True,
        ok=False,
        status="ACTIVE",
        jobs_woken=0,
        verified_at=None,
        token=checked.token,
        account=facts,
        pages=[],
        findings=checked.findings,
    )


def test_what_a_platform_says_of_an_account(capsys):
    accounts._show(verification())

    require_tame(capsys.readouterr().out)


def test_a_line_of_the_audit_log():
    row = audit.ListAuditEntriesRow(
        id=1, at=None, team_id=None, team=HOSTILE, actor=HOSTILE, action="a.b", object_type="a",
        object_id=None, request_id=HOSTILE, before_hash=None, after_hash=None, detail="{}",
    )  # fmt: skip

    require_tame(audit.line(row), as_json=True)
    assert json.loads(audit.line(row))["team"] == HOSTILE


@pytest.mark.parametrize("display", [Log, lambda out, title: Picture(out, title, colours=False)])
def test_a_job_that_is_watched(display):
    out = io.StringIO()
    error = {"code": HOSTILE, "message": HOSTILE, "step": HOSTILE, "remedy": HOSTILE}
    job = job_view(
        status="PROCESSING" + HOSTILE,
        waiting={"reason": HOSTILE, "until": HOSTILE},
        steps=[step(HOSTILE, "FAILED", error=error)],
        error=error,
    )

    shown = display(out, HOSTILE)
    shown.show(job)
    shown.end(job)

    text = out.getvalue().replace("\x1b[0m", "")
    require_tame(text)
    assert "\nz" not in text


@pytest.mark.parametrize("validate_only", [True, False])
def test_what_an_api_answers_to_a_request(capsys, validate_only):
    asked = argparse.Namespace(json=False, validate_only=validate_only)
    answer = {"id": HOSTILE, "status": HOSTILE, "steps": [{"name": HOSTILE}]}

    submit._show(answer, asked, "")

    require_tame(capsys.readouterr().out)


def test_what_stops_a_command(monkeypatch, capsys):
    def refuse(_):
        raise ConfigurationError(HOSTILE)

    monkeypatch.setattr(main, "read_settings", refuse)

    code = main.main(["keys", "list"])

    said = capsys.readouterr().err
    assert code == 1
    assert not set(said) & OBEYED
