"""`/docs` in a real browser: everything is shown, nothing comes from elsewhere, nothing complains."""

import json
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from routes.pages import DOCS
from tests.browser.browser import Answer, Browser, Page
from tests.house.conftest import until
from tests.mojito.test_up import Up

METHODS = ("get", "post", "put", "patch", "delete")


class Window(NamedTuple):
    """Of a desk or of a hand."""

    width: int
    height: int
    mobile: bool


DESK, HAND = Window(1280, 900, mobile=False), Window(390, 844, mobile=True)
WINDOWS = pytest.mark.parametrize("window", [DESK, HAND], ids=["desk", "hand"])
SHOWN = "document.querySelector('.opblock')"
TOLD = "document.querySelector('.opblock, .errors-wrapper, .failed-config, .loading-container h4')"
LOADED = "document.readyState === 'complete'"
OPERATION = """document.querySelector('[data-path="/api/v1/ads/meta"]').closest('.opblock')"""
SCHEMAS = "document.querySelector('.models')"
SEEN = """(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) =>
    element.getClientRects().length > 0 && Boolean((element.innerText ?? "").trim());
  const right = (element) => element.getBoundingClientRect().right;
  const width = document.documentElement.clientWidth;
  return {
    operations: all(".opblock-summary").filter(shown).map((block) => [
      block.querySelector(".opblock-summary-method").innerText,
      block.querySelector(".opblock-summary-path").dataset.path]),
    schemas: all(".models .json-schema-2020-12__title").filter(shown).map((e) => e.innerText),
    named: all("link, script, img, iframe").map((e) => e.href || e.src).filter(Boolean),
    text: document.body.innerText,
    wide: all("body *").filter((e) => right(e) > width + 1 && !e.closest("pre")).length,
    width: document.documentElement.scrollWidth,
  };
})()"""
WRONG_WORDS = (
    "Failed to load API definition",
    "No API definition provided",
    "Unable to render this definition",
    "Could not resolve reference",
    "Could not render",
    "Parser error",
    "Resolver error",
)
OUTSIDE = "https://outside.example/x"
SHORT = json.dumps(
    {
        "openapi": "3.1.0",
        "info": {"title": "Mojito", "version": "1"},
        "paths": {"/livez": {"get": {}}},
    }
)


class Look(NamedTuple):
    """What was seen, and what should have been."""

    page: Page
    seen: dict[str, Any]
    document: dict[str, Any]
    window: Window
    own: str

    def faults(self) -> list[str]:
        """Everything that is not as it should be."""
        shown = {tuple(pair) for pair in self.seen["operations"]}
        missing = operations(self.document) - shown
        asked = [*self.page.requests, *self.seen["named"]]
        return [
            *(f"asked elsewhere: {url}" for url in asked if self._is_elsewhere(url)),
            *(f"complained: {text}" for text in self.page.complaints),
            *(f"says: {word}" for word in WRONG_WORDS if word in self.seen["text"]),
            *(f"not shown: {method} {path}" for method, path in sorted(missing)),
            *(f"not shown: {name}" for name in schemas(self.document) - {*self.seen["schemas"]}),
            *(["too wide for the window"] if self.seen["wide"] else []),
            *(["scrolls sideways"] if self.seen["width"] > self.window.width else []),
        ]

    def _is_elsewhere(self, url: str) -> bool:
        parts = urlsplit(url)
        return (
            parts.scheme not in ("data", "blob") and f"{parts.scheme}://{parts.netloc}" != self.own
        )


def operations(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method in METHODS
    }


def schemas(document: dict[str, Any]) -> set[str]:
    named = document["components"]["schemas"].items()
    return {schema.get("title", name) for name, schema in named}


async def look(page: Page, up: Up, window: Window, wait_for: str = SHOWN) -> Look:
    """Opens the documentation and waits until it has come."""
    own = f"http://127.0.0.1:{up.port}"
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        document = (await client.get(f"{own}/api/v1/openapi.json")).json()
    await page.open(f"{own}/docs", **window._asdict())
    await until(lambda: page.holds(wait_for))
    return Look(page, await page.value(SEEN), document, window, own)


@WINDOWS
async def test_everything_is_shown_without_any_other_host(
    browser: Browser, installation: Up, window: Window, tmp_path: Path
):
    async with browser.page() as page:
        found = await look(page, installation, window)
        await page.picture(tmp_path / "docs.png")

    assert found.faults() == []
    assert found.document["info"]["title"] in found.seen["text"]
    assert len(operations(found.document)) > 20
    assert len(schemas(found.document)) > 40
    assert len(page.requests) > 5


@WINDOWS
async def test_an_operation_and_a_schema_open(
    browser: Browser, installation: Up, window: Window, tmp_path: Path
):
    async with browser.page() as page:
        found = await look(page, installation, window)
        await page.value(f"{OPERATION}.querySelector('.opblock-summary-control').click()")
        await until(lambda: page.value(f"{OPERATION}.querySelectorAll('.response').length"))
        told = await page.value(f"{OPERATION}.innerText")
        await page.picture(tmp_path / "operation.png")
        await page.value(f"{SCHEMAS}.querySelector('.json-schema-2020-12-accordion').click()")
        await until(lambda: page.value(f"{SCHEMAS}.querySelector('li') !== null"))
        opened = found._replace(seen=await page.value(SEEN))

    assert all(word in told for word in ("Idempotency-Key", "OUTCOME_TRAFFIC", "202", "422"))
    assert opened.faults() == []


def page_with(head: str) -> Answer:
    """The page with something more in its head, and without the policy that forbids it."""
    return Answer("text/html", DOCS.replace("</head>", f"{head}</head>"))


BROKEN = {
    "a script of another host": (
        {"*/docs": page_with(f'<script src="{OUTSIDE}"></script>')},
        SHOWN,
        f"asked elsewhere: {OUTSIDE}",
    ),
    "a host that is only prepared for": (
        {"*/docs": page_with(f'<link rel="preconnect" href="{OUTSIDE}">')},
        SHOWN,
        f"asked elsewhere: {OUTSIDE}",
    ),
    "a picture of another host, which the policy forbids": (
        {"*/docs.css": Answer("text/css", f"body {{ background: url({OUTSIDE}) }}")},
        SHOWN,
        "complained: ",
    ),
    "a script that cannot be read": (
        {"*/docs.js": Answer("text/javascript", "window.ui = SwaggerUIBundle({;")},
        LOADED,
        "complained: SyntaxError",
    ),
    "a script that fails": (
        {"*/docs.js": Answer("text/javascript", "SwaggerUI({});")},
        LOADED,
        "complained: ReferenceError",
    ),
    "no document": (
        {"*/openapi.json": Answer("application/json", "{}", 500)},
        TOLD,
        "says: Failed to load API definition",
    ),
    "a document without most of it": (
        {"*/openapi.json": Answer("application/json", SHORT)},
        SHOWN,
        "not shown: POST /api/v1/ads/meta",
    ),
    "too wide": (
        {"*/docs.css": Answer("text/css", ".swagger-ui { width: 500px }")},
        SHOWN,
        "too wide for the window",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_wrong_would_be_found(browser: Browser, installation: Up, name: str):
    answers, wait_for, fault = BROKEN[name]

    async with browser.page(answers) as page:
        first = await look(page, installation, HAND, wait_for)

        async def ask() -> bool:
            found = first._replace(seen=await page.value(SEEN))
            return any(told.startswith(fault) for told in found.faults())

        # what a page complains of may be told a moment after it is seen
        await until(ask)
