"""The OpenAPI document says everything: each field, refusal and limit, with examples that are true."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from models.meta_rules.targeting import MOST_LOCALES, MOST_PLACES
from routes.refusal_codes import REFUSALS, code_of

ROOT = Path(__file__).parents[2]
DOCUMENT = "urn:document"
REFUSING = ("routes", "middleware")
NOT_OF_A_ROUTE = {"route_not_found", "method_not_allowed", "internal_error"}
"""Answered where no operation is, or to nobody's intent."""


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every JSON body that is sent or answered, and the data of streams, under a name."""
    posted = {name: methods["post"] for name, methods in document["webhooks"].items()}
    for name, operation in [*operations(document), *posted.items()]:
        contents = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for place, content in contents.items():
            for kind, body in content.get("content", {}).items():
                if kind.endswith(("json", "event-stream")):
                    yield f"{name} {place} {kind}", body


def shown(document: dict[str, Any], body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The examples of a body, which stand at the end of the document."""
    return {
        title: document["components"]["examples"][reference["$ref"].rpartition("/")[2]]
        for title, reference in body.get("examples", {}).items()
    }


def broken_examples(document: dict[str, Any]) -> list[str]:
    """Examples that their schema does not allow."""
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    registry = Registry().with_resource(DOCUMENT, resource)
    wrong: list[str] = []
    for name, body in bodies(document):
        reference = body["schema"]["$ref"]
        validator = Draft202012Validator(
            {"$ref": DOCUMENT + reference},
            registry=registry,
            format_checker=Draft202012Validator.FORMAT_CHECKER,
        )
        for title, example in shown(document, body).items():
            found = [error.message for error in validator.iter_errors(example["value"])]
            wrong += [f"{name}, {title}: {message}" for message in found]
    return wrong


def untold(document: dict[str, Any]) -> list[str]:
    """What the document does not describe."""
    schemas = document["components"]["schemas"]
    found = [f"{name} has no description" for name, told in schemas.items() if not _told(told)]
    for name, schema in schemas.items():
        fields = schema.get("properties", {})
        found += [f"{name}.{field}" for field, told in fields.items() if not _told(told)]
    for name, operation in operations(document):
        # pages show a summary as it is, so marks of Markdown would stand there
        if "`" in operation["summary"] or not (operation["summary"] and operation["description"]):
            found.append(name)
        told = operation["parameters"]
        found += [f"{name} {parameter['name']}" for parameter in told if not _told(parameter)]
        for status, answer in operation["responses"].items():
            headers = answer.get("headers", {})
            found += [f"{name} {status} {key}" for key, at in headers.items() if not _told(at)]
    return found + [tag["name"] for tag in document["tags"] if tag["description"] == tag["name"]]


def _told(part: dict[str, Any]) -> bool:
    return bool(part.get("description")) or "$ref" in part


def raised_codes() -> set[str]:
    """Every code that stands as a word in an error that routes and middleware raise or return."""
    trees = [
        ast.parse(path.read_text())
        for folder in REFUSING
        for path in (ROOT / folder).glob("*.py")
        if path.name != "examples.py"
    ]
    return {
        str(node.value.value)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "code"
        if isinstance(node.value, ast.Constant)
    }


async def test_the_document_is_valid(document):
    validate(document)


async def test_everything_is_described(document):
    assert untold(document) == []


async def test_names_of_operations_are_unique(document):
    names = [operation["operationId"] for _, operation in operations(document)]

    assert len(names) == len(set(names))


async def test_every_body_has_an_example(document):
    missing = [name for name, body in bodies(document) if not body.get("examples")]

    assert missing == [], "add them to routes/examples.py or routes/refusal_codes.py"


async def test_every_example_is_as_its_schema_says(document):
    assert broken_examples(document) == []


async def test_an_example_that_is_wrong_would_be_found(document):
    document["components"]["examples"]["NewAccount.account"]["value"]["mode"] = "test"

    (wrong,) = broken_examples(document)

    assert "'test' is not one of" in wrong


