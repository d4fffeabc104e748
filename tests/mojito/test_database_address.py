"""An address of a database that cannot be meant, or names files that cannot be used: one line, at once."""

import contextlib

import pytest

from common.errors import ConfigurationError
from common.keyring import new_key_line
from mojito.database_address import require_usable
from tests.mojito.test_main import require_sentence, run

ADDRESS = "postgresql://someone:verysecret@127.0.0.1:9/none?sslmode={mode}&{name}={path}"


@pytest.mark.parametrize("command", [("migrate",), ("keys", "list"), ("serve",), ("work",)])
def test_a_certificate_that_is_not_there_is_named(tmp_path, command):
    (tmp_path / "encryption-keys").write_text(new_key_line("k1"))
    url = ADDRESS.format(mode="verify-full", name="sslrootcert", path="/nowhere/root.pem")

    done = run(tmp_path, *command, url=url)

    require_sentence(done)
    assert "MOJITO_DATABASE_URL" in done.stderr
    assert "sslrootcert /nowhere/root.pem cannot be read (No such file" in done.stderr


@pytest.mark.parametrize("name", ["sslcert", "sslkey"])
def test_so_is_one_of_our_own(tmp_path, name):
    done = run(
        tmp_path, "keys", "list", url=ADDRESS.format(mode="require", name=name, path=tmp_path)
    )

    require_sentence(done)
    assert f"{name} {tmp_path} cannot be read (Is a directory)" in done.stderr


def test_so_is_a_file_that_holds_none(tmp_path):
    path = tmp_path / "root.pem"
    path.write_text("none")

    done = run(
        tmp_path, "keys", "list", url=ADDRESS.format(mode="require", name="sslrootcert", path=path)
    )

    require_sentence(done)
    assert f"sslrootcert {path} cannot be read (it holds no certificate)" in done.stderr


def test_what_is_not_looked_at_may_be_anything(tmp_path):
    url = ADDRESS.format(mode="disable", name="sslrootcert", path="/nowhere")

    done = run(tmp_path, "keys", "list", url=url)

    require_sentence(done)
    assert "cannot reach the database" in done.stderr


@pytest.mark.parametrize(
    "password", ["very@secret", "1/verysecret", "1#verysecret", "1?verysecret"]
)
@pytest.mark.parametrize("command", [("migrate",), ("keys", "list"), ("config", "check")])
def test_a_password_that_is_not_encoded_is_told_as_that(tmp_path, command, password):
    done = run(tmp_path, *command, url=f"postgresql://someone:{password}@127.0.0.1:9/none")

    assert done.returncode == 1
    assert "as %40 %3A %2F %3F %23 %25" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stdout + done.stderr


SERVICE = "postgresql:///none?service=ads"


@pytest.fixture
def services(tmp_path, monkeypatch):
    """Writes the file that services are looked up in."""
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    return (tmp_path / "services").write_text


@pytest.mark.parametrize(
    "written", ["[other]\nhost=127.0.0.1\n", "[ads]\npassword=50%verysecret\n", "verysecret"]
)
def test_a_service_that_is_not_found_is_not_taken_for_the_server_of_this_machine(services, written):
    services(written)

    with pytest.raises(ConfigurationError, match=r"/services has no service \[ads\]") as refused:
        require_usable(SERVICE)

    assert "verysecret" not in refused.value.message


def test_neither_is_one_whose_file_is_not_there(services):
    with pytest.raises(ConfigurationError, match=r"service file .*/services cannot be read"):
        require_usable(SERVICE)


def test_a_service_that_is_found_leads_to_its_server(services, tmp_path):
    services("[ads]\nhost=127.0.0.1\nport=9\n")

    done = run(tmp_path, "keys", "list", url=SERVICE)

    require_sentence(done)
    assert "('127.0.0.1', 9)" in done.stderr


@pytest.mark.parametrize(
    ("url", "is_told"),
    [
        ("postgresql:///none", True),
        ("postgresql://someone@/none", True),
        ("postgresql://127.0.0.1:9/none", False),
        ("postgresql:///none?host=/nowhere", False),
    ],
)
def test_a_service_of_the_environment_alone_is_told_as_not_read(monkeypatch, url, is_told):
    monkeypatch.setenv("PGSERVICE", "ads")

    with (
        pytest.raises(ConfigurationError, match=r"PGSERVICE is not read; .*\?service=NAME")
        if is_told
        else contextlib.nullcontext()
    ):
        require_usable(url)


def test_the_settings_are_checked_with_the_files_that_they_name(tmp_path):
    url = f"postgresql://someone@127.0.0.1:9/none?passfile={tmp_path}/passwords"

    done = run(tmp_path, "config", "check", url=url)

    assert done.returncode == 1
    assert f"passfile {tmp_path}/passwords cannot be read (No such file" in done.stdout
