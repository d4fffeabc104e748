"""Settings are read once, and a wrong or unknown one is named."""

from itertools import pairwise
from pathlib import Path

import pytest

from common.errors import ConfigurationError
from config.settings import SECRETS, Settings, database_url, read_settings

NAMES = Settings.__struct_fields__
FREE = {
    "data_dir", "database_url", "host", "encryption_keys_file", "installation_dir", "pg_bin", "pg_user",
    "python",
}  # fmt: skip
"""Take any text: it is looked at where it is used."""
EXAMPLE = Path(__file__).parents[2] / "config" / "example.env"


def example(*, commented: bool) -> dict[str, str]:
    lines = EXAMPLE.read_text().splitlines()
    if commented:
        lines = [line.removeprefix("#") for line in lines]
    return dict(line.split("=", 1) for line in lines if line.startswith("MOJITO_"))


def test_the_example_names_every_setting_with_its_default():
    assert read_settings(example(commented=False)) == Settings()
    names = {name.removeprefix("MOJITO_").lower() for name in example(commented=True)}
    files = {f"{name}_file" for name in SECRETS}
    assert "database_url_file" in files
    assert names == {*Settings.__struct_fields__, *files}


def test_every_setting_is_described():
    lines = EXAMPLE.read_text().splitlines()

    for before, line in pairwise(lines):
        if line.removeprefix("#").startswith("MOJITO_"):
            assert before.startswith("# ")


def test_values_are_read_as_their_types():
    settings = read_settings(
        {
            "MOJITO_PORT": "9000",
            "MOJITO_POLL_SECONDS": "0.5",
            "MOJITO_ALLOWED_PRIVATE_TARGETS": "127.0.0.0/8, files.test:8080",
            "MOJITO_DATA_DIR": "/tmp/there",
            "PATH": "/bin",
        }
    )

    assert settings.port == 9000
    assert settings.poll_seconds == 0.5
    assert settings.allowed_private_targets == ("127.0.0.0/8", "files.test:8080")
    assert settings.keys_file == Path("/tmp/there/encryption-keys")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MOJITO_PROT", "8000"),
        ("MOJITO_PORT", "eighty"),
        ("MOJITO_PORT", "70000"),
        ("MOJITO_LOG_FORMAT", "xml"),
        ("MOJITO_META_API_VERSION", "26"),
        ("MOJITO_WORKER_ID", "me"),
        ("MOJITO_SANDBOX_URL", "localhost:8100"),
        ("MOJITO_META_BASE_URL", "graph.facebook.com"),
        ("MOJITO_META_VIDEO_BASE_URL", "https://"),
        ("MOJITO_CORS_ORIGINS", "app.example.com"),
        ("MOJITO_ALLOWED_PRIVATE_TARGETS", "10.0.0.0/99"),
        ("MOJITO_DATA_DIR", "~nobody-has-this-name/there"),
        ("MOJITO_RETENTION_JOBS_DAYS", "1e9"),
        ("MOJITO_WORKER_SILENCE_SECONDS", "1e300"),
        ("MOJITO_MAX_OPEN_JOBS_PER_ACCOUNT", "9999999999"),
        ("MOJITO_RATE_LIMIT_KEY_PER_SECOND", "1e-320"),
        ("MOJITO_RATE_LIMIT_TEAM_PER_SECOND", "1e-8"),
        ("MOJITO_RATE_LIMIT_KEY_PER_SECOND", "1e300"),
        ("MOJITO_RATE_LIMIT_KEY_BURST", f"1{'0' * 400}"),
        ("MOJITO_SANDBOX_URL", "http://[::1"),
        ("MOJITO_META_BASE_URL", "https://graph.facebook.com:70000"),
        ("MOJITO_META_VIDEO_BASE_URL", "https://:443"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(name, value):
    with pytest.raises(ConfigurationError, match=name):
        read_settings({name: value})


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1"])
@pytest.mark.parametrize("name", [n for n in NAMES if isinstance(getattr(Settings(), n), float)])
def test_no_number_is_endless_or_none(name, value):
    with pytest.raises(ConfigurationError, match=f"MOJITO_{name.upper()}:"):
        read_settings({f"MOJITO_{name.upper()}": value})


@pytest.mark.parametrize("name", [n for n in NAMES if n not in FREE])
def test_a_word_where_something_else_is_meant_is_refused(name):
    with pytest.raises(ConfigurationError, match=f"MOJITO_{name.upper()}:"):
        read_settings({f"MOJITO_{name.upper()}": "no such thing"})


def test_what_is_set_to_nothing_is_not_set():
    assert read_settings({f"MOJITO_{name.upper()}": "" for name in NAMES}) == Settings()


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_file_names_no_database(tmp_path, text):
    (tmp_path / "url").write_text(text)

    with pytest.raises(ConfigurationError, match=r"MOJITO_DATABASE_URL_FILE: .* is empty"):
        read_settings({"MOJITO_DATABASE_URL_FILE": str(tmp_path / "url")})


def test_all_wrong_settings_are_named_at_once():
    with pytest.raises(
        ConfigurationError, match=r"MOJITO_A .*MOJITO_PORT: Expected a whole number"
    ):
        read_settings({"MOJITO_A": "1", "MOJITO_PORT": "x"})


def test_the_database_may_be_named_in_a_file(tmp_path):
    (tmp_path / "url").write_text("postgresql://secret@there/db\n")

    settings = read_settings({"MOJITO_DATABASE_URL_FILE": str(tmp_path / "url")})

    assert settings.database_url == "postgresql://secret@there/db"


def test_a_file_may_lie_in_a_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "url").write_text("postgresql://there/x")

    settings = read_settings({"MOJITO_DATABASE_URL_FILE": "~/url"})

    assert settings.database_url == "postgresql://there/x"
    with pytest.raises(ConfigurationError, match="there is no such user"):
        read_settings({"MOJITO_DATABASE_URL_FILE": "~nobody-has-this-name/url"})


def test_a_missing_file_is_named():
    with pytest.raises(ConfigurationError, match=r"MOJITO_DATABASE_URL_FILE.*/nowhere"):
        read_settings({"MOJITO_DATABASE_URL_FILE": "/nowhere"})


def test_a_missing_database_is_named_with_its_remedy():
    with pytest.raises(ConfigurationError, match=r"MOJITO_DATABASE_URL is not set.*mojito up"):
        database_url(Settings())
