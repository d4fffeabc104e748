"""Why requests are refused: which route answers which code, and an example of each."""

import typing
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler
from msgspec import UNSET

from middleware.problems import Problem
from routes.query import Page, kind_of
from routes.refusal_codes import REFUSALS, Refusal, code_of

_REQUEST_ID = "01a1fdbd727b72df8e7857d7f58a930d"


def codes(handler: HTTPRouteHandler, status: int) -> list[str]:
    """Those of this status that the route may answer."""
    return [
        code
        for code, refusal in REFUSALS.items()
        if refusal.status == status and all(_fits(refusal, handler))
    ]


def examples() -> dict[str, Any]:
    """A problem document for every code."""
    return {
        code: {"summary": refusal.detail, "value": _document(code_of(code), refusal)}
        for code, refusal in REFUSALS.items()
    }


def _fits(refusal: Refusal, handler: HTTPRouteHandler) -> Iterator[bool]:
    opt = handler.opt
    if refusal.only:
        yield handler.fn.__name__ in refusal.only
    match refusal.needs:
        case "":
            pass
        case "key":
            yield not opt.get("open")
        case "scope":
            yield opt.get("scope") is not None
        case "body":
            # those that take none refuse what stands in one
            yield "body" in opt or handler.http_methods == {"POST"}
        case "query":
            kinds = [kind_of(field.type) for field in _fields(opt)]
            yield any(typing.get_origin(kind) is not tuple for kind in kinds)
        case "list":
            yield issubclass(opt.get("query", object), Page)
        case header:
            yield header in opt.get("headers", ())


def _fields(opt: dict[str, Any]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Lists of words are taken apart, and each wrong one is told by its own code."""
    query = opt.get("query")
    return () if query is None else msgspec.structs.fields(query)


def _document(code: str, refusal: Refusal) -> Any:
    return msgspec.to_builtins(
        Problem(
            type=f"urn:mojito:problem:{code}",
            title=HTTPStatus(refusal.status).phrase,
            status=refusal.status,
            detail=refusal.detail,
            instance=_REQUEST_ID,
            code=code,
            errors=list(refusal.errors) if refusal.errors else UNSET,
        )
    )
