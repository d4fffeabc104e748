"""A brief request reads what Litestar's own reads, and refuses what that refuses."""

from typing import Any

import pytest
from litestar import Litestar, Request, post
from litestar.connection.base import empty_send
from litestar.datastructures import Headers

from routes.brief_request import BriefRequest

LARGEST = 20


@post("/", request_max_body_size=LARGEST)
async def handler() -> None:
    """Says how large a body may be."""


HANDLER = next(
    known
    for route in Litestar([handler], openapi_config=None).routes
    for known in getattr(route, "route_handlers", ())
)


def request_of(
    kind: type[Request[Any, Any, Any]],
    lines: list[tuple[bytes, bytes]],
    *pieces: bytes,
    whole: bool,
):
    """A request whose body comes in pieces, and after them the rest or nobody."""
    messages: list[Any] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    messages.append({"type": "http.request", "body": b""} if whole else {"type": "http.disconnect"})

    async def receive() -> Any:
        return messages.pop(0)

    scope: Any = {
        "type": "http",
        "method": "POST",
        "path": "/a",
        "raw_path": b"/a",
        "query_string": b"page=2",
        "root_path": "",
        "scheme": "http",
        "server": ("api", 80),
        "headers": lines,
        "route_handler": HANDLER,
        "state": {},
    }
    return kind(scope, receive, empty_send)


async def outcome(request: Request[Any, Any, Any]) -> object:
    try:
        return await request.body()
    except Exception as error:  # noqa: BLE001 - whichever it is, both must raise it
        return type(error), str(error)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("length", "pieces"),
    [
        (b"6", (b"abc", b"def")),
        (b"0", ()),
        (b"6", (b"abc",)),
        (None, (b"abc",)),
        (None, (b"x" * LARGEST, b"y")),
        (b"21", (b"abc",)),
        (b"3", (b"x" * LARGEST, b"y")),
        (b"", (b"abc",)),
        (b"-3", (b"abc",)),
        (b"three", (b"abc",)),
        (b"9" * 5000, (b"abc",)),
    ],
)
async def test_a_body_is_read_or_refused_as_litestar_does(length, pieces, whole):
    lines = [] if length is None else [(b"content-length", length)]

    brief = await outcome(request_of(BriefRequest, lines, *pieces, whole=whole))
    own = await outcome(request_of(Request, lines, *pieces, whole=whole))

    assert brief == own


def test_headers_that_came_once_are_read_without_litestar():
    request = request_of(BriefRequest, [(b"accept", b"caf\xe9"), (b"x-a", b"")], whole=True)

    headers = request.headers

    assert not isinstance(headers, Headers)
    assert headers.get("accept") == "caf\xe9"
    assert headers.getall("x-a", []) == [""]
    assert (headers.get("x-b"), headers.get("x-b", "none"), headers.getall("x-b", [])) == (
        None,
        "none",
        [],
    )
    assert ("x-a" in headers, "x-b" in headers) == (True, False)


def test_of_a_repeated_header_every_line_is_read():
    request = request_of(BriefRequest, [(b"x-a", b"1"), (b"x-a", b"2")], whole=True)

    assert request.headers.getall("x-a", []) == ["1", "2"]


def test_everything_else_of_a_request_is_there_too():
    request = request_of(BriefRequest, [(b"host", b"api"), (b"cookie", b"a=b")], whole=True)

    assert request.query_params["page"] == "2"
    assert request.method == "POST"
    assert request.cookies == {"a": "b"}
    assert str(request.url) == "http://api/a?page=2"
    assert not hasattr(request, "no_such_thing")
