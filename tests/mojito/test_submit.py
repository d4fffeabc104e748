"""Submitting a request file to a real API on loopback, and what is shown of its job."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
import structlog.testing
import uvicorn
from litestar import Litestar

from common.keyring import new_key_line
from config.settings import Settings
from models.api_keys import create_key
from models.database import open_pool
from mojito.api_wiring import open_app
from mojito.installation import write_json, write_secret
from mojito.main import main

EXAMPLES = Path(__file__).parents[2] / "examples"


class Running:
    """An installation's API without a worker; the test does what a worker would."""

    def __init__(self, settings: Settings, key: str, connection: Any) -> None:
        self.settings = settings
        self.key = key
        self.connection = connection

    async def submit(self, *arguments: str | Path) -> int:
        """The exit code."""
        return await asyncio.to_thread(main, ["submit", *map(str, arguments)])

    async def job(self) -> asyncpg.Record:
        """The one job, as soon as it is there."""
        async with asyncio.timeout(60):
            while True:
                row = await self.connection.fetchrow(
                    "select * from campaign_jobs join campaign_requests on campaign_job_id = id"
                )
                if row is not None:
                    return row

    async def count(self, table: str) -> int:
        return await self.connection.fetchval(f"select count(*) from {table}")  # noqa: S608 - ours

    async def end(self, status: str, error: dict[str, Any] | None = None) -> None:
        """Takes the one job, does its first step and ends it."""
        job = await self.job()
        await self.connection.execute(
            """insert into job_steps (campaign_job_id, name, position, kind, status, platform_id,
                   claim_token, started_at)
               values ($1, 'media[hero]', 0, 'media', 'DONE', 'abc123', $2, now())""",
            job["id"],
            uuid4(),
        )
        await self.connection.execute("update campaign_jobs set status = 'PROCESSING'")
        await self.connection.execute(
            "update campaign_jobs set status = $1::job_status, finished_at = now(), error = $2",
            status,
            None if error is None else json.dumps(error),
        )


@pytest.fixture
async def running(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Running]:
    folder = tmp_path / "data"
    folder.mkdir()
    write_secret(folder / "encryption-keys", new_key_line("k1"))
    settings = Settings(data_dir=folder, database_url=database)
    # the API's log would stand between the lines that the command prints
    with structlog.testing.capture_logs():
        async with open_app(settings) as app, serving(app, folder) as port:
            monkeypatch.setenv("MOJITO_DATA_DIR", str(folder))
            connection = await asyncpg.connect(database)
            yield Running(settings, await provide(database, folder, port), connection)
            await connection.close()


