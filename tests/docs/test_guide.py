"""The operators' guide names only what there is: files, commands, settings, migrations."""

import re

import pytest

from config.settings import Settings
from models.migrate import load
from mojito.main import COMMANDS
from tests.house.conftest import ROOT

FOLDER = ROOT / "docs" / "operations"
PAGES = sorted(FOLDER.glob("*.md"))
SETTINGS = {f"MOJITO_{name.upper()}" for name in Settings.__struct_fields__}
SECRETS_IN_FILES = {"MOJITO_DATABASE_URL_FILE"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_commands_and_settings_that_exist(page):
    text = page.read_text()
    commands = re.findall(r"(?<![\w/@-])mojito ([a-z]+)", text) + re.findall(
        r"run --rm migrate ([a-z]+)", text
    )
    settings = set(re.findall(r"MOJITO_[A-Z_]+", text))

    assert {name for name in commands if name not in COMMANDS} <= {"mojito", "to"}
    assert settings <= SETTINGS | SECRETS_IN_FILES


def test_the_limit_per_address_counts_for_every_location():
    """One that stands in a location is that location's alone."""
    server = (FOLDER / "nginx.conf").read_text().partition("\nserver {")[2]
    before, *locations = server.split("location ")

    assert "    limit_req zone=" in before
    assert len(locations) >= 4
    assert not any("limit_req" in location for location in locations)


def test_the_index_leads_to_every_file():
    index = (FOLDER / "README.md").read_text()
    told = re.findall(r"`([\w./*-]+\.(?:md|sql|yml|json|conf|cfg|service))`|`(Caddyfile)`", index)
    named = {path for pair in told for path in pair if path}

    assert all(
        any(FOLDER.glob(name)) or (FOLDER / name).exists() for name in named - {"compose.yaml"}
    )
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} - {"README.md"} <= named


def test_every_migration_after_the_first_ones_is_told_whether_it_needs_a_stop():
    told = set(re.findall(r"\b0\d{3}\b", (FOLDER / "upgrade.md").read_text()))

    assert {one.version for one in load() if one.version > "0003"} <= told
