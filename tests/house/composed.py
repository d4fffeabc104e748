"""What compose.yaml and the Dockerfile say of a service, done by plain processes instead of an engine."""

import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

from tests.docs.test_container import COMPOSE, of
from tests.free_ports import free_port
from tests.house.conftest import ENVIRONMENT, PATIENCE_SECONDS

SECONDS = re.compile(r"(\d+)s")


class Composed:
    """The file's services over one folder. Only folders, hosts and ports are others than in containers."""

    def __init__(self, folder: Path, secrets: dict[str, str]) -> None:
        self.folder = folder
        self._ports = {"api": free_port(), "sandbox": free_port()}
        for name, text in secrets.items():
            (folder / name).write_text(text)

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"

    def run(self, name: str, *instead: str) -> subprocess.CompletedProcess[str]:
        """To the end, with the service's own command or another: `compose run`."""
        command, options = self._command(name, *instead)
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
            **options,
        )

    @contextlib.contextmanager
    def running(self, *names: str) -> Generator[list[subprocess.Popen[bytes]]]:
        """Side by side, as `compose up` starts them; a name may stand several times."""
        with contextlib.ExitStack() as open_files:
            processes: list[subprocess.Popen[bytes]] = []
            try:
                for name in names:
                    command, options = self._command(name)
                    log = open_files.enter_context((self.folder / f"{name}.log").open("ab"))
                    processes.append(subprocess.Popen(command, stdout=log, stderr=log, **options))
                yield processes
            finally:
                for process in processes:
                    process.kill()
                    process.wait()

    def is_healthy(self, name: str) -> bool:
        """What the health check says, asked where the service runs."""
        _, options = self._command(name)
        kind, python, *rest = COMPOSE["services"][name]["healthcheck"]["test"]
        assert (kind, python) == ("CMD", "python")
        return subprocess.run([sys.executable, *rest], check=False, **options).returncode == 0

    def _command(self, name: str, *instead: str) -> tuple[list[str], dict]:
        """The command of the image with that of the service, and where it runs."""
        service = COMPOSE["services"][name]
        ((program,),) = [words(rest) for rest in of("ENTRYPOINT")]
        assert program == "mojito"
        command = [self._here(name, word) for word in instead or service["command"]]
        told = dict(part.split("=", 1) for rest in of("ENV") for part in shlex.split(rest))
        told |= service["environment"]
        environment = {key: self._here(name, value) for key, value in told.items()}
        del environment["PYTHONDONTWRITEBYTECODE"]  # what an image has compiled, a checkout has not
        environment |= {"PATH": os.environ["PATH"], "PYTHONPATH": ENVIRONMENT["PYTHONPATH"]}
        environment |= {f"MOJITO_{key}": str(port) for key, port in self._port_settings()}
        options = {"env": environment, "cwd": self._volume(name)}
        return [sys.executable, "-m", "mojito", *command], options

    def _port_settings(self):
        return ("PORT", self._ports["api"]), ("SANDBOX_PORT", self._ports["sandbox"])

    def _here(self, name: str, value: str) -> str:
        """The folder that is mounted, this machine's own addresses, and secrets that were handed over."""
        for secret in COMPOSE["services"][name]["secrets"]:
            value = value.replace(f"/run/secrets/{secret}", str(self.folder / secret))
        value = re.sub(r"^/data$", str(self._volume(name)), value)
        value = value.replace("http://sandbox:8100", self.address("sandbox"))
        return re.sub(r"^0\.0\.0\.0$", "127.0.0.1", value)

    def _volume(self, name: str) -> Path:
        (volume,) = COMPOSE["services"][name]["volumes"]
        source, target = volume.split(":")
        assert target == "/data"
        (folder := self.folder / f"volume-{source}").mkdir(exist_ok=True)
        return folder


def words(text: str) -> list[str]:
    """The exec form of an instruction."""
    return [str(word) for word in json.loads(text)]


def grace_seconds(name: str) -> int:
    """How long an engine waits between SIGTERM and SIGKILL."""
    return int(SECONDS.fullmatch(COMPOSE["services"][name]["stop_grace_period"])[1])
