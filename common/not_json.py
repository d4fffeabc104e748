"""Why a body is no JSON, for people who made it with something else than they thought."""

import re

_BEGINNINGS = (
    (b"\xef\xbb\xbf", "it begins with a byte order mark; send UTF-8 without one"),
    (b"\xff\xfe", "it is UTF-16; send UTF-8"),
    (b"\xfe\xff", "it is UTF-16; send UTF-8"),
    (b"\x1f\x8b", "it is packed by gzip; send it as it is"),
)
_STRANGERS = (
    (rb"-?(NaN|Infinity)", "NaN and Infinity are no numbers of JSON"),
    (rb"True|False|None", "JSON writes true, false and null"),
    (rb"['\"`]|\xe2\x80[\x98-\x9f]", "text and names stand in plain double quotes"),
    (rb"/[/*]", "JSON has no comments"),
    (rb"[\x00-\x1f]", "line breaks and tabs in a text are written \\n and \\t"),
)
_AT = re.compile(r"\(byte (\d+)\)")


def why_not_json(body: bytes, error: Exception) -> str:
    """What msgspec or json said of these bytes, with what to do where that can be told.

    >>> import msgspec
    >>> def why(body):
    ...     try:
    ...         msgspec.json.decode(body)
    ...     except ValueError as error:
    ...         return why_not_json(body, error)
    >>> why(b" "), why('{"a": 1}'.encode("utf-16"))
    ('it is empty', 'it is UTF-16; send UTF-8')
    >>> why(b'{"a": "\\xfc"}')
    'it is not UTF-8 (byte 7)'
    >>> why(b'{"a": NaN}')
    'JSON is malformed: invalid character (byte 6); NaN and Infinity are no numbers of JSON'
    >>> why(b'{"a": 1,}')
    'JSON is malformed: trailing comma in object (byte 8)'
    """
    if not body.strip():
        return "it is empty"
    for beginning, reason in _BEGINNINGS:
        if body.startswith(beginning):
            return reason
    if b"\0" in body[:4]:
        return "it is UTF-16 or UTF-32; send UTF-8"
    try:
        body.decode()
    except UnicodeDecodeError as broken:
        return f"it is not UTF-8 (byte {broken.start})"
    return f"{error}{_hint(body, str(error))}"


def _hint(body: bytes, told: str) -> str:
    at = _AT.search(told)
    if at is None:
        return ""
    for pattern, hint in _STRANGERS:
        if re.compile(pattern).match(body, int(at[1])):
            return f"; {hint}"
    return ""
