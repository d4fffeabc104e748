"""Reads what clients really send: forms, multipart, JSON, with JSON text inside form fields."""

from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile
from litestar.exceptions import ClientException

from sandbox.meta.errors import MetaError, parameter
from sandbox.meta.words import words

SECRET_PARAMETERS = ("access_token", "appsecret_proof")
TEXT_PARAMETERS = words(
    "name title description message link bytes url_tags after before fields file_url hash "
    "status object_type conversion_domain dsa_beneficiary dsa_payor body input_token"
)
"""Text that may look like JSON and is not: a campaign may be called 12, true or [spring]."""


class SentFile(msgspec.Struct, frozen=True):
    """A file of a multipart body; some clients name the field as the file."""

    field: str
    name: str
    content: bytes


class Sent(msgspec.Struct, kw_only=True):
    """One call as it came, without its secrets among the parameters."""

    method: str
    path: str
    segments: list[str]
    params: dict[str, Any]
    files: list[SentFile]
    token: str | None
    proof: str | None
    base: str
    query: list[tuple[str, str]]


async def read(request: Request[Any, Any, Any], path: str) -> Sent:
    """Parameters of query and body together; the body wins."""
    query = _pairs(request.scope["query_string"].decode())
    body, files = await _body(request)
    raw: dict[str, Any] = {**dict(query), **body}
    token = raw.pop("access_token", None) or _bearer(request.headers.get("authorization"))
    proof = raw.pop("appsecret_proof", None)
    return Sent(
        method=request.method,
        path=path,
        segments=[unquote(segment) for segment in path.split("/") if segment],
        params={name: decoded(name, value) for name, value in raw.items()},
        files=files,
        token=None if token is None else str(token),
        proof=None if proof is None else str(proof),
        base=str(request.base_url).rstrip("/"),
        query=[pair for pair in query if pair[0] not in SECRET_PARAMETERS],
    )


def decoded(name: str, value: Any) -> Any:
    """What a parameter means: forms carry lists, objects, numbers and booleans as JSON text.

    >>> decoded("targeting", '{"age_min": 18}'), decoded("name", "12"), decoded("daily_budget", "12")
    ({'age_min': 18}, '12', 12)
    >>> decoded("campaign_id", 12), decoded("objective", "OUTCOME_SALES")
    ('12', 'OUTCOME_SALES')
    """
    if name.endswith("_id") and isinstance(value, int):
        return str(value)
    if not isinstance(value, str) or name in TEXT_PARAMETERS or name.endswith("_id"):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return value


def names(value: Any) -> list[str]:
    """A list that came as JSON or with commas between.

    >>> names("id,name"), names('["id"]'), names(["id"]), names(None)
    (['id', 'name'], ['id'], ['id'], [])
    """
    if isinstance(value, str) and value.startswith("["):
        value = decoded("", value)
    if isinstance(value, list):
        return [str(item) for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # JSON of a stranger
    return [part.strip() for part in str(value or "").split(",") if part.strip()]


def whole_number(params: dict[str, Any], name: str, default: int | None = None) -> int:
    """A parameter that must be a whole number."""
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise parameter(name, f"The parameter {name} is required")
    try:
        return int(value)
    except ValueError:
        raise parameter(name, f"Param {name} must be an integer") from None


async def _body(request: Request[Any, Any, Any]) -> tuple[dict[str, Any], list[SentFile]]:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        return _json(await request.body()), []
    if kind == "multipart/form-data":
        return await _multipart(request)
    return dict(_pairs((await request.body()).decode("utf-8", "replace"))), []


async def _multipart(request: Request[Any, Any, Any]) -> tuple[dict[str, Any], list[SentFile]]:
    try:
        form = await request.form()
    except ClientException:
        raise MetaError(100, "(#100) The multipart body cannot be read") from None
    fields: dict[str, Any] = {}
    files: list[SentFile] = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            files.append(SentFile(name, value.filename, await value.read()))
        else:
            fields[name] = value
    await form.close()
    return fields, files


def _json(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body or b"{}", type=dict[str, Any])
    except msgspec.DecodeError:
        raise MetaError(100, "(#100) The body must be a JSON object") from None


def _pairs(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True)


def _bearer(header: str | None) -> str | None:
    kind, _, token = (header or "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token else None
