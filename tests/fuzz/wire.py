"""Requests written byte by byte, as no client library would: good ones, and ones odd in some way."""

import http.client
import json
import time
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from hypothesis import strategies as st

from tests.fuzz.nasty import TEXTS, Draw, json_bytes, texts
from tests.fuzz.target import IMAGE, Target

PATIENCE_SECONDS = 60.0
PARAMETERS = {
    "limit": ["1", "200", "0", "201", "-1", "1.0", "01", " 1", "1e2", "٣"],
    "cursor": ["AZqYoFf1cYeVlZUu2Xq-Zg", "AZqYoFf1cYeVlZUu2Xq-Zg==", "_" * 22],
    "validate_only": ["true", "true", "true", "false", "1", "yes"],
    "status": ["PENDING", "ACTIVE", "pending"],
    "platform_type": ["META", "TIKTOK_ADS"],
    "mode": ["sandbox", "live"],
    "kind": ["image", "audio"],
    "sha256": ["0" * 64, "0" * 64 + "\n", "G" * 64],
    "created_after": ["2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00Z"],
    "created_before": ["2026-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "1767225600"],
    "ad_account_id": ["00000000-0000-0000-0000-000000000000"],
    "surprise": ["1"],
}
RAW_QUERIES = [
    "&",
    "=",
    "&&==",
    "%zz=%",
    "%ff=%fe",
    "a;b",
    "limit",
    "limit=",
    "limit=%00",
    "?",
    "+",
]
CONTENT_TYPES = [
    b"application/json",
    b"application/json; charset=utf-16",
    b"APPLICATION/JSON ;charset=latin-1",
    b"application/problem+json",
    b"text/plain",
    b"",
    b"application",
    b"application/json;;;=;",
    b"multipart/form-data",
    b"multipart/form-data; boundary=",
    b"multipart/form-data; boundary=\xe9",
    b'multipart/form-data; boundary="a b',
    b"multipart/form-data; boundary=" + b"x" * 300,
    b"multipart/form-data; boundary=edge; charset=nonsense",
    b"application/x-www-form-urlencoded",
    b"\xff\xfe",
]
HEADERS = [
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "X-Request-Id",
    "Accept",
    "Cookie",
    "Prefer",
    "Range",
    "X-Forwarded-For",
    "X-HTTP-Method-Override",
    "Origin",
    "Content-Encoding",
    "Accept-Encoding",
    "Host",
]
REQUIRED_HEADERS = {"patch_account": ("If-Match", b"*")}
"""Without which nothing of an operation is ever carried out."""
ODD_HEADERS = [
    b"",
    b"*",
    b'"a"',
    b'W/"a", "b"',
    b"gzip",
    b"\xff\xe9",
    b"x" * 4000,
    b"a, b;q=",
    b"\t",
]
ODD_HEADERS += [b"$Version=1; a=b; a", b'"unfinished', b'"\\', b"DELETE", b"bytes=0-0,5-", b"null"]
PART_HEADERS = [
    b'Content-Disposition: form-data; name="file"; filename="hero.png"',
    b'Content-Disposition: form-data; name="file"; filename="\xff\xfe.png"',
    b'Content-Disposition: form-data; name="file"; filename="a\\"b\x01.png"',
    b"Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''%ff%00a",
    b"Content-Disposition: form-data; name=file; filename=" + b"n" * 3000,
    b'Content-Disposition: form-data; name="file"; filename="../../a.png"',
    b'Content-Disposition: form-data; name="file"',
    b'Content-Disposition: form-data; name="other"; filename="a"',
    b'Content-Disposition: form-data; name="\xff"; filename="a"',
    b"Content-Disposition: attachment",
    b"Content-Type: image/png",
    b"Content-Type: image/png; charset=nonsense\r\n"
    b'Content-Disposition: form-data; name="file"; filename="a"',
    b"Content-Length: 99999999999999999999999\r\n"
    b'Content-Disposition: form-data; name="file"; filename="a"',
    b": no name",
    b"x" * 9000,
]


class Request(msgspec.Struct, frozen=True):
    """One request as it goes over the wire."""

    method: str
    path: str
    headers: list[tuple[str, bytes]]
    body: bytes
    is_chunked: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    seconds: float


def good_request(target: Target, operation: Any) -> Request:
    """What the operation is for."""
    name = operation.definition.raw["operationId"]
    headers = [REQUIRED_HEADERS[name]] if name in REQUIRED_HEADERS else []
    body = target.good_body(name)
    if body is not None:
        headers.append(("Content-Type", b"application/json"))
    path: str = operation.path
    if "{" in path:
        path = f"{path.partition('{')[0]}{target.real_id(name)}{path.rpartition('}')[2]}"
    text = b"" if body is None else json.dumps(body).encode()
    return Request(operation.method.upper(), path, headers, text)


@st.composite
def requests(draw: Draw, target: Target, operation: Any) -> Request:
    """Near to a good request for the operation."""
    name = operation.definition.raw["operationId"]
    headers = draw(st.lists(st.tuples(st.sampled_from(HEADERS), _header_values()), max_size=2))
    if name in REQUIRED_HEADERS and draw(st.integers(0, 7)) != 5:
        headers.append(REQUIRED_HEADERS[name])
    body = b""
    if operation.body:
        kind, body = draw(_bodies(target, name))
        headers.append(("Content-Type", kind))
    return Request(
        method=operation.method.upper(),
        path=draw(_paths(target, operation, name)),
        headers=headers,
        body=body,
        is_chunked=bool(body) and draw(st.integers(0, 9)) == 5,
    )


def send(request: Request, target: Target, authorization: str | None) -> Answer:
    """Over a connection of its own, and within bounds."""
    connection = http.client.HTTPConnection(urlsplit(target.url).netloc, timeout=PATIENCE_SECONDS)
    started = time.perf_counter()
    try:
        has_host = any(name == "Host" for name, _ in request.headers)
        connection.putrequest(request.method, request.path, skip_host=has_host)
        for name, value in request.headers:
            connection.putheader(name, value)
        if authorization is not None:
            connection.putheader("Authorization", authorization.encode("latin-1"))
        length = ("Transfer-Encoding", "chunked") if request.is_chunked else None
        connection.putheader(*(length or ("Content-Length", str(len(request.body)))))
        connection.endheaders(request.body or None, encode_chunked=request.is_chunked)
        answer = connection.getresponse()
        headers, body = answer.getheaders(), answer.read()
    finally:
        connection.close()
    return Answer(answer.status, headers, body, time.perf_counter() - started)


def _header_values() -> st.SearchStrategy[bytes]:
    usable = [text.encode("utf-8", "replace") for text in TEXTS]
    # a line break, NUL or other control would break the protocol, which the server in front answers
    clean = [b"".join(bytes([b]) for b in text if b >= 32 and b != 127) for text in usable]
    return st.sampled_from([*ODD_HEADERS, *clean])


@st.composite
def _paths(draw: Draw, target: Target, operation: Any, name: str) -> str:
    path: str = operation.path
    if "{" in path:
        is_real = draw(st.integers(0, 7)) not in (3, 5)
        odd = draw(texts).replace("/", "_") or "_"
        given = target.real_id(name) if is_real else quote(odd, safe="", errors="replace")
        path = f"{path.partition('{')[0]}{given}{path.rpartition('}')[2]}"
    return path + draw(_queries(operation))


@st.composite
def _queries(draw: Draw, operation: Any) -> str:
    if draw(st.integers(0, 9)) == 5:
        return "?" + draw(st.sampled_from(RAW_QUERIES))
    known = [parameter.name for parameter in operation.query if parameter.name in PARAMETERS]
    if not known or draw(st.booleans()):
        return ""
    names = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True))
    odd = draw(st.integers(0, 19))
    names += {7: ["surprise"], 11: names}.get(odd, [])
    pairs = [(name, draw(_query_value(name))) for name in names]
    return "?" + "&".join(f"{name}={quote(value, errors='replace')}" for name, value in pairs)


