"""The dashboard and the alert rules ask for metrics that exist, in words that Prometheus understands."""

import json
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from models.database import open_pool
from routes.metrics import ApiMetrics
from workers.metrics import WorkerMetrics

FOLDER = Path(__file__).parents[2] / "docs" / "operations"
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text())
(GROUP,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
PANELS = [t["expr"] for panel in DASHBOARD["panels"] for t in panel["targets"]]
ALERTS = [rule["expr"] for rule in GROUP["rules"]]
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}


@pytest.fixture
async def families(database):
    """Of an API process and of a worker together, by name."""
    pool = await open_pool(database, size=1, name="test")
    try:
        texts = [ApiMetrics(pool).exposition(), WorkerMetrics().exposition()]
    finally:
        await pool.close()
    return {
        family.name: family
        for text in texts
        for family in text_string_to_metric_families(text.decode())
    }


def selectors(expression):
    """Every metric that an expression names, with the labels it filters by."""
    found = []

    def walk(node):
        if isinstance(node, promql_parser.VectorSelector):
            found.append((node.name, [matcher.name for matcher in node.matchers.matchers]))
        for name in ("expr", "lhs", "rhs", "vector_selector", "param"):
            if (child := getattr(node, name, None)) is not None:
                walk(child)
        for child in getattr(node, "args", None) or []:
            walk(child)

    walk(promql_parser.parse(expression))
    assert found, expression
    return found


@pytest.mark.parametrize("expression", [*PANELS, *ALERTS])
async def test_every_metric_that_is_asked_for_exists(expression, families):
    series = {
        f"{name}{suffix}"
        for name, family in families.items()
        for suffix in SUFFIXES.get(family.type, [""])
    }

    assert {name for name, _ in selectors(expression)} <= series


async def test_every_metric_of_ours_is_described_and_on_the_dashboard(families):
    shown = {name for expression in PANELS for name, _ in selectors(expression)}
    ours = {name for name in families if not name.startswith("mojito_process_")}

    assert all(name.startswith("mojito_") for name in families)
    assert all(family.documentation for family in families.values())
    assert {
        name
        for name in ours
        if not any(f"{name}{suffix}" in shown for suffix in ("", "_total", "_bucket", "_count"))
    } == {"mojito_jobs_count_is_full", "mojito_database_answers"}


def test_only_what_an_api_always_tells_is_missed():
    """A queue that cannot be looked at shows no workers: that is no news of workers."""
    missed = [
        name
        for expression in ALERTS
        if "absent(" in expression
        for name, _ in selectors(expression)
    ]

    assert missed == ["mojito_database_answers"]


def test_a_misspelled_expression_is_noticed():
    with pytest.raises(ValueError, match="parenthesis"):
        promql_parser.parse("sum(rate(mojito_jobs[5m])")


@pytest.mark.parametrize("rule", GROUP["rules"], ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule):
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(rule["annotations"]) == {"summary", "remedy"}
    assert rule["for"]


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]

    assert len(set(places)) == len(set(ids)) == len(DASHBOARD["panels"])