async def test_every_example_is_shown_somewhere(document):
    seen = {
        reference["$ref"].rpartition("/")[2]
        for _, body in bodies(document)
        for reference in body.get("examples", {}).values()
    }

    assert seen == document["components"]["examples"].keys()


async def test_every_refusal_has_the_status_and_code_of_its_place(document):
    seen = set()
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/problem+json", {})
            for title, example in shown(document, content).items():
                value, code = example["value"], code_of(title)
                assert (value["status"], value["code"]) == (int(status), code), name
                assert value["type"] == f"urn:mojito:problem:{code}"
                seen.add(title)

    assert seen == REFUSALS.keys()


async def test_every_code_that_is_raised_is_documented():
    found = raised_codes()

    assert {"job_already_finished", "precondition_failed", "unauthorized"} <= found
    assert found - REFUSALS.keys() - NOT_OF_A_ROUTE == set(), "add them to routes/refusal_codes.py"


async def test_unions_name_the_field_that_tells_their_members_apart(document):
    schemas = document["components"]["schemas"]
    creative = schemas["MetaAd"]["properties"]["creative"]

    mapping = creative["discriminator"]["mapping"]

    assert creative["discriminator"]["propertyName"] == "type"
    assert mapping.keys() == {"link", "video", "carousel", "existing_post"}
    for tag, reference in mapping.items():
        member = schemas[reference.rpartition("/")[2]]
        assert member["properties"]["type"]["enum"] == [tag]
        assert tag in member["properties"]["type"]["description"]
        assert "type" in member["required"]


async def test_every_union_of_objects_has_a_discriminator(document):
    for name, schema in document["components"]["schemas"].items():
        for field, told in schema.get("properties", {}).items():
            references = [inner for inner in told.get("anyOf", ()) if "$ref" in inner]
            assert len(references) < 2 or "discriminator" in told, f"{name}.{field}"


async def test_limits_of_lists_stand_in_the_document(document):
    schemas = document["components"]["schemas"]
    pages = {
        name: schema for name, schema in schemas.items() if "next_cursor" in schema["properties"]
    }

    assert {"AccountPage", "AssetPage", "JobPage"} <= pages.keys()
    assert {schema["properties"]["data"]["maxItems"] for schema in pages.values()} == {200}
    cards = schemas["CarouselCreative"]["properties"]["cards"]
    assert (cards["minItems"], cards["maxItems"]) == (2, 10)
    for name, operation in operations(document):
        limits = [p["schema"] for p in operation["parameters"] if p["name"] == "limit"]
        assert all(limit["maximum"] == 200 for limit in limits), name


async def test_limits_that_only_rules_know_stand_in_the_document_as_the_rules_have_them(document):
    schemas = document["components"]["schemas"]
    places = schemas["GeoLocations"]["properties"]

    told = {kind: most_of(places[kind]) for kind in MOST_PLACES}

    assert told == MOST_PLACES
    assert most_of(schemas["Targeting"]["properties"]["locales"]) == MOST_LOCALES


def most_of(field: dict[str, Any]) -> int:
    (items,) = [kind["maxItems"] for kind in field["anyOf"] if kind["type"] == "array"]
    return items


async def test_limits_of_what_stands_in_a_list_are_kept(document):
    ad_set = document["components"]["schemas"]["Targeting"]["properties"]

    countries = document["components"]["schemas"]["GeoLocations"]["properties"]["countries"]

    (items,) = [kind["items"] for kind in countries["anyOf"] if kind["type"] == "array"]
    assert items["pattern"]
    assert "anyOf" in ad_set["locales"]


async def test_examples_hold_no_key_and_no_secret_of_anybody(document):
    assert not re.findall(r"mj_(?:live|test)_[0-9A-Za-z]{8,}", str(document))


def test_the_document_bears_the_version_of_the_program(document):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert document["info"]["version"] == project["version"]
