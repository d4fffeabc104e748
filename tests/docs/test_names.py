"""The documents name only what there is: words of the code, calls, settings, columns, metrics."""

import re
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.settings import Settings
from routes.metrics import ApiMetrics
from sandbox.app import create_app as create_sandbox
from sandbox.state import State
from tests.docs.test_pages import PAGES, ROOT, code
from tests.openapi.conftest import api, app, assets, keyring, meta_address, pool, verifier
from workers.metrics import WorkerMetrics

__all__ = ["api", "app", "assets", "keyring", "meta_address", "pool", "verifier"]

FOLDERS = "bench cmd common config docs/operations examples middleware models queries routes tests workers"
KINDS = {".py", ".sql", ".env", ".hurl", ".json", ".yaml", ".yml", ".conf", ".service", ""}
AT_ROOT = ["mojito", "pyproject.toml", "sqlc.yaml", "compose.yaml", "Dockerfile"]
LEFT_OUT = {"docs", "static", "__pycache__"}
"""Tests of the documents name what does not exist, and what others wrote names everything."""
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# with an underscore, or in capitals; parts of paths and of addresses are looked at elsewhere
NAME = re.compile(
    r"(?<![\w/.-])(?:[a-z][a-z0-9]*(?:_[a-z0-9]+)+|[A-Z][A-Z0-9]{3,}(?:_[A-Z0-9]+)*|[A-Z]+(?:_[A-Z0-9]+)+)"
    r"(?![\w/-]|\.(?:md|py|sql|json))"
)
OF_OTHERS = {
    "LISTEN": "PostgreSQL",
    "archive_mode": "PostgreSQL",
    "pg_read_all_data": "PostgreSQL",
    "pg_snapshot_xmin": "PostgreSQL",
    "ignore_startup_parameters": "PgBouncer",
    "fail_duration": "Caddy",
    "lb_retries": "Caddy",
    "lb_try_duration": "Caddy",
    "credentials_file": "Prometheus",
    "missing_field": "an earlier document of ours",
    "json.tool": "Python",
}
READ_BY_TESTS = {"MOJITO_FUZZ_CASES", "MOJITO_MODEL_EXAMPLES"}
CALL = re.compile(r"(?:([A-Z]+(?:\|[A-Z]+)*) )?((?:…)?/[^\s?]+)(?:\?\S*)?")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
PREFIX = re.compile(r"/api/v\d+")
OURS = ("/api/", "/_sandbox/", "/livez", "/readyz", "/metrics", "/docs")
DOTTED = re.compile(r"(?<![\w/.])[a-z_]+(?:\.[a-z_]+)+(?![\w(/.-])")
FILE = re.compile(r".*\.(?:md|py|toml|yml|yaml|sql|json|conf|cfg|txt|dump)")
COLUMN = re.compile(r"(?<![\w/.])([a-z_]+)\.([a-z_]+)(?![\w(/.-])")
SETTING = re.compile(r"MOJITO_[A-Z_]*[A-Z]\b")
METRIC = re.compile(r"\bmojito_[a-z_]+")
ROLES = {"mojito_app", "mojito_owner"}
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}


@pytest.fixture(scope="module")
def source() -> str:
    """Everything that the code and the files beside it say."""
    below = (path for folder in FOLDERS.split() for path in (ROOT / folder).rglob("*"))
    files = [
        path
        for path in below
        if path.is_file() and path.suffix in KINDS and path.parent.name not in LEFT_OUT
    ]
    texts = [path.read_text() for path in (*files, *(ROOT / name for name in AT_ROOT))]
    return "\n".join([*texts, *(path.stem for path in files)])


@pytest.fixture(scope="module")
def words(source: str) -> set[str]:
    return set(WORD.findall(source))


@pytest.fixture
def routes(app) -> set[tuple[str, str]]:
    """Method and path of everything that the API and the sandbox answer, with {} for what varies."""
    return {
        (method, re.sub(r"\{[^}]*\}", "{}", route.path))
        for route in [*app.routes, *create_sandbox(State()).routes]
        for method in route.methods
    }


def unknown_words(text: str, words: set[str]) -> list[str]:
    """Names in code that nothing of ours has; others' are listed above."""
    named = {name for part in code(text) for name in NAME.findall(part)}
    return sorted(name for name in named - OF_OTHERS.keys() if name not in words)


