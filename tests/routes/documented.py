"""No refusal is a surprise: whatever a test is answered, the OpenAPI document has its code at that place."""

import re
from typing import Any

import httpx
import msgspec

from middleware.problems import MEDIA_TYPE
from routes.refusal_codes import code_of

NOT_OF_A_ROUTE = {
    "route_not_found",
    "method_not_allowed",
    "cross_origin_refused",
    "host_unclear",
    "internal_error",
}
"""Answered where no operation is, or to nobody's intent."""


class Documented:
    """A hook of httpx's, for responses."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport
        self._paths: dict[str, Any] | None = None

    async def __call__(self, answer: httpx.Response) -> None:
        """Raises AssertionError."""
        if answer.request.method == "HEAD" or answer.headers.get("content-type") != MEDIA_TYPE:
            return  # what has no body tells no code
        told = msgspec.json.decode(await answer.aread())
        if told["code"] in NOT_OF_A_ROUTE:
            return
        operation = await self._operation(answer.request)
        named = operation["responses"].get(str(answer.status_code), {"content": {}})["content"]
        examples = named.get(MEDIA_TYPE, {}).get("examples", {})
        codes = {code_of(name) for name in examples}
        code = re.sub(r"^media_status_\d+$", "media_status_404", told["code"])
        place = f"{operation['operationId']} answered {answer.status_code} {code}"
        assert code in codes, f"{place}: not in routes/refusal_codes.py"

    async def _operation(self, request: httpx.Request) -> dict[str, Any]:
        for template, methods in (await self._document()).items():
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]*", re.escape(template))
            method = "get" if request.method == "HEAD" else request.method.lower()
            if method in methods and re.fullmatch(f"{pattern}/?", request.url.path):
                return methods[method]
        raise AssertionError(f"no operation is documented at {request.url.path}")

    async def _document(self) -> dict[str, Any]:
        paths = self._paths
        if paths is None:
            async with httpx.AsyncClient(
                transport=self._transport, base_url="http://api"
            ) as client:
                document = (await client.get("/api/v1/openapi.json")).json()
            paths = self._paths = document["paths"]
        return paths
