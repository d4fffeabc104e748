"""What callers rely on is still there: the document is compared with the one that was released.

After a change that only adds, or that breaks on purpose, the released document is written anew from a
running installation:
`curl -s localhost:8000/api/v1/openapi.json | python3 -m json.tool --indent 1 > docs/openapi.json`.
"""

import copy
import json
from pathlib import Path

import pytest

from tests.openapi.breaking import breaking

RELEASED = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture
def released():
    return json.loads(RELEASED.read_text())


async def test_nothing_is_taken_from_callers(document, released):
    found = breaking(released, document)

    assert found == [], "callers of the released API would break:\n" + "\n".join(found)


async def test_the_released_document_is_the_one_that_is_served(document, released):
    assert document == released, "docs/openapi.json is to be written anew"


def test_the_released_document_does_not_break_itself(released):
    assert breaking(released, released) == []


def test_what_is_added_breaks_nothing(released):
    new = copy.deepcopy(released)
    new["paths"]["/api/v1/more"] = {}
    new["components"]["schemas"]["AccountView"]["properties"]["more"] = {"type": "string"}
    new["components"]["schemas"]["AccountView"]["required"].append("more")
    new["components"]["schemas"]["NewAccount"]["properties"]["more"] = {"type": "string"}
    new["components"]["schemas"]["JobView"]["properties"]["status"]["enum"].append("PAUSED")

    assert breaking(released, new) == []


def remove_path(new):
    del new["paths"]["/api/v1/assets/{asset_id}"]


def remove_method(new):
    del new["paths"]["/api/v1/ad_accounts/{account_id}"]["patch"]


def rename(new):
    new["paths"]["/api/v1/ad_accounts"]["post"]["operationId"] = "add_account"


def remove_field(new):
    del new["components"]["schemas"]["JobView"]["properties"]["waiting"]


def remove_value(new):
    new["components"]["schemas"]["JobView"]["properties"]["status"]["enum"].remove("CANCELLED")


def require_field(new):
    new["components"]["schemas"]["NewAccount"]["required"].append("max_running")


def require_deep_field(new):
    new["components"]["schemas"]["LinkCreative"]["required"].append("message")


def leave_out(new):
    new["components"]["schemas"]["AccountView"]["required"].remove("livemode")


def change_type(new):
    new["components"]["schemas"]["AccountView"]["properties"]["max_running"]["type"] = "string"


def forbid_null(new):
    union = new["components"]["schemas"]["LinkCreative"]["properties"]["message"]["anyOf"]
    union.remove({"type": "null"})


def remove_parameter(new):
    operation = new["paths"]["/api/v1/campaign_jobs"]["get"]
    operation["parameters"] = [p for p in operation["parameters"] if p["name"] != "status"]


def require_parameter(new):
    (parameter,) = [
        p
        for p in new["paths"]["/api/v1/ads/meta"]["post"]["parameters"]
        if p["name"] == "Idempotency-Key"
    ]
    parameter["required"] = True


def refuse_type(new):
    content = new["paths"]["/api/v1/assets"]["post"]["requestBody"]["content"]
    del content["multipart/form-data"]


def answer_otherwise(new):
    answers = new["paths"]["/api/v1/ads/meta"]["post"]["responses"]
    answers["202"]["content"]["application/json"]["schema"]["$ref"] = answers["200"]["content"][
        "application/json"
    ]["schema"]["$ref"]


def lose_answer(new):
    del new["paths"]["/api/v1/ads/meta"]["post"]["responses"]["202"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (remove_path, "/api/v1/assets/{asset_id} was removed"),
        (remove_method, "PATCH /api/v1/ad_accounts/{account_id} was removed"),
        (rename, "was renamed from create_account to add_account"),
        (remove_field, "JobView.waiting was removed"),
        (remove_value, "JobView.status lost the value 'CANCELLED'"),
        (require_field, "NewAccount.max_running is required now"),
        (require_deep_field, "LinkCreative.message is required now"),
        (leave_out, "AccountView.livemode may be missing now"),
        (change_type, "AccountView.max_running was integer and is string"),
        (forbid_null, "LinkCreative.message was null or string and is string"),
        (remove_parameter, "GET /api/v1/campaign_jobs lost the parameter status"),
        (require_parameter, "POST /api/v1/ads/meta needs the parameter Idempotency-Key now"),
        (refuse_type, "POST /api/v1/assets does not take multipart/form-data any more"),
        (answer_otherwise, "POST /api/v1/ads/meta answers 202 with"),
        (lose_answer, "POST /api/v1/ads/meta does not answer 202 any more"),
    ],
)
def test_what_is_taken_away_is_told_in_words(released, change, told):
    new = copy.deepcopy(released)

    change(new)

    assert any(told in found for found in breaking(released, new)), breaking(released, new)
