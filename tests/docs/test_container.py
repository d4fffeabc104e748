"""The container files, read: every file they take exists and every command they run is one of ours."""

import json
import shlex

import pytest
import yaml

from config.settings import Settings, examine
from mojito.main import COMMANDS, main
from mojito.pools import PATIENCE_SECONDS
from tests.house.conftest import ROOT

COMPOSE_TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "mojito"}
IMAGE_TEXT = (ROOT / "Dockerfile").read_text()


def instructions():
    """The lines of the Dockerfile as word and rest, continued lines joined."""
    lines = [line for line in IMAGE_TEXT.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in joined]


def of(word):
    return [rest for found, rest in instructions() if found == word]


def copied():
    """Paths of the checkout that go into the image."""
    return [
        source
        for rest in of("COPY")
        if not rest.startswith("--from=")
        for source in shlex.split(rest)[:-1]
    ]


def sent():
    """What .dockerignore lets through."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    return [line[1:] for line in lines if line.startswith("!")]


def test_every_file_that_the_image_takes_exists_and_is_sent():
    assert copied()
    assert all((ROOT / path).exists() for path in copied())
    assert sorted(copied()) == sorted(sent())


def test_the_image_takes_every_folder_that_the_wheel_carries():
    text = (ROOT / "pyproject.toml").read_text()
    carried = text.partition("wheel.force-include]")[2].partition("\n[")[0]
    folders = [line.split('"')[1].split("/")[0] for line in carried.strip().splitlines()]

    assert {*folders, "cmd"} <= set(copied())


def test_the_image_is_made_in_two_stages_and_runs_as_an_ordinary_user():
    stages = of("FROM")

    assert len(stages) == 2
    assert stages[0].endswith(" AS build")
    assert of("USER") == ["10001:10001"]
    assert of("STOPSIGNAL") == ["SIGTERM"]


def test_the_program_is_the_first_process_and_gets_the_signal():
    (entry,), (command,) = of("ENTRYPOINT"), of("CMD")

    assert json.loads(entry) == ["mojito"]
    assert json.loads(command)[0] in COMMANDS


def test_whatever_is_installed_is_pinned_by_hash_and_names_no_host():
    installs = [part for rest in of("RUN") for part in rest.split("&&") if "pip install" in part]

    assert len(installs) == 3
    assert all("--require-hashes" in part or "--no-index" in part for part in installs)
    assert "://" not in IMAGE_TEXT


@pytest.mark.parametrize("name", ["api", "sandbox"])
def test_a_health_check_is_a_program_that_asks_whether_the_process_lives(name):
    kind, *command = COMPOSE["services"][name]["healthcheck"]["test"]

    compile(command[2], "health check", "exec")
    assert kind == "CMD"
    assert command[:2] == ["python", "-c"]
    assert "/livez" in command[2]


def test_a_role_without_a_port_has_no_health_check_to_switch_off():
    """`compose up --wait` takes a check that is switched off for an error."""
    assert of("HEALTHCHECK") == []
    assert "disable" not in COMPOSE_TEXT


@pytest.mark.parametrize("service", OURS.values(), ids=OURS)
def test_a_service_runs_a_command_of_ours_over_a_read_only_system(service, capsys):
    command, *options = service["command"]
    with pytest.raises(SystemExit):
        main([command, "--help"])

    told = capsys.readouterr().out
    assert all(option in told for option in options if option.startswith("--"))
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "privileged" not in service
    assert ("healthcheck" in service) == ("ports" in service)


def test_settings_that_containers_get_are_settings(tmp_path, monkeypatch):
    told = dict(part.split("=", 1) for rest in of("ENV") for part in shlex.split(rest))
    for service in OURS.values():
        told |= service["environment"]
    (tmp_path / "url").write_text("postgresql://localhost/mojito")
    told["MOJITO_DATABASE_URL_FILE"] = str(tmp_path / "url")

    settings, faults = examine({k: v for k, v in told.items() if k.startswith("MOJITO_")})

    assert faults == []
    assert settings.host == "0.0.0.0"  # noqa: S104 - inside a container
    assert settings.database_url == "postgresql://localhost/mojito"


def test_processes_wait_for_the_tables_and_the_tables_for_the_server():
    services = COMPOSE["services"]

    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("api", "work"):
        condition = services[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"
    assert services["migrate"]["restart"] == "no"
    assert services["sandbox"]["profiles"] == ["sandbox"]


def test_a_health_check_bears_with_what_a_start_may_take():
    """A server replays its log after a crash; the API waits for a server that is away."""
    patience = {
        name: int(COMPOSE["services"][name]["healthcheck"]["start_period"].removesuffix("s"))
        for name in ("postgres", "api")
    }

    assert patience["postgres"] >= 300
    assert patience["api"] >= PATIENCE_SECONDS + 10


def test_ports_are_opened_for_this_host_alone():
    opened = {name: one["ports"] for name, one in COMPOSE["services"].items() if "ports" in one}

    assert opened == {"api": ["127.0.0.1:8000:8000"], "sandbox": ["127.0.0.1:8100:8100"]}
    assert [Settings().port, Settings().sandbox_port] == [8000, 8100]


def test_secrets_come_from_files_that_are_never_committed():
    named = {name for one in COMPOSE["services"].values() for name in one.get("secrets", [])}

    assert named == set(COMPOSE["secrets"])
    assert all(one["file"].startswith("./secrets/") for one in COMPOSE["secrets"].values())
    assert "/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert "secrets" not in sent()
