"""Runs every test: pytest, then the Hurl suites against a started installation; counts what ran."""

import argparse
import contextlib
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from common.errors import ConfigurationError
from config.settings import PREFIX, Settings
from mojito import ROOT
from mojito.chromium import bring_chromium
from mojito.hurl import find_hurl
from mojito.nginx import bring_nginx

SUITES = ROOT / "tests" / "hurl"
START_SECONDS = 180
MOST_AT_ONCE = 4
"""Pytest processes; each has a PostgreSQL and a sandbox of its own."""

FIRST_PORT, LAST_PORT = 12_000, 32_768

EXCUSED = "this machine cannot be divided into hosts"
"""Namespaces need Linux, root and iproute2; nothing else may be left out."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Anything that is not ours goes to pytest."""
    parser.epilog = """examples:
  ./mojito test
  ./mojito test --only pytest -k ledger
  ./mojito test --only hurl"""
    parser.add_argument("--only", choices=["pytest", "hurl"], help="run one half")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """0 only when everything ran and passed."""
    del settings
    hurl = find_hurl() if arguments.only != "pytest" else ""
    results: list[tuple[str, int, int]] = []
    with tempfile.TemporaryDirectory(prefix="mojito-compiled-") as compiled:
        environment = clean(os.environ, compiled)
        if arguments.only != "hurl":
            if not arguments.rest:
                bring_chromium()
                bring_nginx()
            results.append(_pytest(arguments.rest, environment))
        if arguments.only != "pytest":
            results += _hurl(hurl, environment)
    sys.stdout.write("\n")
    for name, passed, failed in results:
        sys.stdout.write(f"{name}: {passed} passed, {failed} failed\n")
    ran = sum(passed for _, passed, _ in results)
    failures = sum(failed for _, _, failed in results)
    sys.stdout.write(f"all: {ran} passed, {failures} failed\n")
    return 0 if ran and not failures else 1


def _pytest(rest: list[str], environment: dict[str, str]) -> tuple[str, int, int]:
    counted = [_counted(options, environment) for options in pytest_runs(rest, os.cpu_count() or 1)]
    passed, failed, excused = map(sum, zip(*counted, strict=True))
    if excused:
        sys.stdout.write(f"pytest: {excused} left out: {EXCUSED}\n")
    return "pytest", passed, failed


def pytest_runs(rest: list[str], processors: int) -> list[list[str]]:
    """Whoever names options gets one run with them, all else every test: side by side, then those alone.

    >>> pytest_runs(["-k", "ledger"], 2)
    [['-k', 'ledger']]
    """
    if rest:
        return [rest]
    together = ["-n", str(min(processors, MOST_AT_ONCE)), "--dist=loadfile"]
    return [[*together, "--no-loadscope-reorder", "-m", "not alone"], ["-m", "alone"]]


def _counted(options: list[str], environment: dict[str, str]) -> tuple[int, int, int]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *options]
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        return tally(report.read_text() if report.exists() else "", code)


def clean(environment: Mapping[str, str], compiled: str) -> dict[str, str]:
    """Our own settings must not leak into what is tested.

    Hundreds of processes are started, and each would compile every module again where bytecode is not to
    be written: then it is written to the folder `compiled` and nowhere else.
    """
    cleaned = {name: value for name, value in environment.items() if not name.startswith(PREFIX)}
    if cleaned.pop("PYTHONDONTWRITEBYTECODE", ""):
        cleaned["PYTHONPYCACHEPREFIX"] = compiled
    return cleaned


def tally(report: str, code: int) -> tuple[int, int, int]:
    """Passed, failed and excused: any other test that was left out counts as failed."""
    excused = report.count(f'message="{EXCUSED}')
    left_out = _count(report, "skipped") - excused
    failed = left_out + _count(report, "failures") + _count(report, "errors")
    failed = max(failed, 1 if code else 0)  # a run that ended badly never counts as good
    tests = _count(report, "tests")
    return tests - excused - failed if tests else 0, failed, excused


def _count(report: str, name: str) -> int:
    _, _, rest = report.partition(f' {name}="')
    number = rest.partition('"')[0]
    return int(number) if number.isdigit() else 0


def _hurl(hurl: str, environment: dict[str, str]) -> list[tuple[str, int, int]]:
    files = sorted(SUITES.glob("*.hurl"))
    if not files:
        raise ConfigurationError(f"no Hurl suites in {SUITES}")
    with _installation(environment) as variables:
        return [_suite(hurl, file, variables) for file in files]


def _suite(hurl: str, file: Path, variables: dict[str, str]) -> tuple[str, int, int]:
    given = [
        part for name, value in variables.items() for part in ("--variable", f"{name}={value}")
    ]
    command = [hurl, "--test", "--file-root", str(ROOT / "examples"), *given, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
    requests = file.read_text().count("\nHTTP ")
    sys.stdout.write(
        f"{file.name}: {requests} requests {'failed' if done.returncode else 'passed'}\n"
    )
    return f"hurl {file.name}", 0 if done.returncode else 1, 1 if done.returncode else 0


@contextlib.contextmanager
def _installation(cleaned: dict[str, str]) -> Generator[dict[str, str]]:
    """A fresh `mojito up` on free ports, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="mojito-hurl-") as folder:
        Path(folder).chmod(0o755)  # as root PostgreSQL runs as somebody else
        port, sandbox_port = free_ports(2)
        data = Path(folder) / "data"
        environment = {
            **cleaned,
            "MOJITO_DATA_DIR": str(data),
            "MOJITO_PORT": str(port),
            "MOJITO_SANDBOX_PORT": str(sandbox_port),
            "MOJITO_LOG_LEVEL": "warning",
        }
        with (Path(folder) / "up.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "mojito", "up"], env=environment, stdout=log, stderr=log
            )
        try:
            _wait_until_ready(process, port, Path(folder) / "up.log")
            slow_key = _slow_key(environment)
            yield {**_variables(data, port, sandbox_port), "slow_key": slow_key}
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _slow_key(environment: dict[str, str]) -> str:
    """A key that may ask twice and then waits for long."""
    program = [sys.executable, "-m", "mojito"]
    told = subprocess.check_output([*program, "env"], env=environment, text=True)
    command = [*program, "keys", "create", "--team", "slow", "--rate", "0.001/2"]
    script = f'eval "$0"; exec {shlex.join(command)}'
    return subprocess.check_output(["sh", "-c", script, told], env=environment, text=True).strip()


def _variables(data: Path, port: int, sandbox_port: int) -> dict[str, str]:
    """What the suites name in double braces."""
    accounts: dict[str, Any] = json.loads((data / "dev-accounts.json").read_text())
    meta, assets = accounts["META"], accounts["assets"]
    return {
        "base": f"http://127.0.0.1:{port}",
        "sandbox": f"http://127.0.0.1:{sandbox_port}",
        "key": (data / "dev-key").read_text().strip(),
        "account": meta["ad_account_id"],
        "platform_account": meta["platform_account_id"],
        "page": meta["page_id"],
        "token": meta["access_token"],
        "image": assets["image"],
        "video": assets["video"],
    }


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if _is_ready(port):
            return
        time.sleep(0.1)
    raise ConfigurationError(f"`mojito up` did not become ready:\n{log.read_text()[-4000:]}")


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def free_ports(number: int) -> list[int]:
    """So many different ones that nobody has just now, below those that systems give to whoever connects."""
    found: set[int] = set()
    while len(found) < number:
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            found.add(port)
    return [*found]
