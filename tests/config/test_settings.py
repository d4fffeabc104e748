"""Settings are read once, and a wrong or unknown one is named."""

from itertools import pairwise
from pathlib import Path

import pytest

from common.errors import ConfigurationError
from config.settings import SECRETS, Settings, database_url, read_settings

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
    ],
)
def test_a_wrong_setting_is_refused_by_name(name, value):
    with pytest.raises(ConfigurationError, match=name):
        read_settings({name: value})


def test_all_wrong_settings_are_named_at_once():
    with pytest.raises(ConfigurationError, match=r"MOJITO_A .*MOJITO_PORT"):
        read_settings({"MOJITO_A": "1", "MOJITO_PORT": "x"})


def test_the_database_may_be_named_in_a_file(tmp_path):
    (tmp_path / "url").write_text("postgresql://secret@there/db\n")

    settings = read_settings({"MOJITO_DATABASE_URL_FILE": str(tmp_path / "url")})

    assert settings.database_url == "postgresql://secret@there/db"


def test_a_missing_file_is_named():
    with pytest.raises(ConfigurationError, match=r"MOJITO_DATABASE_URL_FILE.*/nowhere"):
        read_settings({"MOJITO_DATABASE_URL_FILE": "/nowhere"})


def test_a_missing_database_is_named_with_its_remedy():
    with pytest.raises(ConfigurationError, match=r"MOJITO_DATABASE_URL is not set.*mojito up"):
        database_url(Settings())
