"""Names that stand twice are found however they are written; counting alone never overlooks one."""

import json
import random

import msgspec
import pytest

from common.repeated_names import is_clearly_free, repeated_names

PIECES = ['"a"', '"b"', r'"\u0061"', r'"\":"', '":"', r'":\u003a"', r'"\\"', '"x :"', '""', "1"]


def anew(body: bytes) -> bytes:
    """As whoever keeps the last value of each name writes it."""
    return msgspec.json.encode(msgspec.json.decode(body))


def written(chance: random.Random, deep: int = 0) -> str:
    """Some JSON, with names, texts and white space of every kind."""
    kind = chance.choice(["object", "list", "plain"]) if 0 < deep < 4 else "object"
    space = chance.choice(["", "", " ", "\n\t", "\r"])
    if kind == "plain" or deep >= 4:
        return chance.choice(PIECES)
    several = range(chance.randrange(4))
    if kind == "list":
        return f"[{','.join(written(chance, deep + 1) for _ in several)}]"
    members = [
        f"{chance.choice(PIECES[:-1])}{space}:{space}{written(chance, deep + 1)}" for _ in several
    ]
    return f"{{{f',{space}'.join(members)}}}"


def has_repeats(body: str) -> bool:
    found = False

    def look(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal found
        found = found or len(dict(pairs)) < len(pairs)
        return dict(pairs)

    json.loads(body, object_pairs_hook=look)
    return found


def test_whatever_counting_lets_pass_names_nothing_twice():
    chance = random.Random(4)  # noqa: S311 - the same documents in every run
    bodies = [written(chance) for _ in range(4000)]

    passed = [body for body in bodies if is_clearly_free(body.encode(), anew(body.encode()))]
    told = [body for body in bodies if any(repeated_names(body.encode()))]

    assert told == [body for body in bodies if has_repeats(body)]
    assert not set(passed) & set(told)
    assert len(passed) > 500
    assert len(told) > 500


@pytest.mark.parametrize(
    "body",
    [
        b'{"activate": false, "activate": true}',
        b'{"activate" : false, "activate": true}',
        b'{"activate": false, "activ\\u0061te": true}',
        b'{"a": "\\":", "a": "\\u0022\\u003a\\u0022:"}',
        b'{"a": ":", "a": "\\u003a\\u003a", "b": "\\u003a"}',
    ],
)
def test_counting_is_not_deceived(body: bytes):
    assert not is_clearly_free(body, anew(body))
    assert list(repeated_names(body)) == [f"/{'activate' if b'activ' in body else 'a'}"]


@pytest.mark.parametrize("shape", [{}, {"indent": 2}, {"separators": (",", ":")}])
def test_ordinary_requests_are_told_by_counting(shape):
    request = {"link": "https://example.com/?a=1:2", "when": "12:30", "texts": [":)", "50 %", "ä"]}

    body = json.dumps(request, **shape).encode()

    assert is_clearly_free(body, anew(body))


def test_numbers_of_any_length_are_passed_over():
    body = b'{"a": [' + b"1" * 5000 + b', 1e999], "a": -0.5}'

    assert list(repeated_names(body)) == ["/a"]
