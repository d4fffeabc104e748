"""Values that have broken programs before, and bodies of JSON with them in any place."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

type Draw = Callable[[st.SearchStrategy[Any]], Any]

SLOT = "@slot@"
"""Stands for JSON that no encoder would write."""
SLOTS = [
    *(f"{'[' * deep}{']' * deep}" for deep in (40, 300, 900, 1100, 5000, 60_000)),
    *(f"{'{"a":' * deep}1{'}' * deep}" for deep in (40, 300, 900, 1100, 5000, 60_000)),
    "1e400",
    "-1e400",
    "1e-400",
    "NaN",
    "Infinity",
    "1" + "0" * 400,
    "1" + "0" * 5000,
    "1e308",
    "0.1" + "0" * 20_000 + "1",
    "-0",
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '{"a": 1, "a": 2}',
    '{"\\u0000": 1}',
    '{"\\ud800": 1}',
    '"\\x"',
    "",
    "01",
    "'a'",
    "[1,]",
]
TEXTS = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\x01\x1f\x7f\x85",
    "\ud800",
    "\udfff\ud800",
    "\u202eabc\u2066",
    "\ufeff",
    "😀" * 300,
    "x" * 300,
    "x" * 5000,
    "e\u0301" * 150,
    "٣٤",
    "act_١٢٣",
    "act_" + "9" * 40,
    "act_1\n",
    "null",
    "true",
    "-1",
    "1e999",
    "9" * 400,
    "../../etc/passwd",
    "'; drop table ad_accounts; --",
    "{{7*7}}${7*7}%s%n",
    "0001-01-01T00:00:00+23:59",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59.999999Z",
    "2026-12-01T00:00:00",
    "2026-12-01",
    "-0001-01-01T00:00:00Z",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "{00000000-0000-0000-0000-000000000000}",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    "https://[",
    "https://[::1",
    "https://example.com:99999999/",
    "https://\u2603.example/\u2603",
    "https://" + "a" * 300 + ".example/",
    "http://user:word@127.0.0.1:1/",
    "javascript:alert(1)",
    "AAAAAAAAAAAAAAAAAAAAAA",
    "AAAA",
    "====",
    '"',
    '"a"',
    'W/"a", *',
]
VALUES = [
    *TEXTS,
    None,
    True,
    False,
    0,
    1,
    -1,
    2**31,
    2**31 - 1,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    2**64,
    0.5,
    1e308,
    -1e-308,
    [],
    [[]],
    [None],
    ["a"] * 300,
    {},
    {"": ""},
    {"a\x00": 1},
    {"\ud800": 1},
    {"x" * 300: {}},
    {str(number): number for number in range(300)},
    SLOT,
]

texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=20))
values = st.one_of(
    st.sampled_from(VALUES),
    st.just(SLOT),
    st.text(max_size=20),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)


@st.composite
def json_bytes(draw: Draw, good: Any) -> bytes:
    """The good document as it is, or with up to three of its places made nasty, or no JSON at all."""
    kind = draw(
        st.sampled_from(["good", "good", "changed", "changed", "changed", "changed", "broken"])
    )
    document = good
    for _ in range(draw(st.integers(1, 3)) if kind == "changed" else 0):
        document = draw(_changed(document))
    text = json.dumps(document)
    while f'"{SLOT}"' in text:
        text = text.replace(f'"{SLOT}"', draw(st.sampled_from(SLOTS)), 1)
    body = text.encode("utf-8")
    return draw(_broken(body)) if kind == "broken" else body


@st.composite
def _changed(draw: Draw, document: Any) -> Any:
    """One place, found by walking down at random, replaced, removed, doubled or added to."""
    if not isinstance(document, dict | list) or not document or draw(st.integers(0, 5)) == 0:
        return draw(values)
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    key = draw(st.sampled_from(keys))
    copy = document.copy()
    match draw(st.sampled_from(["down", "down", "down", "down", "remove", "add"])):
        case "down":
            copy[key] = draw(_changed(document[key]))
        case "remove":
            del copy[key]
        case _ if isinstance(copy, dict):
            copy[draw(texts)] = draw(values)
        case _:
            copy.append(draw(st.one_of(st.just(document[key]), values)))
    return copy


@st.composite
def _broken(draw: Draw, body: bytes) -> bytes:
    """Bytes cut, mixed with others, in another encoding, or simply too many."""
    at = draw(st.integers(0, max(0, len(body) - 1)))
    return draw(
        st.sampled_from(
            [
                b"",
                b"null",
                b"[]",
                body[:at],
                body[:at] + b"\xff" + body[at:],
                body[:at] + b"\xed\xa0\x80" + body[at:],
                body[:at] + b"\x00" + body[at:],
                b"\xef\xbb\xbf" + body,
                body.decode().encode("utf-16"),
                body + body,
                b" " * (1024 * 1024) + body,
                b"[" * 200_000,
            ]
        )
    ) or draw(st.binary(max_size=30))
