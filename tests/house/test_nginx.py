"""nginx stands before the API with the configuration of the operators' guide; it compresses what it may."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from mojito.nginx import find_nginx
from tests.chaos.programs import api
from tests.common.loopback import certificates
from tests.free_ports import free_port
from tests.house.conftest import ROOT, until

GUIDE = ROOT / "docs" / "operations" / "nginx.conf"
NAME = "mojito.example.com"
WRONG_KEY = "mj_test_" + "A" * 38
MAIN = """
{user}
daemon off;
pid nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path bodies;
    proxy_temp_path proxied;
    fastcgi_temp_path unused_fastcgi;
    uwsgi_temp_path unused_uwsgi;
    scgi_temp_path unused_scgi;
    gzip on;
    gzip_proxied any;
    gzip_min_length 1;
    gzip_types application/json application/problem+json text/event-stream;
    {guide}
}}
"""


def configured(folder: Path, behind: str, port: int) -> Path:
    """The guide's file with our names and addresses filled in."""
    text = GUIDE.read_text().replace("127.0.0.1:8000", behind)
    text = re.sub(r"/etc/nginx/mojito\.(crt|key)", str(folder / "server.pem"), text)
    text = text.replace("listen 443 ", f"listen 127.0.0.1:{port} ")
    user = "user root root;" if os.geteuid() == 0 else ""  # else nobody, who writes nowhere
    main = folder / "main.conf"
    main.write_text(MAIN.format(guide=text, user=user))
    return main


def started(main: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([find_nginx(), "-p", main.parent, "-c", main, "-e", "stderr"])


@pytest.fixture
async def proxied(house, tmp_path):
    """A caller before nginx before the API."""
    _, trusting = certificates(tmp_path, NAME)
    trusting.check_hostname = False  # it is asked by its address
    port = free_port()
    async with api(house) as behind:
        main = configured(tmp_path, behind.base_url.netloc.decode(), port)
        process = started(main)
        try:
            async with httpx.AsyncClient(
                base_url=f"https://127.0.0.1:{port}/api/v1",
                headers={"Authorization": behind.headers["Authorization"], "Host": NAME},
                trust_env=False,
                verify=trusting,
                timeout=60,
            ) as caller:
                await until(lambda: answers(caller, process))
                yield caller
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)


async def answers(caller, process) -> bool:
    assert process.poll() is None, "see above"
    try:
        return (await caller.get("/me")).status_code == 200
    except httpx.TransportError:
        return False


async def test_a_version_that_was_read_through_nginx_can_be_patched(house, proxied):
    url = f"/ad_accounts/{house.account_id}"
    read = await proxied.get(url, headers={"Accept-Encoding": "gzip"})

    known = await proxied.get(url, headers={"If-None-Match": read.headers["etag"]})
    patched = await proxied.patch(
        url, json={"name": "New"}, headers={"If-Match": read.headers["etag"]}
    )

    assert (known.status_code, patched.status_code) == (304, 200), patched.text


async def test_events_come_through_nginx_while_the_stream_goes_on(house, proxied):
    job_id = await house.submit(house.request())
    headers = {"Accept": "text/event-stream", "Accept-Encoding": "gzip"}

    async with (
        asyncio.timeout(60),
        proxied.stream("GET", f"/campaign_jobs/{job_id}/events", headers=headers) as stream,
    ):
        lines = stream.aiter_lines()
        first = [await anext(lines) for _ in range(3)]  # nothing works yet: the stream has no end
        async with house.working():
            rest = [line async for line in lines]

    assert re.fullmatch(r"retry: \d+", first[0])
    assert any(line.startswith("event: ") for line in rest)


async def test_who_is_refused_while_he_sends_hears_why_through_nginx(proxied):
    buffered, passed_on = ("/ads/meta", 1_500_000), ("/assets", 8_000_000)
    headers = {"Authorization": f"Bearer {WRONG_KEY}", "Content-Type": "application/json"}

    refused = [
        await proxied.post(path, content=b"x" * size, headers=headers)
        for path, size in (buffered, passed_on) * 5
    ]
    after = await proxied.get("/me")

    assert {(one.status_code, one.json()["code"]) for one in refused} == {(401, "unauthorized")}
    assert after.status_code == 200


@pytest.mark.parametrize(
    "path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/metrics//?a"]
)
async def test_nobody_outside_is_shown_the_metrics(proxied, path):
    answer = await proxied.get(f"https://127.0.0.1:{proxied.base_url.port}{path}")

    assert answer.status_code == 404