def _query_value(name: str) -> st.SearchStrategy[str]:
    usual = st.sampled_from(PARAMETERS[name])
    return st.one_of(usual, usual, usual, texts)


@st.composite
def _bodies(draw: Draw, target: Target, name: str) -> tuple[bytes, bytes]:
    if name == "create_asset" and draw(st.integers(0, 2)) != 1:
        return draw(_forms())
    is_usual = draw(st.integers(0, 9)) != 5
    kind = b"application/json" if is_usual else draw(st.sampled_from(CONTENT_TYPES))
    return kind, draw(json_bytes(target.good_body(name)))


@st.composite
def _forms(draw: Draw) -> tuple[bytes, bytes]:
    """A form with a file, most of them wrong in some way."""
    kind = b"multipart/form-data; boundary=edge"
    good = b"--edge\r\n" + PART_HEADERS[0] + b"\r\n\r\n" + IMAGE + b"\r\n--edge--\r\n"
    match draw(st.sampled_from(["good", "good", "header", "header", "parts", "cut", "type"])):
        case "good":
            return kind, good
        case "header":
            return kind, good.replace(PART_HEADERS[0], draw(st.sampled_from(PART_HEADERS)))
        case "parts":
            parts = draw(st.lists(st.sampled_from(PART_HEADERS), max_size=3))
            filling = draw(st.sampled_from([b"", b"GIF89a", IMAGE[:60], b"--edge", b"\r\n"]))
            inner = b"".join(b"--edge\r\n" + p + b"\r\n\r\n" + filling + b"\r\n" for p in parts)
            return kind, inner + draw(st.sampled_from([b"--edge--", b"--edge--\r\n", b"", b"--"]))
        case "cut":
            return kind, good[: draw(st.integers(0, len(good)))]
        case _:
            return draw(st.sampled_from(CONTENT_TYPES)), good
