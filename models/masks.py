"""Recognises what stands in the place of a secret: a program that read a mask must not store it."""

import re

_DOTS = frozenset("*•●∙·…█▪◦\uff0a\u2217")
_BRACKETED = re.compile(r"[\[<({].*[\])>}]", re.DOTALL)
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_ONE_LETTER = re.compile(r"[xX]{3,}|[-_.]+")
_WORDS = frozenset(
    {"hidden", "redacted", "masked", "secret", "encrypted", "filtered", "removed", "unchanged"}
    | {"none", "null", "undefined"}
)


def is_mask(text: str) -> bool:
    """Whether it is a mask, a fingerprint or a word that says "here was a secret".

    >>> [is_mask(text) for text in ("***", "EAAB••••wxyz", "[hidden]", "Redacted", "xxxx")]
    [True, True, True, True, True]
    >>> is_mask("EAAB...wxyz"), is_mask("header.payload.signature")
    (True, False)
    >>> is_mask("0a1b2c3d4e5f6071"), is_mask("EAABsbCS1iHgBAxxx0"), is_mask("1234567890|f00d-cafe")
    (True, False, False)
    """
    bare = text.strip()
    return (
        not _DOTS.isdisjoint(bare)
        or "..." in bare
        or bare.lower() in _WORDS
        or any(shape.fullmatch(bare) for shape in (_BRACKETED, _ONE_LETTER, _FINGERPRINT))
    )
