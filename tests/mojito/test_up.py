"""`mojito up`, started as a stranger would: what it prints and writes, what survives which death."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.clear import CLEAR
from tests.free_ports import free_port

ROOT = Path(__file__).parents[2]
MOJITO = [sys.executable, "-m", "mojito"]
PATIENCE_SECONDS = 180
ELSEWHERE = "a folder of the test's own"


def until(ask, seconds=PATIENCE_SECONDS):
    """Asks until the answer is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError, OSError, ValueError, KeyError):
            if answer := ask():
                return answer
        threading.Event().wait(0.03)
    raise AssertionError("it did not come true in time")


METRICS_TOKEN = "a token of the metrics, said to the API"


@contextlib.contextmanager
def started_up(name):
    """An installation that runs and then ends well, in a folder that is gone with it."""
    folder = Path(tempfile.mkdtemp(prefix=f"mojito-{name}-"))
    folder.chmod(0o755)  # as root PostgreSQL runs as somebody else
    up = Up(folder)
    try:
        up.start()
        yield up
    finally:
        code, said = up.stop(), up.said()
        shutil.rmtree(folder)
        assert code == 0, said


class Up:
    """One installation in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self.port, self.sandbox_port = free_port(), free_port()
        self.log = folder / "up.log"
        self.process = None

    @property
    def environment(self):
        own = {
            "MOJITO_DATA_DIR": str(self.data),
            "MOJITO_PORT": str(self.port),
            "MOJITO_SANDBOX_PORT": str(self.sandbox_port),
            "MOJITO_LOG_LEVEL": "warning",
            "MOJITO_METRICS_TOKEN": METRICS_TOKEN,
            "PYTHONPATH": f"{ROOT / 'cmd'}:{ROOT}",
        }
        return {k: v for k, v in os.environ.items() if not k.startswith("MOJITO_")} | own

    def start(self):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["nohup", *MOJITO, "up"],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(lambda: self.process.poll() is not None or "Ctrl-C stops" in self.said())
        assert self.process.poll() is None, self.said()

    def said(self):
        return self.log.read_text()

    def run(self, *arguments, **environment):
        return subprocess.run(
            [*MOJITO, *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
            cwd=ROOT,
        )

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_SECONDS)

    @property
    def processes(self):
        return json.loads((self.data / "processes.json").read_text())

    @property
    def key(self):
        return (self.data / "dev-key").read_text().strip()

    @property
    def accounts(self):
        return json.loads((self.data / "dev-accounts.json").read_text())

    def get(self, path):
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.get(
            f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=30, verify=CLEAR
        )

    def is_ready(self):
        """Whether the API and the sandbox answer: each may have been started again a moment ago."""
        return self.get("/readyz").status_code == 200 and self.objects("campaign") is not None

    def objects(self, kind):
        url = f"http://127.0.0.1:{self.sandbox_port}/_sandbox/objects"
        return httpx.get(url, params={"kind": kind}, timeout=30, verify=CLEAR).json()["data"]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_of(processes):
    return [processes["api"], processes["sandbox"], processes["postgres"], *processes["workers"]]


@pytest.fixture(scope="module")
def up():
    # not below pytest's own folder: each pytest closes that to others, such as PostgreSQL's account
    folder = Path(tempfile.mkdtemp(prefix="mojito-up-"))
    folder.chmod(0o755)
    up = Up(folder)
    try:
        up.start()
        yield up
    finally:
        up.stop()
        shutil.rmtree(folder)


def test_it_says_where_everything_is_and_writes_it_down_for_its_owner_alone(up):
    said = up.said()

    assert f"http://127.0.0.1:{up.port}/api/v1" in said
    assert up.key in said
    meta = up.accounts["META"]
    assert set(meta) == {"ad_account_id", "platform_account_id", "access_token", "page_id"}
    assert (meta["platform_account_id"], meta["page_id"]) == ("act_1000000001", "1000000002")
    assert set(up.accounts["assets"]) == {"image", "video"}
    assert set(up.processes) == {"api", "sandbox", "workers", "postgres"}
    assert all(is_alive(pid) for pid in all_of(up.processes))
    own = ("dev-key", "dev-accounts.json", "encryption-keys", "environment.json")
    for name in (*own, "sandbox.sqlite3", "sandbox.sqlite3-wal"):
        assert stat.S_IMODE((up.data / name).stat().st_mode) == 0o600
    assert up.is_ready()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems show no environment")
def test_a_secret_is_handed_to_the_processes_that_need_it_alone(up):
    def knows(pid, secret):
        return secret.encode() in Path(f"/proc/{pid}/environ").read_bytes()

    of_database = json.loads((up.data / "environment.json").read_text())["MOJITO_DATABASE_URL"]
    told = {
        name: (knows(pid, METRICS_TOKEN), knows(pid, of_database))
        for name, pid in {**up.processes, "workers": up.processes["workers"][0]}.items()
    }

    assert told == {
        "api": (True, True),
        "workers": (False, True),
        "sandbox": (False, False),
        "postgres": (False, False),
    }


def test_the_printed_curl_line_works_when_pasted(up):
    printed = re.search(r"  (curl -sS .*?}')$", up.said(), re.DOTALL | re.MULTILINE)
    assert printed

    answer = subprocess.run(["sh", "-c", printed[1]], capture_output=True, text=True, check=True)

    job = json.loads(answer.stdout)
    assert job["status"] == "PENDING"
    path = f"/api/v1/campaign_jobs/{job['campaign_job_id']}"
    done = until(lambda: (j := up.get(path).json())["status"] == "SUCCESS" and j)
    assert done["platform_ids"]["campaign"] in {o["id"] for o in up.objects("campaign")}


@pytest.mark.parametrize("example", ["meta_link_ad", "meta_existing_post"])
def test_an_example_is_watched_to_its_end(up, example):
    done = up.run("submit", f"examples/{example}.json", "--watch")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["workers", "api", "sandbox", "postgres"])
def test_what_dies_is_started_again_and_said(up, name):
    before = up.processes
    pid = before["workers"][0] if name == "workers" else before[name]

    os.kill(pid, signal.SIGKILL)

    def is_replaced():
        now = up.processes
        new = now["workers"][0] if name == "workers" else now[name]
        return new != pid and is_alive(new) and up.is_ready()

    until(is_replaced)
    named = {"workers": "worker 1", "api": "API", "postgres": "PostgreSQL"}.get(name, name)
    assert re.search(rf"^{named} .*started again", up.said(), re.MULTILINE)


def test_started_by_nohup_it_goes_on_when_its_terminal_is_gone(up):
    (pid,) = up.processes["workers"]

    up.process.send_signal(signal.SIGHUP)
    os.kill(pid, signal.SIGKILL)

    until(lambda: up.processes["workers"] != [pid] and up.is_ready())


def test_a_job_survives_the_death_of_its_worker_in_the_middle_of_a_video(up):
    campaigns, videos = len(up.objects("campaign")), len(up.objects("video"))
    submitted = up.run("submit", "examples/meta_video_ad.json", "--json")
    job_id = json.loads(submitted.stdout)["campaign_job_id"]
    path = f"/api/v1/campaign_jobs/{job_id}"
    until(lambda: up.get(path).json()["progress"]["done"] >= 1)

    os.kill(up.processes["workers"][0], signal.SIGKILL)
    clock = f"http://127.0.0.1:{up.sandbox_port}/_sandbox/clock"
    httpx.post(clock, json={"advance_seconds": 20}, timeout=30).raise_for_status()

    job = until(lambda: (j := up.get(path).json())["finished_at"] and j)
    assert job["status"] == "SUCCESS", job
    assert len(up.objects("campaign")) == campaigns + 1
    assert len(up.objects("video")) == videos + 1


def test_a_second_terminal_joins_with_its_settings(up):
    exported = up.run("env").stdout
    settings = json.loads(up.run("env", "--json").stdout)
    made = up.run("keys", "create", "--team", "other", "--json", **settings)
    key = json.loads(made.stdout)
    listed = json.loads(up.run("keys", "list", "--json", **settings).stdout)
    revoked = up.run("keys", "revoke", key["id"], **settings)

    assert f"export MOJITO_PORT={up.port}" in exported
    assert key["key"].startswith("mj_test_")
    assert key["id"] in {one["id"] for one in listed}
    assert key["key"] not in json.dumps(listed)
    assert revoked.returncode == 0
    assert up.run("migrate", **settings).stdout == "nothing to do\n"


def test_a_worker_of_a_second_terminal_joins(up):
    settings = json.loads(up.run("env", "--json").stdout)
    worker_id = str(uuid4())
    worker = subprocess.Popen(
        [*MOJITO, "work"],
        env={**up.environment, **settings, "MOJITO_WORKER_ID": worker_id},
        stdout=subprocess.DEVNULL,
    )

    async def is_known():
        connection = await asyncpg.connect(settings["MOJITO_DATABASE_URL"])
        try:
            return await connection.fetchval(
                "select count(*) from workers where id = $1", worker_id
            )
        finally:
            await connection.close()

    try:
        until(lambda: asyncio.run(is_known()))
    finally:
        worker.terminate()
        code = worker.wait(timeout=PATIENCE_SECONDS)
    assert code == 0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"MOJITO_DATA_DIR": ELSEWHERE}, "MOJITO_PORT"),
        (
            {
                "MOJITO_DATA_DIR": ELSEWHERE,
                "MOJITO_PORT": "8111",
                "MOJITO_SANDBOX_PORT": "8111",
            },
            "MOJITO_PORT and MOJITO_SANDBOX_PORT are both 8111",
        ),
        ({}, "another `mojito up`"),
        ({"MOJITO_PROT": "1"}, "MOJITO_PROT"),
    ],
    ids=["port_taken", "one_port_for_two", "folder_taken", "unknown_setting"],
)
def test_what_cannot_start_says_why_in_one_line(up, changes, named, tmp_path):
    done = up.run(
        "up", **{name: v.replace(ELSEWHERE, str(tmp_path)) for name, v in changes.items()}
    )

    assert done.returncode == 1
    assert named in done.stderr
    assert done.stderr.count("\n") == 1
    assert up.is_ready()


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_so_many_workers_cannot_be(up, number, tmp_path):
    done = up.run("up", f"--workers={number}", MOJITO_DATA_DIR=str(tmp_path))

    assert done.returncode == 2
    assert "--workers" in done.stderr


def test_the_doctor_finds_the_installation_by_itself(up):
    def severities():
        done = up.run("doctor", "--json")
        return {one["check"]: one["severity"] for one in json.loads(done.stdout)["findings"]}

    found = severities()
    assert found["database"] == found["migrations"] == found["encryption_keys"] == "ok"
    # those that other tests have killed count as dead after their silence
    until(lambda: severities()["workers"] == "warning")


@pytest.mark.parametrize("command", ["serve", "work"])
def test_nothing_starts_without_the_key_that_stored_credentials_need(up, command, tmp_path):
    settings = json.loads(up.run("env", "--json").stdout)
    other = tmp_path / "keys"
    other.write_text("other:" + "A" * 43 + "=\n")

    done = up.run(
        command,
        **{**settings, "MOJITO_ENCRYPTION_KEYS_FILE": str(other), "MOJITO_PORT": str(free_port())},
    )

    assert done.returncode == 1
    assert (up.data / "encryption-keys").read_text().partition(":")[0] in done.stderr
    assert "MOJITO_ENCRYPTION_KEYS_FILE" in done.stderr


def test_killed_it_takes_everything_along_and_the_next_start_keeps_the_data(up):
    before, campaigns = up.processes, {o["id"] for o in up.objects("campaign")}

    up.process.kill()
    up.process.wait()
    until(lambda: not any(is_alive(pid) for pid in all_of(before)))
    up.start()

    assert {o["id"] for o in up.objects("campaign")} == campaigns
    assert up.get("/api/v1/campaign_jobs").json()["data"]
    assert up.is_ready()


def test_interrupted_it_leaves_nothing_behind(up):
    before = up.processes

    code = up.stop()

    assert code == 0
    assert not any(is_alive(pid) for pid in all_of(before))
    assert not (up.data / "processes.json").exists()
