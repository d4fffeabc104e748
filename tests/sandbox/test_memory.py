"""What the sandbox remembers: over restarts, over the end of its process, and after a reset."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clear import CLEAR
from tests.sandbox.running import (
    CAMPAIGN,
    CLIP,
    CREATIVE,
    PATIENCE_SECONDS,
    READY_MADE,
    Running,
    as_text,
    picture,
)

ROOT = Path(__file__).parents[2]


class Process:
    """The program as it is started by hand."""

    def __init__(self, database: Path) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "cmd")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", "0", "--database", str(database)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdout is not None
        self.first_line = self._process.stdout.readline().strip()
        self.base = self.first_line.removeprefix("sandbox at ")
        self._client = httpx.Client(
            base_url=self.base, trust_env=False, verify=CLEAR, timeout=PATIENCE_SECONDS
        )
        listed = self._client.get("/_sandbox/accounts").json()["data"]
        self.token = listed[0]["access_token"]

    def end(self, number: int) -> int:
        """By a signal; the exit code."""
        self._client.close()
        self._process.send_signal(number)
        code = self._process.wait(PATIENCE_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def call(self, method: str, path: str, **kwargs: Any) -> Any:
        """JSON of an answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return self._client.request(method, path, headers=headers, **kwargs).json()


def test_a_killed_process_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    form = {name: as_text(value) for name, value in CAMPAIGN.items()}
    first = Process(tmp_path / "state.sqlite3")
    made = first.call("POST", f"/meta/v26.0/{READY_MADE}/campaigns", data=form)
    killed = first.end(signal.SIGKILL)

    second = Process(tmp_path / "state.sqlite3")
    objects = second.call("GET", "/_sandbox/objects")["data"]
    calls = second.call("GET", "/_sandbox/calls")["data"]
    stopped = second.end(signal.SIGTERM)

    assert first.first_line.startswith("sandbox at http://127.0.0.1:")
    assert killed == -signal.SIGKILL
    assert [one["id"] for one in objects] == [made["id"]]
    assert [one["object_id"] for one in calls] == [made["id"]]
    assert second.token == first.token
    assert stopped == 0


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    running = Running()
    path = os.pathsep.join([str(ROOT), str(ROOT / "cmd")])

    result = subprocess.run(
        [sys.executable, "-m", "sandbox", "--port", str(running.port), "--grpc-port", "0"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
    )
    running.stop()

    assert result.returncode == 1
    assert result.stderr == f"sandbox: port {running.port}: Address already in use\n"


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    first = Running(tmp_path / "state")
    account = first.account(token_expires_in_seconds=10_000)
    image = {"filename": ("hero.png", picture(), "image/png")}
    url = first.graph("POST", f"{READY_MADE}/adimages", files=image).json()["images"]
    tree = first.make_tree()
    first.advance(600)
    first.order("http_500", match={"method": "DELETE"})
    before = [first.control("GET", p).json() for p in ("objects", "calls", "faults", "accounts")]
    first.stop()

    second = Running(tmp_path / "state")
    after = [second.control("GET", p).json() for p in ("objects", "calls", "faults", "accounts")]
    offset = second.control("GET", "clock").json()["offset_seconds"]
    read = second.graph("GET", account["id"], token=account["access_token"])
    picture_path = url["hero.png"]["url"].removeprefix(first.base)
    fetched = second.client.get(picture_path)
    equal = second.make("adcreatives", CREATIVE)
    second.stop()

    assert after == before
    assert offset == 600
    assert read.status_code == 200
    assert fetched.content == picture()
    assert equal == tree["creative"]


def test_an_upload_goes_on_after_a_restart(tmp_path: Path) -> None:
    content, videos = CLIP.read_bytes(), f"{READY_MADE}/advideos"
    first = Running(tmp_path / "state")
    started = first.graph(
        "POST", videos, {"upload_phase": "start", "file_size": len(content)}
    ).json()
    session = {"upload_session_id": started["upload_session_id"]}
    part = {"upload_phase": "transfer", **session, "start_offset": 0}
    first.graph("POST", videos, part, files={"video_file_chunk": ("a", content[:5000])})
    first.stop()

    second = Running(tmp_path / "state")
    rest = {"upload_phase": "transfer", **session, "start_offset": 5000}
    second.graph("POST", videos, rest, files={"video_file_chunk": ("a", content[5000:])})
    finished = second.graph("POST", videos, {"upload_phase": "finish", **session})
    kept = second.client.get(f"/meta/files/videos/{started['video_id']}.mp4").content
    second.stop()

    assert finished.json() == {"success": True}
    assert kept == content


def test_a_reset_forgets_all_but_the_ready_made_account(sandbox: Running) -> None:
    token = sandbox.token()
    other = sandbox.account()
    sandbox.make_tree()
    sandbox.order("http_500", match={"method": "DELETE"})
    sandbox.advance(600)

    answer = sandbox.control("POST", "reset")

    assert answer.status_code == 200
    listed = [sandbox.control("GET", p).json()["data"] for p in ("objects", "calls", "faults")]
    assert listed == [[], [], []]
    assert sandbox.control("GET", "clock").json()["offset_seconds"] == 0
    accounts = sandbox.control("GET", "accounts").json()["data"]
    assert [one["id"] for one in accounts] == [READY_MADE]
    assert sandbox.token() == token
    assert sandbox.graph("GET", "me", token=other["access_token"]).status_code == 401


def test_ids_grow_and_are_never_used_again(sandbox: Running) -> None:
    before = sandbox.make("campaigns", CAMPAIGN)
    seq = sandbox.calls()[-1]["seq"]
    sandbox.control("POST", "reset")

    after = sandbox.make("campaigns", CAMPAIGN)

    assert 15 <= len(before) <= 17
    assert int(after) > int(before)
    assert sandbox.calls()[-1]["seq"] > seq


def test_without_a_file_nothing_is_kept() -> None:
    first = Running()
    first.make("campaigns", CAMPAIGN)
    first.stop()

    second = Running()
    objects = second.objects("campaign")
    second.stop()

    assert objects == []


def test_a_failed_call_leaves_nothing_behind(sandbox: Running) -> None:
    tree = sandbox.make_tree()
    inline = {"name": "In the ad", "object_story_spec": CREATIVE["object_story_spec"]}
    body = {"name": "Ad", "adset_id": tree["campaign"], "creative": inline, "status": "PAUSED"}

    answer = sandbox.graph("POST", f"{READY_MADE}/ads", body)

    assert answer.status_code == 400
    assert len(sandbox.objects("creative")) == 1


@pytest.mark.parametrize("kind", ["campaign", "ad_set", "creative", "ad"])
def test_objects_are_told_in_full(sandbox: Running, kind: str) -> None:
    tree = sandbox.make_tree()
    parents = {"ad_set": tree["campaign"], "ad": tree["ad_set"]}

    found = sandbox.objects(kind)[0]

    assert set(found) == set(
        json.loads(
            '["platform","account","kind","id","name","parent_id","status","created_at","fields"]'
        )
    )
    assert (found["platform"], found["account"]) == ("META", READY_MADE)
    assert found["parent_id"] == parents.get(kind, READY_MADE)
    assert found["created_at"].endswith("Z")
