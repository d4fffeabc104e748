"""Sends POSTs over kept connections, as many a second as the server answers, at little cost of its own.

`python bench/load.py --url http://127.0.0.1:8000/api/v1/ads/meta --body-file request.json
--header "Authorization: Bearer …" --requests 5000 --connections 16 --expect 202` prints one JSON line.
Every connection has one request under way. Any other status, or a closed connection, ends the run.
"""

import argparse
import asyncio
import json
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import uvloop

_LENGTH = b"content-length:"


class Load:
    """What is left to send, and how long each answer took."""

    def __init__(self, request: bytes, count: int, expected: int) -> None:
        self.request = request
        self.left = count
        self.expected = b" %d " % expected
        self.seconds: list[float] = []
        self.count = count
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answered(self, seconds: float) -> None:
        """One more answer; the last one ends the run."""
        self.seconds.append(seconds)
        if len(self.seconds) == self.count and not self.over.done():
            self.over.set_result(None)

    def fail(self, message: str) -> None:
        """Ends the run with what went wrong."""
        if not self.over.done():
            self.over.set_exception(RuntimeError(message))


class Connection(asyncio.Protocol):
    """One kept connection with one request under way."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._wanted = 0
        self._sent = 0.0
        self._under_way = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def send(self) -> None:
        """The next request, or the end of this connection when none is left."""
        if self._load.left == 0:
            self._transport.close()
            return
        self._load.left -= 1
        self._under_way = True
        self._sent = time.perf_counter()
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if self._wanted == 0:
            self._wanted = self._whole_length()
        if self._wanted == 0 or len(self._buffer) < self._wanted:
            return
        if len(self._buffer) > self._wanted:
            self._load.fail("the server sent more than its answer")
        self._buffer, self._wanted, self._under_way = b"", 0, False
        self._load.answered(time.perf_counter() - self._sent)
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._under_way:
            self._load.fail(f"the server closed a connection: {exc or 'no reason told'}")

    def _whole_length(self) -> int:
        """How long the answer is with its head; 0 while the head is not complete."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return 0
        head = self._buffer[:end].lower()
        if self._load.expected not in head[:14]:
            self._load.fail(f"unexpected answer: {self._buffer[:2000].decode(errors='replace')}")
        at = head.find(_LENGTH)
        if at < 0:
            self._load.fail("an answer without Content-Length")
            return 0
        line_end = head.find(b"\r", at)
        number = head[at + len(_LENGTH) : line_end if line_end > 0 else None]
        return end + 4 + int(number)


def request_bytes(url: str, headers: list[str], body: bytes) -> bytes:
    """The whole request as it goes over the wire."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {path} HTTP/1.1", f"Host: {parts.netloc}", *headers]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def run(arguments: argparse.Namespace, body: bytes) -> dict[str, float]:
    """Sends everything, and returns the figures."""
    request = request_bytes(arguments.url, arguments.header, body)
    load = Load(request, arguments.requests, arguments.expect)
    parts, loop = urlsplit(arguments.url), asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: Connection(load), parts.hostname, parts.port))[1]
        for _ in range(min(arguments.connections, arguments.requests))
    ]
    start, cpu = time.perf_counter(), _cpu_seconds()
    for connection in connections:
        connection.send()
    await load.over
    took = time.perf_counter() - start
    return figures(load.seconds, took, _cpu_seconds() - cpu)


def figures(seconds: list[float], took: float, cpu: float) -> dict[str, float]:
    """Requests a second, times of answers, and what the generator itself cost."""
    cuts = statistics.quantiles(seconds, n=100) if len(seconds) > 1 else seconds * 99
    return {
        "requests": len(seconds),
        "requests_per_second": round(len(seconds) / took, 1),
        "p50_ms": round(cuts[49] * 1000, 3),
        "p99_ms": round(cuts[98] * 1000, 3),
        "generator_cpu_share": round(cpu / took, 3),
    }


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    """Arguments in, one line out; 1 when anything but the expected answer came."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", required=True)
    parser.add_argument("--body-file", required=True)
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--expect", type=int, default=202)
    arguments = parser.parse_args()
    try:
        body = Path(arguments.body_file).read_bytes()
        print(json.dumps(uvloop.run(run(arguments, body))))
    except (RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
