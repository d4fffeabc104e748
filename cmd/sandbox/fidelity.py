"""How faithful the sandbox is, operation by operation and rule by rule, with the source of each."""

from html import escape
from typing import Any

import msgspec

from sandbox.meta import known_rules, rules
from sandbox.meta.operations import OPERATIONS
from sandbox.meta.rules.table import Rule

BEHAVIOURS = (
    ("error envelope, codes and subcodes", "Marketing API, error reference"),
    ("access by token, appsecret_proof, permissions", "Graph API, securing requests"),
    ("score of 1 for reads and 3 for writes, decaying over 300 s", "Marketing API, rate limiting"),
    ("hourly budget of calls, usage headers", "Marketing API, rate limiting"),
    ("an ad set's budget changes four times an hour", "Marketing API, error reference"),
    ("equal creatives are one", "Marketing API reference, ad-creative"),
    ("images are known by a hash of their content", "Marketing API reference, ad-image"),
    ("chunks of 1 MiB; a wrong offset names the right one", "Video API, error codes"),
    ("encoding takes 8 s of the sandbox's clock", "the sandbox's own choice"),
    ("a call whose client left before it was read has no effect", "the sandbox's own choice"),
    ("effective_status from the objects above", "Marketing API, ad objects' status"),
    ("deleted and archived objects accept only a name", "Marketing API, storing ad objects"),
)


def table() -> dict[str, Any]:
    """As data."""
    return {
        "platforms": {
            "META": {
                "versions": ["v26.0", "v25.0"],
                "operations": [_operation(row) for row in OPERATIONS],
                "behaviours": [{"name": name, "source": source} for name, source in BEHAVIOURS],
                "rules": [_rule(rule) for rule in rules.RULES],
                "known_rules": [msgspec.to_builtins(rule) for rule in known_rules.RULES],
                "not_imitated": [r.rule for r in known_rules.RULES if r.state == "not"],
            }
        }
    }


def page() -> str:
    """As a page that needs nothing from elsewhere."""
    meta = table()["platforms"]["META"]
    parts = [
        _rows("Operations", ("method", "of", "edge", "about", "source"), meta["operations"]),
        _rows("Behaviour", ("name", "source"), meta["behaviours"]),
        _rows("Rules of refusal", ("kind", "name", "source"), meta["rules"]),
        _rows("Every known rule", ("state", "topic", "rule", "source"), meta["known_rules"]),
    ]
    return _FRAME.format(body="".join(parts))


def _operation(row: Any) -> dict[str, Any]:
    return {
        "method": row.method,
        "of": row.node,
        "edge": row.edge,
        "about": row.about,
        "source": row.source,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {"kind": ", ".join(rule.kinds), "name": rule.name, "source": rule.source}


def _rows(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> str:
    head = "".join(f"<th>{column}</th>" for column in columns)
    lines = (
        "<tr>" + "".join(f"<td>{escape(str(row[c] or ''))}</td>" for c in columns) + "</tr>"
        for row in rows
    )
    return f"<h2>{title}</h2><table><tr>{head}</tr>{''.join(lines)}</table>"


_FRAME = """<!doctype html><html lang="en"><meta charset="utf-8"><title>How faithful</title>
<style>body{{font:16px/1.5 system-ui;max-width:70rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse}}td,th{{text-align:left;padding:.2rem .8rem;border-bottom:1px solid #ddd}}
</style><h1>How faithful the sandbox is: Meta</h1>
<p>It says so with 501 where a call is not imitated. What stands as "not" below is kept or ignored silently
where it is no call of its own.</p>{body}</html>"""
