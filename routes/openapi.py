"""The OpenAPI 3.1 document, made from handlers and structs; nothing is written twice."""

import inspect
import re
import typing
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from common.version import program_version
from middleware.problems import MEDIA_TYPE, Problem
from models.credentials import MetaCredentials
from models.webhook import EVENT_TYPES
from models.webhook_message import JobMessage, OtherMessage
from routes import refusals
from routes.examples import EXAMPLES
from routes.query import MOST_PER_PAGE

type Document = dict[str, Any]

_REF = "#/components/schemas/{name}"
_EXAMPLE = "#/components/examples/{name}"
_ALWAYS_OPEN = (400,)
"""Of every route: a Host header that is none."""
_ALWAYS = (400, 401, 403, 429, 503)
"""Of routes that need a key: parameters that there are none of, no key, its scopes, its rate, no database."""
_PATH_PARAMETER = re.compile(r"\{(\w+):(\w+)\}")
_HEADERS = {
    "If-Match": "Entity tag of the version that may be changed; 412 when it is no longer the one.",
    "Idempotency-Key": "At most 255 characters, bare or quoted. The same key with the same body gives "
    "the first answer again, with another body 422.",
    "If-None-Match": "Entity tags of versions that are known; when one is still the version, 304 to who "
    "reads and 412 to who changes.",
    "Prefer": "wait=N holds the answer up to N seconds (RFC 7240); more than 30 count as 30.",
    "Last-Event-ID": "The id of the last event seen; 400 for a number that no event bears yet.",
}
_TAGS_PATTERN = r'^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$'
_TOLD = {
    "Location": "Where the object is found.",
    "Retry-After": "Seconds until another look is worth while.",
    "ETag": "The version, for If-Match and If-None-Match.",
    "Preference-Applied": "wait=N, when the answer may have been held for so many seconds.",
    "Link": 'The address of the next page (`rel="next"`); missing when this is the last.',
    "Idempotent-Replayed": "true when this is the answer to an earlier request with the same key.",
}
_DESCRIPTION = """One JSON request becomes a real advertising campaign, exactly once.

Send a request with your key (`Authorization: Bearer mj_…`); the answer is a campaign job. Workers carry
it out step by step, and the job shows how far they are. Errors are problem documents (RFC 9457) with a
stable `code`; every answer carries `X-Request-Id`. Unknown addresses answer 404, wrong methods 405 with
`Allow`; HEAD is answered wherever GET is, but for streams. Lists are newest first; `Link` and
`next_cursor` lead to the next page. `livemode` tells whether real money is in play: of an account and its
jobs it says what the account is, of everything else whether a live key asks.
"""
_TAGS = {
    "ad_accounts": "Accounts on a platform that we hold encrypted credentials for.",
    "ads_meta": "Requests for campaigns on Meta.",
    "campaign_jobs": "What became of a request, and how to stop it or try it again.",
    "events": "What happens to jobs, while it happens, as server-sent events.",
    "assets": "Media files that requests name by id.",
    "webhooks": "Addresses of callers that hear of what becomes of their jobs, and what was sent to them.",
    "me": "The key that asks.",
    "health": "Whether the process lives, and whether it can do its work.",
}
_TAG_OF = {
    "account_lists": "ad_accounts",
    "job_lists": "campaign_jobs",
    "verify_accounts": "ad_accounts",
    "webhook_endpoints": "webhooks",
    "webhook_deliveries": "webhooks",
}
"""Of modules that do not have one of their own."""
_KEY = "A key made with `mojito keys create`; it begins with mj_live_ or mj_test_."