def unknown_dotted(text: str, source: str, columns: dict[str, set[str]]) -> list[str]:
    """Events, actions and members in code that stand nowhere; columns are looked at by their table."""
    named = {name for part in code(text) for name in DOTTED.findall(part)}
    return sorted(
        name
        for name in named
        if name not in source
        and name not in OF_OTHERS
        and name.split(".")[0] not in columns
        and not FILE.fullmatch(name)
    )


def unknown_calls(text: str, routes: set[tuple[str, str]]) -> list[str]:
    """Calls in code that nobody answers; `…` stands for the beginning of a path."""
    return [
        f"{methods} {path}".strip()
        for methods, path in calls(text)
        for method in (methods.split("|") if methods else [""])
        if not any(fits(method, path, route) for route in routes)
    ]


def calls(text: str) -> Iterator[tuple[str, str]]:
    """What looks like a call of ours."""
    for part in code(text):
        found = CALL.fullmatch(part)
        if found is None or PREFIX.fullmatch(found[2]):
            continue
        methods, path = found[1] or "", found[2]
        if set(methods.split("|")) <= METHODS or path.startswith(OURS):
            yield methods, re.sub(r"\{[^}]*\}", "{}", path)


def fits(method: str, path: str, route: tuple[str, str]) -> bool:
    """Whether a route is meant; the prefix of the API may be left out."""
    if method and method != route[0] and (method, route[0]) != ("HEAD", "GET"):
        return False
    if path.startswith("…"):
        return route[1].endswith(path.removeprefix("…"))
    return route[1] in (path, f"/api/v1{path}")


def unknown_columns(text: str, columns: dict[str, set[str]]) -> list[str]:
    """Columns in code, after the name of their table, that it does not have."""
    named = {pair for part in code(text) for pair in COLUMN.findall(part)}
    return sorted(
        f"{table}.{column}" for table, column in named if column not in columns.get(table, {column})
    )


def unknown_settings(text: str) -> list[str]:
    """Settings, wherever they stand, that nobody reads."""
    known = {f"MOJITO_{name.upper()}" for name in Settings.__struct_fields__} | READ_BY_TESTS
    files = {f"{name}_FILE" for name in known}
    return sorted(set(SETTING.findall(text)) - known - files)


@pytest.fixture
async def columns(pool) -> dict[str, set[str]]:
    rows = await pool.fetch(
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
    )
    found: dict[str, set[str]] = {}
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    return found


@pytest.fixture
async def series(pool) -> set[str]:
    """Every series of an API process and of a worker."""
    texts = [ApiMetrics(pool).exposition(), WorkerMetrics().exposition()]
    return {
        f"{family.name}{suffix}"
        for text in texts
        for family in text_string_to_metric_families(text.decode())
        for suffix in SUFFIXES.get(family.type, [""])
    }


async def test_what_the_documents_name_exists(source, words, routes, columns, series):
    found = {
        str(page.relative_to(ROOT)): [
            *unknown_words(text, words),
            *unknown_dotted(text, source, columns),
            *unknown_calls(text, routes),
            *unknown_columns(text, columns),
            *unknown_settings(text),
            *sorted(set(METRIC.findall(text)) - series - ROLES),
        ]
        for page in PAGES
        if (text := page.read_text())
    }

    assert {page: names for page, names in found.items() if names} == {}


async def test_what_does_not_exist_would_be_found(source, words, routes, columns, series):
    text = """`PARTLY_DONE`, `asset_kind_wrong` and `job_steps`; `campaign_jobs.colour`, `campaign_jobs.kind`,
`job.finished`, `job.danced`, `ledger.step`, `roles.sql`,
`POST /api/v1/ad_accounts/{id}/dance`, `PUT /assets`, `DELETE …/cancel`, `GET …/deliveries`, `/livez`,
`/api/v2/me`, `/_sandbox/objects`, `POST|GET /webhook_endpoints`, MOJITO_DANCE and `MOJITO_PORT`."""

    assert unknown_words(text, words) == ["PARTLY_DONE", "asset_kind_wrong"]
    assert unknown_dotted(text, source, columns) == ["job.danced"]
    assert unknown_calls(text, routes) == [
        "POST /api/v1/ad_accounts/{}/dance",
        "PUT /assets",
        "DELETE …/cancel",
        "/api/v2/me",
    ]
    assert unknown_columns(text, columns) == ["campaign_jobs.colour"]
    assert unknown_settings(text) == ["MOJITO_DANCE"]
    assert "mojito_dances_total" not in series
