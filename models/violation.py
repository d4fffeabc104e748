"""One thing in a request that is not acceptable, and where it stands."""

type Violation = dict[str, str]
"""`pointer` (RFC 6901 into the body), `code` (a stable word), `message` (for people)."""

MOST_TOLD = 1000
"""Violations of one request that are told; behind so many nobody looks for more, however large it is."""


def violation(pointer: str, code: str, message: str) -> Violation:
    """One violation."""
    return {"pointer": pointer, "code": code, "message": message}


def step(pointer: str, name: object) -> str:
    """A pointer to something one level deeper.

    >>> step("/a", "b/c")
    '/a/b~1c'
    """
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
