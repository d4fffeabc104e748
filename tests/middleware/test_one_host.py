"""A request of HTTP/1.1 names one host (RFC 9112, 3.2); what is sent here no client sends."""

import asyncio
import json
import socket

import pytest
import uvicorn

from mojito.one_protocol import OneProtocol
from mojito.serve import Server
from tests.routes.conftest import Api


async def answer_to(api: Api, line: bytes, *hosts: bytes) -> tuple[bytes, bytes]:
    """Head and body, from the wire."""
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(api.app, http=OneProtocol, ws="none", lifespan="off", log_config=None)
    server = Server(config)
    task = asyncio.create_task(server.serve([listening]))
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    lines = [line, *(b"Host: " + host for host in hosts), b"Connection: close", b"", b""]
    async with asyncio.timeout(20):
        writer.write(b"\r\n".join(lines))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    server.should_exit = True
    await task
    return head, body


@pytest.mark.parametrize(
    "hosts",
    [
        [],
        [b"api", b"other"],
        [b"api", b"api"],
        [b"api, other"],
        [b"api/livez"],
        [b"me@api"],
        [b"api:80:80"],
        [b"[::1"],
        [b"\xe4pi"],
    ],
)
async def test_no_host_or_several_or_what_is_none_is_refused(api: Api, hosts: list[bytes]):
    head, body = await answer_to(api, b"GET /livez HTTP/1.1", *hosts)

    told = json.loads(body)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"content-type: application/problem+json" in head
    assert b"x-request-id: " + told["instance"].encode() in head
    assert told["code"] == "host_unclear"


@pytest.mark.parametrize(
    "host",
    [b"api", b"", b"ads_1.example.com:8443", b"127.0.0.1:80", b"[::1]:8080", b"%C3%A4.example"],
)
async def test_whichever_host_it_is_is_answered(api: Api, host: bytes):
    head, _ = await answer_to(api, b"GET /livez HTTP/1.1", host)

    assert head.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("hosts", "status"), [([], 200), ([b"api"], 200), ([b"a", b"b"], 400)])
async def test_http_1_0_need_not_name_it(api: Api, hosts: list[bytes], status: int):
    head, _ = await answer_to(api, b"GET /livez HTTP/1.0", *hosts)

    assert head.startswith(b"HTTP/1.1 %d " % status)
