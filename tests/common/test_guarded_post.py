"""What the guarded client posts, and what it refuses beforehand and again when it is due."""

import pytest

from common.guarded_http import DownloadFailed, GuardedClient
from tests.common.loopback import loopback, with_body

LOOPBACK = ("127.0.0.0/8",)


def guarded() -> GuardedClient:
    return GuardedClient(allowed_private_targets=LOOPBACK)


async def post(client: GuardedClient, url: str, **changes):
    options = {"content": b"{}", "headers": {}, "longest_answer": 10, "total_seconds": 30.0}
    return await client.post(url, **{**options, **changes})


async def test_an_answer_is_told_whatever_its_status_and_only_its_beginning_is_read():
    async with (
        loopback(with_body(b"x" * 3_000_000, "Retry-After: 7", status="503 No")) as server,
        guarded() as client,
    ):
        answer = await post(client, f"http://127.0.0.1:{server.port}/hook")

    assert answer == (503, "7", b"x" * 10)
    assert server.requests[0].startswith("POST /hook HTTP/1.1\r\n")
    assert "Content-Length: 2\r\n" in server.requests[0]


async def test_a_redirect_is_an_answer_and_is_not_followed():
    async with (
        loopback(with_body(b"", "Location: /other", status="302 Found")) as server,
        guarded() as client,
    ):
        answer = await post(client, f"http://127.0.0.1:{server.port}/hook")

    assert answer.status == 302
    assert len(server.requests) == 1


async def test_a_name_that_turned_private_is_refused_when_it_is_called():
    answers = [["93.184.216.34"], ["10.0.0.1"]]

    async def names(host: str, port: int) -> list[str]:
        return answers.pop(0)

    async with GuardedClient(resolve=names) as client:
        await client.check("https://hooks.example/")
        with pytest.raises(DownloadFailed) as caught:
            await post(client, "https://hooks.example/")

    assert caught.value.code == "address_not_public"


async def test_silence_ends_in_time():
    async with loopback(b"", hold=True) as server, guarded() as client:
        with pytest.raises(DownloadFailed) as caught:
            await post(client, f"http://127.0.0.1:{server.port}/", total_seconds=0.05)

    assert caught.value.code == "timed_out"


async def test_a_status_whose_body_never_comes_is_an_answer():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
    async with loopback(head) as server, GuardedClient(allowed_private_targets=LOOPBACK) as client:
        answer = await post(client, f"http://127.0.0.1:{server.port}/")

    assert answer == (200, None, b"")
