"""Every imitated platform under its own prefix, beside the control plane."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

import uvicorn
import uvloop
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler

from sandbox.connections import ClosableProtocol
from sandbox.control import control_routes
from sandbox.meta.files import file_routes
from sandbox.meta.routes import MetaRoutes
from sandbox.orders import Refused, refusal
from sandbox.state import State

LARGEST_BODY = 1100 * 1024 * 1024
KEEP_ALIVE_SECONDS = 60
GRACE_SECONDS = 2
_FRONT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mojito sandbox</title>
<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:2rem auto;padding:0 1rem}</style>
<h1>Mojito's sandbox</h1>
<p>It answers like the ad platforms, remembers what was made, and spends nothing.
Point a client's base address at <code>/meta</code> (so <code>/meta/v26.0/act_…/campaigns</code>).</p>
<ul><li><a href="/_sandbox/objects">what exists</a></li><li><a href="/_sandbox/calls">what was called</a></li>
<li><a href="/_sandbox/faults">failures on order</a></li><li><a href="/_sandbox/clock">its clock</a></li>
<li><a href="/_sandbox/fidelity">how faithful it is</a></li></ul></html>"""


class Server(uvicorn.Server):
    """Leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Captures nothing."""
        yield

    def stop(self) -> None:
        """Ends it soon, after the calls that run."""
        self.should_exit = True


def create_app(state: State) -> Litestar:
    """The application over a state."""
    return Litestar(
        [*_front(), *control_routes(state), *file_routes(state), MetaRoutes(state).handler()],
        exception_handlers={Refused: refusal},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=LARGEST_BODY,
    )


def server_of(state: State) -> Server:
    """A server whose connections can be closed without an answer."""
    config = uvicorn.Config(
        create_app(state),
        http=ClosableProtocol,
        access_log=False,  # it would write tokens that stand in addresses
        log_config=None,
        lifespan="off",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(config)


async def serve(
    host: str, port: int, database: Path | None, ready: asyncio.Event | None = None
) -> None:
    """Until SIGTERM or SIGINT; prints its real address in one line once it can be spoken to."""
    listening = listen(host, port)
    state = State(database)
    server = server_of(state)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    with contextlib.suppress(OSError):  # a full disk hides the address, it stops nothing
        print(f"sandbox at http://{host}:{listening.getsockname()[1]}", flush=True)
    if ready is not None:
        ready.set()
    try:
        await server.serve(sockets=[listening])
    finally:
        state.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until it is told to stop; 1 when the port cannot be had."""
    parser = argparse.ArgumentParser(prog="sandbox", description="Answers like the ad platforms.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100, help="0 takes a free one")
    parser.add_argument("--grpc-port", type=int, help="for platforms that speak gRPC; none so far")
    parser.add_argument("--database", type=Path, help="SQLite file; nothing is kept without it")
    given = parser.parse_args(arguments)
    try:
        uvloop.run(serve(given.host, given.port, given.database))
    except OSError as error:
        print(f"sandbox: port {given.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A socket whose answers go out at once: asyncio sees to that only where the protocol is named."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening


def _front() -> list[HTTPRouteHandler]:
    @get("/", sync_to_thread=False)
    def front() -> Response[str]:
        """What this is."""
        return Response(_FRONT, media_type="text/html")

    @get("/livez", sync_to_thread=False)
    def live() -> dict[str, str]:
        """Answers as long as the process does."""
        return {"status": "ok"}

    return [front, live]
