"""The page for users of Meta's SDK: our requests are acceptable, and the SDK has the calls that it names."""

import ast
import re
from pathlib import Path

import msgspec
import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.advideo import AdVideo

from tests.routes.conftest import add_account

PAGE = (Path(__file__).parents[2] / "docs" / "from-facebook-business.md").read_text()
SECTIONS = {
    title: text
    for title, _, text in (part.partition("\n") for part in PAGE.split("\n## ")[1:])
    if "```json" in text
}
STEPS = {
    "A small tree": ["campaign", "ad_set[0]", "creative[0][0]", "ad[0][0]"],
    "An image": ["media[hero]", "campaign", "ad_set[0]", "creative[0][0]", "ad[0][0]"],
    "A video": [
        "media[clip]",
        "media[hero]",
        "campaign",
        "ad_set[0]",
        "creative[0][0]",
        "ad[0][0]",
    ],
    "A carousel": [
        "media[classic]",
        "media[ginger]",
        "campaign",
        "ad_set[0]",
        "creative[0][0]",
        "ad[0][0]",
    ],
}


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTIONS[section], re.DOTALL)


def test_the_page_has_the_sections_that_are_tried():
    assert SECTIONS.keys() == STEPS.keys()


@pytest.mark.parametrize("section", STEPS)
async def test_every_request_of_ours_is_acceptable(caller, section):
    await add_account(caller)
    (text,) = blocks(section, "json")

    answer = await caller.post(
        "/api/v1/ads/meta", params={"validate_only": "true"}, json=msgspec.json.decode(text)
    )

    assert answer.status_code == 200, answer.text
    assert sorted(step["name"] for step in answer.json()["steps"]) == sorted(STEPS[section])


@pytest.mark.parametrize("section", STEPS)
def test_every_call_of_theirs_exists(section):
    (code,) = blocks(section, "python")

    called = {
        (node.func.value.id, node.func.attr)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
    }

    assert called
    kinds = {"account": AdAccount, "video": AdVideo}
    assert all(hasattr(kinds[name], method) for name, method in called), called