@contextlib.asynccontextmanager
async def serving(app: Litestar, folder: Path) -> AsyncGenerator[int]:
    """The port, which the data folder names too."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    write_json(folder / "environment.json", {"MOJITO_PORT": str(port)})
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))
    task = asyncio.create_task(server.serve([listening]))
    yield port
    server.should_exit = True
    await task


async def provide(database: str, folder: Path, port: int) -> str:
    """A key in the data folder and the account that the examples name."""
    pool = await open_pool(database, size=1, name="test")
    made = await create_key(pool, team="Team", name="test")
    await pool.close()
    write_secret(folder / "dev-key", made.key + "\n")
    account = {
        "name": "Sandbox",
        "platform_type": "META",
        "platform_account_id": "act_1000000001",
        "mode": "sandbox",
        "credentials": {"access_token": "EAAB0000secret"},
    }
    headers = {"Authorization": f"Bearer {made.key}"}
    async with httpx.AsyncClient(trust_env=False, headers=headers, timeout=60) as client:
        answer = await client.post(f"http://127.0.0.1:{port}/api/v1/ad_accounts", json=account)
    assert answer.status_code == 201, answer.text
    return made.key


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.glob("*.json")))
async def test_every_example_is_accepted(
    running: Running, capsys: pytest.CaptureFixture[str], example: str
):
    code = await running.submit(EXAMPLES / example)

    assert code == 0, capsys.readouterr().err
    job, name = (
        await running.job(),
        json.loads((EXAMPLES / example).read_text())["campaign"]["name"],
    )
    assert capsys.readouterr().out == f"accepted: campaign job {job['id']} ({name}), PENDING\n"


async def test_files_are_uploaded_before_the_request_names_them(running: Running):
    await running.submit(EXAMPLES / "meta_video_ad.json")

    media = json.loads((await running.job())["payload"])["media"]
    names = await running.connection.fetch("select id, file_name from media_assets")
    assert {str(row["id"]): row["file_name"] for row in names} == {
        media["clip"]["asset_id"]: "clip.mp4",
        media["hero"]["asset_id"]: "hero.png",
    }


async def test_the_same_request_with_the_same_key_is_one_job_with_one_upload(running: Running):
    arguments = (EXAMPLES / "meta_link_ad.json", "--idempotency-key", "spring")

    codes = [await running.submit(*arguments) for _ in range(2)]

    assert codes == [0, 0]
    assert await running.count("campaign_jobs") == 1
    assert await running.count("media_assets") == 1


async def test_bytes_that_are_gone_are_uploaded_again(running: Running):
    await running.submit(EXAMPLES / "meta_link_ad.json")
    for path in running.settings.assets_dir.rglob("*"):
        if path.is_file():
            path.unlink()

    await running.submit(EXAMPLES / "meta_link_ad.json")

    assert await running.count("media_assets") == 2


async def test_without_a_key_of_ones_own_each_run_makes_a_job(running: Running):
    for _ in range(2):
        await running.submit(EXAMPLES / "meta_link_ad.json")

    assert await running.count("campaign_jobs") == 2


async def test_validating_shows_the_steps_and_makes_no_job(
    running: Running, capsys: pytest.CaptureFixture[str]
):
    code = await running.submit(EXAMPLES / "meta_link_ad.json", "--validate-only")

    assert code == 0
    assert capsys.readouterr().out.splitlines() == [
        "acceptable; Spring sale would take 5 steps:",
        "  media[hero]",
        "  campaign",
        "  ad_set[0]",
        "  creative[0][0]",
        "  ad[0][0]",
    ]
    assert await running.count("campaign_jobs") == 0


async def test_watching_shows_what_happens_and_ends_with_success(
    running: Running, capsys: pytest.CaptureFixture[str]
):
    watching = asyncio.create_task(running.submit(EXAMPLES / "meta_link_ad.json", "--watch"))
    await running.end("SUCCESS")

    code = await watching

    lines = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    job = await running.job()
    assert code == 0
    assert lines[0] == f"campaign job {job['id']}: Spring sale (5 steps)"
    assert "media[hero] DONE abc123" in lines
    assert lines[-1] == "job SUCCESS 1/5"


@pytest.mark.parametrize(
    ("status", "code"), [("FAILED", 1), ("PARTIAL_SUCCESS", 3), ("CANCELLED", 4)]
)
async def test_the_exit_code_says_how_the_job_ended(running: Running, status: str, code: int):
    watching = asyncio.create_task(running.submit(EXAMPLES / "meta_link_ad.json", "--watch"))
    await running.end(status)

    assert await watching == code


async def test_a_failure_is_told_with_its_place_and_its_remedy(
    running: Running, capsys: pytest.CaptureFixture[str]
):
    watching = asyncio.create_task(running.submit(EXAMPLES / "meta_link_ad.json", "--watch"))
    await running.end(
        "FAILED",
        {
            "step": "ad_set[0]",
            "code": "budget_too_low",
            "message": "the budget is too low",
            "remedy": "Raise it.",
            "pointer": "/ad_sets/0/daily_budget",
            "upstream": {
                "platform": "META",
                "code": 100,
                "subcode": 1885272,
                "user_message": "Too low\x1b[2J",
                "trace_id": "A1",
            },
        },
    )

    await watching

    lines = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert lines[-4:] == [
        "budget_too_low in ad_set[0]: the budget is too low",
        "  where: /ad_sets/0/daily_budget in the request",
        "  remedy: Raise it.",
        "  META 100/1885272: Too low\\x1b[2J (trace A1)",
    ]


async def test_programs_get_the_job_alone(running: Running, capsys: pytest.CaptureFixture[str]):
    watching = asyncio.create_task(
        running.submit(EXAMPLES / "meta_link_ad.json", "--watch", "--json")
    )
    await running.end("SUCCESS")

    await watching

    job = json.loads(capsys.readouterr().out)
    assert (job["status"], job["steps"][0]["platform_id"]) == ("SUCCESS", "abc123")


async def test_a_refused_request_names_every_field_and_ends_with_two(
    running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    request = json.loads((EXAMPLES / "meta_link_ad.json").read_text())
    request |= {"activate": "yes", "priority": "soon", "media": {}}
    path = tmp_path / "request.json"
    path.write_text(json.dumps(request))

    code = await running.submit(path)

    shown = capsys.readouterr().err
    assert code == 2
    assert "422 invalid_request" in shown
    assert "  /activate  " in shown
    assert "  /priority  " in shown


async def test_a_file_that_is_no_media_is_refused(
    running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "hero.png").write_text("no image")
    (tmp_path / "request.json").write_text(json.dumps({"media": {"hero": {"file": "hero.png"}}}))

    code = await running.submit(tmp_path / "request.json")

    assert code == 2
    assert "415 not_media" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot read"),
        ("{", "is not JSON"),
        (b'{"name": "\xff"}', "is not JSON: it is not UTF-8 (byte 10)"),
        ("[]", "is not a JSON object"),
        ('{"budget": [1, %s]}' % ("9" * 4301), "a number of more digits than can be kept"),
        ('{"budget": 1e400}', "a number of more digits than can be kept"),
        ('{"activate": false, "activate": true}', "names /activate more than once"),
        ('{"media": {"hero": {"file": "missing.png"}}}', "missing.png: No such file"),
    ],
)
async def test_a_request_that_cannot_be_read_is_wrong_usage(
    running: Running,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str | bytes | None,
    complaint: str,
):
    path = tmp_path / "request.json"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    code = await running.submit(path)

    assert code == 2
    assert complaint in capsys.readouterr().err


async def test_a_wrong_key_is_refused_and_never_shown(
    running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "key"
    path.write_text(running.key[:-1] + "!")

    code = await running.submit(EXAMPLES / "meta_link_ad.json", "--key-file", path)

    shown = capsys.readouterr()
    assert code == 2
    assert "401 unauthorized" in shown.err
    assert running.key[:-1] not in shown.err + shown.out


def test_without_an_installation_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MOJITO_DATA_DIR", str(tmp_path))

    code = main(["submit", str(EXAMPLES / "meta_link_ad.json")])

    assert code == 1
    assert "./mojito up" in capsys.readouterr().err


def test_an_api_that_does_not_listen_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("MOJITO_DATA_DIR", str(tmp_path))
    (tmp_path / "dev-key").write_text("mj_test_x")

    code = main(
        ["submit", str(EXAMPLES / "meta_existing_post.json"), "--url", "http://127.0.0.1:1"]
    )

    assert code == 1
    assert "nobody answers at http://127.0.0.1:1" in capsys.readouterr().err