def build(guarded: Sequence[HTTPRouteHandler], open_routes: Sequence[HTTPRouteHandler]) -> Document:
    """The whole document. `guarded` lie below /api/v1 and need a key."""
    types: list[Any] = [Problem, MetaCredentials, JobMessage, OtherMessage]
    routes = [("/api/v1", handler) for handler in guarded]
    routes += [("", handler) for handler in open_routes if not handler.opt.get("hidden")]
    for _, handler in routes:
        kinds = [handler.opt.get("body"), *(kind for _, kind in _answers(handler))]
        types += [kind for kind in kinds if kind is not None]
    _, components = msgspec.json.schema_components(types, ref_template=_REF)
    paths: Document = {}
    for prefix, handler in routes:
        for path in handler.paths:
            address = prefix + _PATH_PARAMETER.sub(r"{\1}", path)
            method = min(handler.http_methods).lower()  # a HEAD beside a GET goes without saying
            paths.setdefault(address, {})[method] = _operation(path, handler)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Mojito", "version": program_version(), "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"apiKey": []}],
        "tags": _tags(handler for _, handler in routes),
        "paths": paths,
        "webhooks": {name: {"post": _webhook(name)} for name in (*EVENT_TYPES, "webhook.ping")},
        "components": {
            "schemas": {name: _completed(schema) for name, schema in _tagged(components).items()},
            "examples": _examples(),
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": _KEY}
            },
        },
    }


def _tags(handlers: Iterable[HTTPRouteHandler]) -> list[Document]:
    names = dict.fromkeys(_tag(handler) for handler in handlers)
    return [{"name": name, "description": _TAGS.get(name, name)} for name in names]


def _tag(handler: HTTPRouteHandler) -> str:
    module = handler.fn.__module__.rpartition(".")[2]
    return _TAG_OF.get(module, module)


def _tagged(components: Document) -> Document:
    """The schemas, with a word about the fields that tell the members of a union apart."""
    for schema in components.values():
        for field in schema.get("properties", {}).values():
            union = field.get("discriminator", {})
            for tag, ref in union.get("mapping", {}).items():
                member = components[ref.rpartition("/")[2]]
                member["properties"][union["propertyName"]] |= {
                    "type": "string",
                    "description": f"Says which kind it is: {tag}.",
                }
    return components


def _completed(schema: Document) -> Document:
    """A page never holds more than a caller may ask for."""
    fields = schema.get("properties", {})
    if "next_cursor" in fields:
        fields["data"]["maxItems"] = MOST_PER_PAGE
    return schema


def _operation(path: str, handler: HTTPRouteHandler) -> Document:
    summary, _, rest = inspect.cleandoc(handler.fn.__doc__ or "").partition("\n")
    scope = handler.opt.get("scope")
    needs = f"\n\nNeeds the scope `{scope}`." if scope else ""
    operation: Document = {
        "operationId": handler.fn.__name__,
        "summary": _without_markup(summary).rstrip("."),
        "description": (rest.strip() + needs).strip() or summary,
        "tags": [_tag(handler)],
        "parameters": _parameters(path, handler),
        "responses": _responses(handler),
    }
    if "body" in handler.opt or "body_content" in handler.opt:
        content = handler.opt.get("body_content") or _json(handler.opt["body"])
        operation["requestBody"] = {"required": True, "content": _shown(content)}
    if handler.opt.get("open"):
        operation["security"] = []
    return operation


def _without_markup(summary: str) -> str:
    """Pages show a summary as it is, while descriptions are Markdown to them.

    >>> _without_markup("Stores a file: the field `file` of a form.")
    'Stores a file: the field "file" of a form.'
    """
    return summary.replace("`", '"')


def _webhook(name: str) -> Document:
    kind = JobMessage if name.startswith("job.") else OtherMessage
    return {
        "operationId": name,
        "summary": f"What is posted for {name}",
        "description": "Signed after Standard Webhooks 1.0: webhook-id, webhook-timestamp and "
        "webhook-signature. At least once, with the same id and bytes on every try. X-Request-Id names "
        "the request that made the job; traceparent carries its trace on.",
        "tags": ["webhooks"],
        "security": [],
        "requestBody": {"required": True, "content": _shown(_json(kind))},
        "responses": {
            "2XX": {"description": "It was received."},
            "410": {"description": "Never again: the endpoint is disabled."},
        },
    }


def _parameters(path: str, handler: HTTPRouteHandler) -> list[Document]:
    found = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _path_schema(kind),
            "description": f"Our id of the {name.removesuffix('_id').replace('_', ' ')}.",
        }
        for name, kind in _PATH_PARAMETER.findall(path)
    ]
    found += [
        _header_parameter(name, handler.opt.get("refusals", ()))
        for name in handler.opt.get("headers", ())
    ]
    query = handler.opt.get("query")
    fields = () if query is None else msgspec.structs.fields(query)
    return found + [_query_parameter(field) for field in fields]


