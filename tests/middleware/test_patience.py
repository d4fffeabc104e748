"""A request that gets nowhere ends with 503; one that only its caller slows down does not."""

import asyncio

import httpx
from litestar import Litestar, Request, get, post
from litestar.response import Stream

from middleware.patience import Patience
from middleware.problems import EXCEPTION_HANDLERS
from middleware.request_id import RequestIds

SHORT = {"patience_seconds": 1.0}
"""And longer than a handler takes on a slow machine that has nothing to wait for."""


@get("/stuck", opt=SHORT)
async def stuck() -> None:
    await asyncio.Event().wait()


@post("/echo", opt=SHORT, status_code=200)
async def echo(request: Request) -> bytes:
    return await request.body()


@get("/stream", opt=SHORT)
async def stream() -> Stream:
    return Stream(slowly(), media_type="text/plain")


async def slowly():
    for part in (b"a", b"b", b"c"):
        yield part
        await pause()


async def pause():
    """Longer than the patience of these routes."""
    await asyncio.sleep(1.1)


def patient() -> httpx.AsyncClient:
    app = Litestar(
        [stuck, echo, stream],
        middleware=[Patience],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    app.asgi_handler = RequestIds(app.asgi_handler)
    transport = httpx.ASGITransport(app=app)  # pyright: ignore[reportArgumentType]  # an ASGI application all the same
    return httpx.AsyncClient(transport=transport, base_url="http://api")


async def test_a_request_that_gets_nowhere_is_told_to_come_back():
    answer = await patient().get("/stuck")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.json()["code"] == "database_busy"


async def test_a_caller_who_sends_slowly_is_waited_for():
    answer = await patient().post("/echo", content=slowly())

    assert (answer.status_code, answer.content) == (200, b"abc")


async def test_an_answer_that_has_begun_may_end():
    answer = await patient().get("/stream")

    assert (answer.status_code, answer.content) == (200, b"abc")
