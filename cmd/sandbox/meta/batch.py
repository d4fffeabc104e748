"""Several calls in one: each is carried out, counted and answered as if it had come alone.

Source: Graph API, batch requests. How a call is answered whose named predecessor failed is not told
there; 424 is the sandbox's own choice.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

import msgspec

from sandbox.meta.errors import MetaError, not_imitated, parameter
from sandbox.meta.wire import Sent, decoded

LARGEST = 50
_REFERENCE = re.compile(r"\{result=([A-Za-z0-9_-]+):\$([^}]*)\}")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*|\*)|\[(\d+|\*)\]")
_METHODS = ("GET", "POST", "DELETE", "PUT")


class Answer(Protocol):
    """What became of one call."""

    @property
    def status(self) -> int: ...

    @property
    def body(self) -> bytes: ...

    @property
    def headers(self) -> dict[str, str]: ...


type Perform = Callable[[Sent], Awaitable[Answer | None]]
"""None when the call was not answered: the entry is null, and the client sends it again."""


class Item(msgspec.Struct, kw_only=True):
    """One call of a batch."""

    method: str
    relative_url: str
    body: str = ""
    name: str | None = None
    depends_on: str | None = None
    omit_response_on_success: bool = True
    attached_files: str | None = None
    headers: Any = None


def is_batch(sent: Sent) -> bool:
    """A post to the root."""
    return sent.method == "POST" and len(sent.segments) == 2


async def answer(sent: Sent, perform: Perform) -> bytes:
    """The list of answers as text. Raises MetaError for a batch that is none."""
    items = _items(sent.params.get("batch"))
    with_headers = sent.params.get("include_headers", True) is not False
    results: dict[str, Answer | None] = {}
    told: list[dict[str, Any] | None] = []
    waited_for = {name for item in items for name in _needs(item)}
    for item in items:
        done = await _perform(sent, item, results, perform)
        if item.name is not None:
            results[item.name] = done
        is_omitted = item.name in waited_for and item.omit_response_on_success
        is_good = done is not None and done.status == 200
        told.append(None if is_omitted and is_good else _told(done, with_headers=with_headers))
    return msgspec.json.encode(told)


async def _perform(
    sent: Sent, item: Item, results: dict[str, Answer | None], perform: Perform
) -> Answer | None:
    try:
        _check_needs(item, results)
        return await perform(_call(sent, item, results))
    except MetaError as error:
        return _Refusal(error.status, msgspec.json.encode(error.envelope()))


def _check_needs(item: Item, results: dict[str, Answer | None]) -> None:
    for name in _needs(item):
        if not _is_good(results.get(name)):
            message = f"The operation {name}, which this one needs, has failed or is not there"
            raise MetaError(100, f"(#100) {message}", status=424)


class _Refusal(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    headers: dict[str, str] = {}


def _items(value: Any) -> list[Item]:
    try:
        items = msgspec.convert(value, list[Item])
    except msgspec.ValidationError:
        raise parameter("batch", "Param batch must be an array of requests") from None
    if not items:
        raise parameter("batch", "Param batch must not be empty")
    if len(items) > LARGEST:
        raise MetaError(
            -3,
            f"Too many requests in batch message. Maximum batch size is {LARGEST}",
            kind="GraphBatchException",
        )
    return items


def _call(sent: Sent, item: Item, results: dict[str, Answer | None]) -> Sent:
    """The call as it would have come alone; token and proof are the batch's unless it has its own."""
    if item.attached_files:
        raise not_imitated("files in a batch")
    if item.method.upper() not in _METHODS:
        raise parameter("method", f"Unsupported method {item.method}")
    path, _, query = item.relative_url.lstrip("/").partition("?")
    pairs = parse_qsl(_filled(query, results), keep_blank_values=True)
    body = parse_qsl(_filled(item.body, results), keep_blank_values=True)
    raw = {**dict(pairs), **dict(body)}
    token, proof = raw.pop("access_token", None), raw.pop("appsecret_proof", None)
    segments = [unquote(part) for part in _filled(path, results).split("/") if part]
    if not segments or not re.fullmatch(r"v\d+\.\d+", segments[0]):
        segments = [sent.segments[1], *segments]
    if len(segments) == 1:
        raise not_imitated("a batch in a batch")
    return Sent(
        method=item.method.upper(),
        path=f"/{sent.segments[0]}/{'/'.join(segments)}",
        segments=[sent.segments[0], *segments],
        params={name: decoded(name, value) for name, value in raw.items()},
        files=[],
        token=token or sent.token,
        proof=proof or (sent.proof if token is None else None),
        base=sent.base,
        query=[pair for pair in pairs if pair[0] not in ("access_token", "appsecret_proof")],
    )


def _needs(item: Item) -> list[str]:
    """Names of the calls that this one uses or waits for."""
    used = _REFERENCE.findall(unquote(item.relative_url) + unquote(item.body))
    return [name for name, _ in used] + ([item.depends_on] if item.depends_on else [])


def _filled(text: str, results: dict[str, Answer | None]) -> str:
    """References stand in the text as they are, or percent-encoded as the rest."""

    def value(found: re.Match[str]) -> str:
        done = results.get(found[1])
        return _at(msgspec.json.decode(done.body), found[2]) if done is not None else ""

    whole = re.sub(r"%7Bresult%3D.*?%7D", lambda found: unquote(found[0]), text)
    return _REFERENCE.sub(value, whole)


def _at(value: Any, path: str) -> str:
    """What a simple JSONPath leads to; several values are joined by commas.

    >>> _at({"data": [{"id": "1"}, {"id": "2"}]}, ".data.*.id"), _at({"id": "7"}, ".id")
    ('1,2', '7')
    """
    found = [value]
    for name, index in _STEP.findall(path):
        found = [inner for outer in found for inner in _below(outer, name or index)]
    return ",".join(str(one) for one in found)


def _below(value: Any, name: str) -> list[Any]:
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # JSON of any form
        return items if name == "*" else items[int(name) : int(name) + 1] if name.isdigit() else []
    if not isinstance(value, dict):
        return []
    fields: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  # likewise
    return list(fields.values()) if name == "*" else [fields[name]] if name in fields else []


def _is_good(done: Answer | None) -> bool:
    return done is not None and done.status == 200


def _told(done: Answer | None, *, with_headers: bool) -> dict[str, Any] | None:
    if done is None:
        return None
    headers = [{"name": name, "value": value} for name, value in done.headers.items()]
    told = {"code": done.status, "headers": headers, "body": done.body.decode()}
    return told if with_headers else {n: v for n, v in told.items() if n != "headers"}
