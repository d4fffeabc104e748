"""A browser finds what this is and how to use it, and asks no other host for any of it."""

import re

import pytest
from openapi_spec_validator import validate

from tests.routes.conftest import Api

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_a_browser_is_told_what_this_is(api: Api):
    answer = await api.client.get("/", headers=BROWSER)

    assert answer.headers["content-type"].startswith("text/html")
    assert "Mojito" in answer.text
    assert 'href="/docs"' in answer.text


async def test_a_program_is_told_the_same_in_json(api: Api):
    answer = await api.client.get("/")

    assert answer.json()["documentation"] == "/docs"
    assert answer.json()["openapi"] == "/api/v1/openapi.json"


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_pages_name_no_other_host_and_allow_none(api: Api, path):
    answer = await api.client.get(path, headers=BROWSER)

    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", answer.text)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "script-src 'self';" in policy
    assert "<script>" not in answer.text


async def test_everything_that_the_documentation_loads_is_here(api: Api):
    page = (await api.client.get("/docs", headers=BROWSER)).text
    files = re.findall(r"""(?:src|href)=["'](/[^"']+)""", page)

    answers = [await api.client.get(file) for file in files]

    assert len(files) == 4
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["content-type"].partition(";")[0] for answer in answers} == {
        "text/css",
        "text/javascript",
    }


@pytest.mark.parametrize("name", ["nothing.js", "..%2fapp.py", "swagger-ui-LICENSE"])
async def test_other_files_are_not_given_out(api: Api, name):
    assert (await api.client.get(f"/docs/{name}")).status_code == 404


async def test_the_document_is_valid_openapi_3_1(api: Api):
    document = (await api.client.get("/api/v1/openapi.json")).json()

    validate(document)

    assert document["openapi"] == "3.1.0"


async def test_every_operation_says_what_it_does_and_how_it_refuses(api: Api):
    document = (await api.client.get("/api/v1/openapi.json")).json()

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            if path.startswith("/api/v1"):
                assert operation["responses"]["401"]["content"]["application/problem+json"]
                needs = "whatever its scopes" if path == "/api/v1/me" else "Needs the scope"
                assert needs in operation["description"]


async def test_schemas_are_complete(api: Api):
    document = (await api.client.get("/api/v1/openapi.json")).json()
    schemas = document["components"]["schemas"]

    assert schemas["NewAccount"]["additionalProperties"] is False
    assert schemas["NewAccount"]["properties"]["credentials"]["writeOnly"] is True
    assert schemas["MetaCredentials"]["properties"]["access_token"]["description"]
    assert schemas["AccountView"]["properties"]["created_at"]["format"] == "date-time"
    for name in ("AccountView", "JobView", "Problem", "MetaCampaignRequest"):
        for field, schema in schemas[name]["properties"].items():
            assert "description" in str(schema), f"{name}.{field}"


async def test_parameters_of_lists_are_described(api: Api):
    document = (await api.client.get("/api/v1/openapi.json")).json()
    parameters = {
        parameter["name"]: parameter
        for parameter in document["paths"]["/api/v1/campaign_jobs"]["get"]["parameters"]
    }

    assert parameters["limit"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 200,
        "default": 50,
    }
    assert "PENDING" in parameters["status"]["schema"]["enum"]
    assert parameters["created_after"]["schema"]["format"] == "date-time"
    assert all(parameter["description"] for parameter in parameters.values())
