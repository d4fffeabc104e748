"""The guarded client against real servers on loopback: what it fetches and what it refuses."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from common.address_guard import PrivateTargets, is_public
from common.errors import ConfigurationError
from common.guarded_http import Download, DownloadFailed, GuardedClient
from tests.common.loopback import certificates, closed_port, loopback, with_body

LOOPBACK = ("127.0.0.0/8", "::1/128")


class Names:
    """Answers each look-up of a name with the next of its lists, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def read(download: Download) -> bytes:
    return b"".join([chunk async for chunk in download.chunks()])


async def fetch(client: GuardedClient, url: str, *, max_bytes: int = 1000) -> bytes:
    async with client, client.download(url, max_bytes=max_bytes) as download:
        return await read(download)


async def refusal(client: GuardedClient, url: str, *, max_bytes: int = 1000) -> DownloadFailed:
    with pytest.raises(DownloadFailed) as caught:
        await fetch(client, url, max_bytes=max_bytes)
    return caught.value


async def test_an_allowed_private_target_is_fetched_over_http():
    async with loopback(with_body(b"bytes")) as server:
        client = GuardedClient(allowed_private_targets=LOOPBACK)

        got = await fetch(client, f"http://127.0.0.1:{server.port}/hero.png?signature=x")

    assert got == b"bytes"
    assert server.requests[0].startswith("GET /hero.png?signature=x HTTP/1.1\r\n")


async def test_the_file_is_named_by_the_last_part_of_its_path():
    async with loopback(with_body(b"bytes")) as server:
        client = GuardedClient(allowed_private_targets=LOOPBACK)

        async with client.download(
            f"http://127.0.0.1:{server.port}/a/hero%20shot.png?x=1", max_bytes=9
        ) as download:
            name = download.file_name
        await client.aclose()

    assert name == "hero shot.png"


async def test_an_ipv6_address_is_fetched_when_it_is_allowed():
    async with loopback(with_body(b"six"), host="::1") as server:
        client = GuardedClient(allowed_private_targets=LOOPBACK)

        got = await fetch(client, f"http://[::1]:{server.port}/")

    assert got == b"six"
    assert f"Host: [::1]:{server.port}" in server.requests[0]


async def test_loopback_is_refused_unless_it_is_allowed():
    async with loopback() as server:
        error = await refusal(GuardedClient(), f"https://127.0.0.1:{server.port}/")

    assert error.code == "address_not_public"
    assert server.requests == []


@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0x7f000001", "017700000001", "localhost", "[::1]", "[::ffff:7f00:1]"],
)
async def test_other_spellings_of_loopback_are_refused_too(host: str):
    error = await refusal(GuardedClient(), f"https://{host}/")

    assert error.code == "address_not_public"


async def test_a_name_with_one_private_address_among_public_ones_is_refused():
    names = Names(["93.184.216.34", "10.0.0.7"])

    error = await refusal(GuardedClient(resolve=names), "https://media.example/")

    assert error.code == "address_not_public"


async def test_a_name_is_looked_up_once_so_that_it_cannot_be_rebound_between_check_and_call():
    async with loopback(with_body(b"checked")) as server:
        names = Names(["127.0.0.1"], ["169.254.169.254"])
        client = GuardedClient(allowed_private_targets=[f"127.0.0.1:{server.port}"], resolve=names)

        got = await fetch(client, f"http://media.example:{server.port}/")

    assert got == b"checked"
    assert names.asked == ["media.example"]
    assert f"Host: media.example:{server.port}" in server.requests[0]


async def test_each_download_checks_the_name_again():
    async with loopback(with_body(b"checked")) as server:
        names = Names(["127.0.0.1"], ["169.254.169.254"])
        client = GuardedClient(allowed_private_targets=LOOPBACK, resolve=names)
        url = f"http://media.example:{server.port}/"
        await fetch(client, url)

        error = await refusal(client, url)

    assert error.code == "address_not_public"
    assert len(server.requests) == 1


async def test_the_next_checked_address_is_tried_when_the_first_refuses_connections():
    async with loopback(with_body(b"second")) as server:
        names = Names(["127.0.0.2", "127.0.0.1"])
        client = GuardedClient(allowed_private_targets=LOOPBACK, resolve=names)

        got = await fetch(client, f"http://media.example:{server.port}/")

    assert got == b"second"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://93.184.216.34/a",
        "file:///etc/passwd",
        "https://",
        "nonsense",
        "https://user:secret@93.184.216.34/",
        "http://93.184.216.34/",
        "https://93.184.216.34:22/",
        "https://93.184.216.34/" + "a" * 9000,
        "https://exa mple/",
        "https://[::1/",
        "https://93.184.216.34/\r\nX: y",
    ],
)
async def test_an_address_of_another_kind_is_refused(url: str):
    error = await refusal(GuardedClient(), url)

    assert error.code == "url_not_allowed"
    assert "secret" not in str(error)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_a_redirect_is_refused(status: str):
    answer = with_body(b"", "Location: http://169.254.169.254/latest", status=status)
    async with loopback(answer) as server:
        client = GuardedClient(allowed_private_targets=LOOPBACK)

        error = await refusal(client, f"http://127.0.0.1:{server.port}/")

    assert error.code == "redirect_refused"
    assert error.status == int(status[:3])


