"""`mojito config`: every fault is named at once, secrets stay hidden, each value says where it is from."""

import json
import os

import pytest

from common.keyring import new_key_line
from mojito.main import main

HUSH = "hush-hush"
URL = f"postgresql://app:{HUSH}@db.test:5432/ads?password={HUSH}"


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """Settings that are all well; returns a function that changes some."""
    for name in [name for name in os.environ if name.startswith("MOJITO_")]:
        monkeypatch.delenv(name)
    keys = tmp_path / "encryption-keys"
    keys.write_text(new_key_line("k1"))
    keys.chmod(0o600)

    def change(**settings):
        for name, value in settings.items():
            monkeypatch.setenv(f"MOJITO_{name.upper()}", str(value))

    change(data_dir=tmp_path, database_url=URL)
    return change


@pytest.fixture
def checked(capsys):
    def check():
        code = main(["config", "check", "--json"])
        return code, json.loads(capsys.readouterr().out)

    return check


def test_good_settings_pass(environment, checked):
    code, told = checked()

    assert code == 0
    assert told["severity"] == "ok"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("prot", "8000", "MOJITO_PROT is not a setting"),
        ("port", "eighty", "MOJITO_PORT"),
        ("worker_trust_seconds", "30", "MOJITO_WORKER_TRUST_SECONDS must be less"),
        ("database_url", "mysql://there", "not an address of PostgreSQL"),
        ("database_url", "postgresql://[::1", "not an address of PostgreSQL"),
        ("database_url", "postgresql://app@there:abc/ads", "not an address of PostgreSQL"),
        ("database_url_file", "/nowhere", "MOJITO_DATABASE_URL_FILE: cannot read /nowhere"),
        ("encryption_keys_file", "/nowhere", "MOJITO_ENCRYPTION_KEYS_FILE: /nowhere"),
        ("data_dir", "/proc/version", "MOJITO_DATA_DIR"),
    ],
)
def test_a_fault_is_an_error_with_a_remedy(environment, checked, name, value, said):
    environment(**{name: value})

    code, told = checked()

    (found,) = [one for one in told["findings"] if said in one["message"]]
    assert code == 1
    assert found["severity"] == "error"
    assert found["remedy"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:a%40b:c@[::1]:5432/ads",
        "postgresql://app@[::1]/ads",
        "postgresql://one:5432,two:5433/ads",
        "postgresql://app@/ads?host=/run/postgresql",
        "postgresql://app:there@there/ads",
        "postgres:///ads",
    ],
)
def test_addresses_in_every_form_pass(environment, checked, url):
    environment(database_url=url)

    assert checked()[0] == 0


def test_all_faults_are_named_at_once(environment, checked):
    environment(prot="1", port="x", log_level="loud")

    _, told = checked()

    said = " ".join(found["message"] for found in told["findings"])
    assert all(name in said for name in ("MOJITO_PROT", "MOJITO_PORT", "MOJITO_LOG_LEVEL"))


def test_a_missing_database_is_an_error(environment, checked, monkeypatch):
    monkeypatch.delenv("MOJITO_DATABASE_URL")

    code, told = checked()

    assert code == 1
    assert "MOJITO_DATABASE_URL is not set" in told["findings"][0]["message"]


@pytest.mark.parametrize(
    ("mode", "code", "severity"),
    [(0o600, 0, "ok"), (0o640, 0, "warning"), (0o660, 1, "error"), (0o604, 1, "error")],
)
def test_the_keys_file_is_for_its_owner(environment, checked, tmp_path, mode, code, severity):
    (tmp_path / "encryption-keys").chmod(mode)

    assert (checked()[0], checked()[1]["severity"]) == (code, severity)


def test_a_file_with_the_database_is_for_its_owner_too(environment, checked, tmp_path, monkeypatch):
    monkeypatch.delenv("MOJITO_DATABASE_URL")
    (tmp_path / "url").write_text(URL)
    (tmp_path / "url").chmod(0o644)
    environment(database_url_file=tmp_path / "url")

    code, told = checked()

    assert code == 1
    assert told["findings"][0]["check"] == "database_url_file"


def test_two_names_of_the_database_are_a_warning(environment, checked, tmp_path):
    (tmp_path / "url").write_text(URL)
    (tmp_path / "url").chmod(0o600)
    environment(database_url_file=tmp_path / "url")

    code, told = checked()

    assert (code, told["severity"]) == (0, "warning")


def test_people_read_a_line_and_its_remedy(environment, capsys):
    environment(prot="1")

    main(["config", "check"])

    said = capsys.readouterr().out
    assert "error   setting" in said
    assert "-> config/example.env" in said


def test_every_setting_is_shown_with_its_source_and_no_secret(environment, capsys, tmp_path):
    environment(port="9000")

    code = main(["config", "show", "--json"])

    out = capsys.readouterr().out
    shown = {one["name"]: one for one in json.loads(out)}
    assert code == 0
    assert HUSH not in out
    assert shown["MOJITO_DATABASE_URL"]["value"] == "postgresql://app:***@db.test:5432/ads"
    assert (shown["MOJITO_PORT"]["value"], shown["MOJITO_PORT"]["source"]) == (9000, "environment")
    assert shown["MOJITO_HOST"]["source"] == "default"


def test_a_value_from_a_file_names_the_file(environment, capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("MOJITO_DATABASE_URL")
    (tmp_path / "url").write_text(URL)
    environment(database_url_file=tmp_path / "url")

    main(["config", "show"])

    (line,) = [one for one in capsys.readouterr().out.splitlines() if "MOJITO_DATABASE_URL " in one]
    assert line.endswith(f"file {tmp_path / 'url'}")
    assert HUSH not in line


def test_faulty_settings_are_not_shown(environment, capsys):
    environment(prot="1")

    assert main(["config", "show"]) == 1
    assert "MOJITO_PROT" in capsys.readouterr().err