def _header_parameter(name: str, refused: Sequence[int]) -> Document:
    told: Document = {"name": name, "in": "header", "description": _HEADERS[name]}
    if name != "If-Match":
        return {**told, "schema": {"type": "string"}}
    required = HTTPStatus.PRECONDITION_REQUIRED in refused
    return {**told, "required": required, "schema": {"type": "string", "pattern": _TAGS_PATTERN}}


def _query_parameter(field: msgspec.structs.FieldInfo) -> Document:
    (schema,), _ = msgspec.json.schema_components([field.type], ref_template=_REF)
    description = schema.pop("description", "")
    if "anyOf" in schema:
        kinds = [kind for kind in schema["anyOf"] if kind != {"type": "null"}]
        description = next((kind.pop("description", "") for kind in kinds), "") or description
        schema = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if "enum" in schema:
        schema["enum"] = [value for value in schema["enum"] if value is not None]
    if field.default not in (msgspec.NODEFAULT, None):
        schema["default"] = field.default
    told: Document = {"name": field.encode_name, "in": "query", "schema": schema}
    if schema.get("type") == "array":
        told |= {"style": "form", "explode": False}
    return {**told, "description": description}


def _responses(handler: HTTPRouteHandler) -> Document:
    answers = {str(status): _good(handler, status, kind) for status, kind in _answers(handler)}
    always = _ALWAYS_OPEN if handler.opt.get("open") else _ALWAYS
    if not handler.opt.get("open") and handler.opt["scope"] is None:
        always = tuple(status for status in _ALWAYS if status != HTTPStatus.FORBIDDEN)
    refused = sorted({*always, *handler.opt.get("refusals", ())})
    return {**answers, **{str(status): _refusal(handler, status) for status in refused}}


def _good(handler: HTTPRouteHandler, status: int, kind: Any) -> Document:
    answer: Document = {"description": HTTPStatus(status).phrase}
    if "answer_content" in handler.opt:
        answer["content"] = handler.opt["answer_content"]
    elif kind is not None:
        answer["content"] = _shown(
            _json(kind, handler.opt.get("answer_media_type", "application/json"))
        )
    if status == handler.status_code and "tells" in handler.opt:
        answer["headers"] = {
            name: {"description": _TOLD[name], "schema": {"type": "string"}}
            for name in handler.opt["tells"]
        }
    return answer


def _refusal(handler: HTTPRouteHandler, status: int) -> Document:
    content: Document = {"schema": {"$ref": _REF.format(name="Problem")}}
    if codes := refusals.codes(handler, status):
        content["examples"] = {code: {"$ref": _EXAMPLE.format(name=code)} for code in codes}
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: content}}


def _shown(content: Document) -> Document:
    """The same bodies with examples of the structs that they are."""
    return {kind: _with_examples(body) for kind, body in content.items()}


def _with_examples(body: Document) -> Document:
    schema_name = body["schema"].get("$ref", "").rpartition("/")[2]
    names = EXAMPLES.get(schema_name, ())
    if not names:
        return body
    refs = {name: {"$ref": _EXAMPLE.format(name=f"{schema_name}.{name}")} for name in names}
    return {**body, "examples": refs}


def _examples() -> Document:
    """Each once, for all the places that show it."""
    bodies = {
        f"{schema_name}.{name}": {"value": msgspec.to_builtins(value)}
        for schema_name, named in EXAMPLES.items()
        for name, value in named.items()
    }
    return {**bodies, **refusals.examples()}


def _answers(handler: HTTPRouteHandler) -> list[tuple[int, Any]]:
    """Each good status and the struct that comes with it, None where no JSON does."""
    if "answers" in handler.opt:
        return list(handler.opt["answers"].items())
    returned = typing.get_type_hints(handler.fn).get("return")
    if typing.get_origin(returned) is Response:
        (returned,) = typing.get_args(returned)
    is_struct = isinstance(returned, type) and issubclass(returned, msgspec.Struct)
    return [(handler.status_code, returned if is_struct else None)]


def _json(kind: type, media_type: str = "application/json") -> Document:
    return {media_type: {"schema": {"$ref": _REF.format(name=kind.__name__)}}}


def _path_schema(kind: str) -> Document:
    return {"type": "string", "format": "uuid"} if kind in ("uuid", "str") else {"type": "string"}
