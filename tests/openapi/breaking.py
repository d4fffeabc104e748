"""Finds what a new OpenAPI document takes away from callers of the old one."""

from collections.abc import Iterator
from typing import Any

type Document = dict[str, Any]

_SCHEMAS = "#/components/schemas/"
_METHODS = ("get", "post", "put", "patch", "delete")


def breaking(old: Document, new: Document) -> list[str]:
    """Every promise of the old document that the new one does not keep, in words."""
    return [*_paths(old["paths"], new["paths"]), *_schemas(old, new)]


def _paths(old: Document, new: Document) -> Iterator[str]:
    for path, methods in old.items():
        if path not in new:
            yield f"{path} was removed"
            continue
        for method in _METHODS:
            if method in methods and method not in new[path]:
                yield f"{method.upper()} {path} was removed"
            elif method in methods:
                yield from _operation(
                    f"{method.upper()} {path}", methods[method], new[path][method]
                )


def _operation(name: str, old: Document, new: Document) -> Iterator[str]:
    if old["operationId"] != new["operationId"]:
        yield f"{name} was renamed from {old['operationId']} to {new['operationId']}"
    yield from _parameters(name, _by_name(old), _by_name(new))
    for status, answer in old["responses"].items():
        if status not in new["responses"] and status.startswith("2"):
            yield f"{name} does not answer {status} any more"
        for kind in answer.get("content", {}):
            if kind not in new["responses"].get(status, {}).get("content", {kind: {}}):
                yield f"{name} does not answer {status} as {kind} any more"
        yield from _same_schema(
            f"{name} answers {status}", answer, new["responses"].get(status, answer)
        )
    taken = old.get("requestBody", {}).get("content", {})
    for kind in taken:
        if kind not in new.get("requestBody", {}).get("content", {}):
            yield f"{name} does not take {kind} any more"
    if new.get("requestBody", {}).get("required") and not old.get("requestBody"):
        yield f"{name} needs a body now"


def _by_name(operation: Document) -> dict[tuple[str, str], Document]:
    return {(told["in"], told["name"]): told for told in operation.get("parameters", ())}


def _parameters(
    name: str, old: dict[tuple[str, str], Document], new: dict[tuple[str, str], Document]
) -> Iterator[str]:
    for key, told in old.items():
        if key not in new:
            yield f"{name} lost the parameter {key[1]}"
        else:
            yield from _narrower(f"{name}, {key[1]}", told["schema"], new[key]["schema"])
    for key, told in new.items():
        if told.get("required") and not old.get(key, {}).get("required"):
            yield f"{name} needs the parameter {key[1]} now"


def _same_schema(name: str, old: Document, new: Document) -> Iterator[str]:
    for kind, body in old.get("content", {}).items():
        before = body["schema"].get("$ref")
        after = new.get("content", {}).get(kind, body)["schema"].get("$ref")
        if before != after:
            yield f"{name} with {after} instead of {before}"


def _schemas(old: Document, new: Document) -> Iterator[str]:
    sent = _sent(old)
    for name, schema in old["components"]["schemas"].items():
        after = new["components"]["schemas"].get(name)
        if after is None:
            yield f"{name} was removed"
            continue
        fields, kept = schema.get("properties", {}), after.get("properties", {})
        yield from (f"{name}.{field} was removed" for field in fields if field not in kept)
        for field in set(fields) & set(kept):
            yield from _narrower(f"{name}.{field}", fields[field], kept[field])
        required, needed = set(schema.get("required", ())), set(after.get("required", ()))
        if name in sent:
            yield from (f"{name}.{field} is required now" for field in needed - required)
        else:
            yield from (f"{name}.{field} may be missing now" for field in required - needed)


def _sent(document: Document) -> set[str]:
    """Schemas of what callers send, with all that is in them."""
    bodies = [
        operation.get("requestBody", {})
        for methods in document["paths"].values()
        for operation in methods.values()
    ]
    found: set[str] = set()
    waiting = [name for body in bodies for name in _named(body)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _named(document["components"]["schemas"][name])
    return found


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("$ref", "").startswith(_SCHEMAS):
            yield value["$ref"].removeprefix(_SCHEMAS)
        for inner in value.values():
            yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def _narrower(name: str, old: Document, new: Document) -> Iterator[str]:
    """Values that are not known any more, types that have changed."""
    gone = _values(old) - _values(new) if _values(new) else set()
    yield from (f"{name} lost the value {value!r}" for value in sorted(gone, key=str))
    if _types(old) - _types(new):
        yield f"{name} was {_words(_types(old))} and is {_words(_types(new))}"


def _values(schema: Document) -> set[Any]:
    found = set(schema.get("enum", ()))
    for inner in schema.get("anyOf", ()):
        found |= _values(inner)
    return found if not isinstance(schema.get("items"), dict) else found | _values(schema["items"])


def _types(schema: Document) -> set[str]:
    if "anyOf" in schema:
        return {kind for inner in schema["anyOf"] for kind in _types(inner)}
    return {schema["$ref"]} if "$ref" in schema else {schema.get("type", "")} - {""}


def _words(types: set[str]) -> str:
    return " or ".join(sorted(types)) or "anything"
