"""What a browser finds: a short page that says what this is, and the documentation, all from here."""

from functools import cache
from pathlib import Path
from typing import Any

from litestar import MediaType, Request, Response
from litestar.params import FromPath

from common.errors import NotFound
from routes.readable import readable

_STATIC = Path(__file__).parent / "static"
_TYPES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "docs.css": "text/css",
    "docs.js": "text/javascript",
}
_SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_LINKS = {
    "documentation": "/docs",
    "openapi": "/api/v1/openapi.json",
    "alive": "/livez",
    "ready": "/readyz",
}
_ABOUT = "One JSON request becomes a real advertising campaign, exactly once."

_FRONT = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Mojito</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><style>
:root {{ color-scheme: light dark }}
body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }}
</style></head><body><main><h1>Mojito</h1><p>{_ABOUT}</p>
<p>Send <code>POST /api/v1/ads/meta</code> with your key; the answer is a campaign job, which workers
carry out and <code>GET /api/v1/campaign_jobs/{{id}}</code> shows.</p>
<ul><li><a href="/docs">Documentation of the API</a></li>
<li><a href="/api/v1/openapi.json">The same for programs (OpenAPI 3.1)</a></li>
<li><a href="/readyz">Is everything ready?</a></li></ul></main></body></html>
"""

DOCS = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Mojito API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/docs.css">
</head><body><div id="documentation"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/docs.js"></script></body></html>
"""


@readable("/", opt={"open": True, "hidden": True})
async def front(request: Request[Any, Any, Any]) -> Response[Any]:
    """Says what this is."""
    if "text/html" in request.headers.get("accept", ""):
        return Response(_FRONT, media_type=MediaType.HTML, headers=_SECURITY)
    return Response({"name": "Mojito", "about": _ABOUT, **_LINKS})


@readable("/docs", opt={"open": True, "hidden": True})
async def docs() -> Response[str]:
    """The documentation for people."""
    return Response(DOCS, media_type=MediaType.HTML, headers=_SECURITY)


@readable("/docs/{name:str}", opt={"open": True, "hidden": True})
async def docs_file(name: FromPath[str]) -> Response[bytes]:
    """A file of the documentation."""
    if name not in _TYPES:
        raise NotFound(
            "There is nothing at this address; /api/v1/openapi.json lists those that there are.",
            code="route_not_found",
        )
    headers = {**_SECURITY, "Cache-Control": "public, max-age=3600"}
    return Response(_read(name), media_type=_TYPES[name], headers=headers)


@cache
def _read(name: str) -> bytes:
    return (_STATIC / name).read_bytes()


routes = [front, docs, docs_file]
