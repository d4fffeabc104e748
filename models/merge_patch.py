"""JSON Merge Patch (RFC 7396): null removes, objects are merged, everything else replaces."""

from typing import Any


def merged(target: Any, patch: Any) -> Any:
    """The target with the patch; neither of them is changed.

    >>> merged({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": None}, "e": [None]})
    {'d': 3, 'a': {'c': 2}, 'e': [None]}
    """
    if not isinstance(patch, dict):
        return patch
    changes: dict[str, Any] = patch  # pyright: ignore[reportUnknownVariableType]  # JSON of a caller
    known: dict[str, Any] = target if isinstance(target, dict) else {}
    result = {name: value for name, value in known.items() if name not in changes}
    for name, value in changes.items():
        if value is not None:
            result[name] = merged(known.get(name), value)
    return result