@pytest.mark.parametrize("status", ["204 None", "206 Part", "404 Gone", "500 Broken"])
async def test_any_answer_but_200_is_refused_with_its_status(status: str):
    async with loopback(with_body(b"", status=status)) as server:
        client = GuardedClient(allowed_private_targets=LOOPBACK)

        error = await refusal(client, f"http://127.0.0.1:{server.port}/")

    assert error.code == "bad_status"
    assert error.status == int(status[:3])


@pytest.mark.parametrize(
    "answer",
    [
        with_body(b"x" * 1001),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * 1001,
    ],
    ids=["announced", "not announced"],
)
async def test_more_bytes_than_allowed_are_refused(answer: bytes):
    async with loopback(answer) as server:
        client = GuardedClient(allowed_private_targets=LOOPBACK)

        error = await refusal(client, f"http://127.0.0.1:{server.port}/", max_bytes=1000)

    assert error.code == "too_large"


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow"], ids=["no answer", "drip"]
)
async def test_all_of_a_download_has_to_end_in_time(answer: bytes):
    async with loopback(answer, hold=True) as server:
        client = GuardedClient(allowed_private_targets=LOOPBACK, total_seconds=0.05)

        error = await refusal(client, f"http://127.0.0.1:{server.port}/")

    assert error.code == "timed_out"


async def test_a_timeout_of_the_reader_itself_is_not_the_addresses_fault():
    async with loopback() as server:
        client = GuardedClient(allowed_private_targets=LOOPBACK)
        url = f"http://127.0.0.1:{server.port}/"

        with pytest.raises(TimeoutError, match="of the reader"):
            async with client.download(url, max_bytes=9):
                raise TimeoutError("of the reader")
        await client.aclose()


@pytest.mark.parametrize(
    "answer",
    [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"],
    ids=["closed", "garbage", "cut"],
)
async def test_an_answer_that_breaks_off_is_unreachable(answer: bytes):
    async with loopback(answer) as server:
        client = GuardedClient(allowed_private_targets=LOOPBACK)

        error = await refusal(client, f"http://127.0.0.1:{server.port}/")

    assert error.code == "unreachable"
    assert error.message == "the address cannot be reached: its answer broke off, or is not HTTP"


async def test_a_closed_port_is_unreachable():
    client = GuardedClient(allowed_private_targets=LOOPBACK)

    with closed_port() as port:
        error = await refusal(client, f"http://127.0.0.1:{port}/")

    assert error.code == "unreachable"
    assert error.message == "the address cannot be reached: it takes no connection"


async def test_a_name_without_address_is_unreachable():
    error = await refusal(GuardedClient(), "https://nothing.invalid/")

    assert error.code == "unreachable"


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with loopback(with_body(b"direct")) as server:
        client = GuardedClient(allowed_private_targets=LOOPBACK)

        got = await fetch(client, f"http://127.0.0.1:{server.port}/")

    assert got == b"direct"


async def test_tls_is_checked_against_the_name_and_not_the_address(tmp_path: Path):
    serving, trusting = certificates(tmp_path, "media.example")
    async with loopback(with_body(b"sealed"), tls=serving) as server:
        client = GuardedClient(
            allowed_private_targets=LOOPBACK, resolve=Names(["127.0.0.1"]), ssl_context=trusting
        )

        got = await fetch(client, f"https://media.example:{server.port}/")

    assert got == b"sealed"
    assert server.names == ["media.example"]


async def test_a_certificate_for_another_name_is_refused(tmp_path: Path):
    serving, trusting = certificates(tmp_path, "media.example")
    async with loopback(tls=serving) as server:
        client = GuardedClient(
            allowed_private_targets=LOOPBACK, resolve=Names(["127.0.0.1"]), ssl_context=trusting
        )

        error = await refusal(client, f"https://other.example:{server.port}/")

    assert error.code == "unreachable"
    assert error.message == "the address cannot be reached: its certificate is not valid for it"
    assert server.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.0.0.9",
        "192.168.1.1",
        "172.16.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "0.0.0.0",  # noqa: S104 - looked at, never bound
        "::1",
        "::",
        "::7f00:1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "2002:a00:1::",
        "2001:0:a00:1::",
        "2001:db8::1",
        "100::1",
    ],
)
def test_no_special_address_is_public(address: str):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    ("entry", "allowed"),
    [
        ("127.0.0.0/8", True),
        ("127.0.0.1", True),
        ("127.0.0.1:9000", True),
        ("127.0.0.1:9001", False),
        ("Media.internal", True),
        ("media.internal:9000", True),
        ("media.internal:9001", False),
        ("other.internal", False),
        ("10.0.0.0/8", False),
        ("[::1]:9000", False),
        ("::1", False),
    ],
)
def test_exceptions_name_networks_addresses_or_hosts_with_or_without_a_port(
    entry: str, allowed: bool
):
    targets = PrivateTargets([entry])

    assert targets.allow("media.internal", ip_address("127.0.0.1"), 9000) is allowed


@pytest.mark.parametrize("entry", ["", "10.0.0.0/99", "host:0", "host:99999", "a b", "::g", "a:b"])
def test_an_exception_that_cannot_be_read_stops_the_program(entry: str):
    with pytest.raises(ConfigurationError, match="allowed private targets"):
        PrivateTargets([entry])
