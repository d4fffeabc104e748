"""Makes, changes and deletes campaigns, ad sets, creatives and ads."""

import hashlib
from typing import Any

import msgspec

from sandbox.meta import limits
from sandbox.meta.asking import Ask, Result
from sandbox.meta.errors import MetaError, missing, parameter
from sandbox.meta.words import words
from sandbox.meta.world import raise_refusal
from sandbox.objects import Record

PARENT_PARAMETER = {"ad_set": "campaign_id", "ad": "adset_id"}
PARENT_KIND = {"ad_set": "campaign", "ad": "ad_set"}
STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")
GONE_SUBCODES = {"campaign": 1487566, "ad_set": 1487056, "ad": 1885088}
STRUCTURED = words(
    "targeting promoted_object object_story_spec creative asset_feed_spec bid_constraints "
    "degrees_of_freedom_spec"
)
BUDGETS = ("daily_budget", "lifetime_budget")
_NOT_KEPT = words("execution_options fields summary include_headers method pretty locale id")


def create(ask: Ask, kind: str) -> Result:
    """Makes an object unless a rule refuses it; an equal creative is given back instead."""
    params = _kept(ask.params)
    _check_form(params)
    raise_refusal(ask, kind, params)
    if _is_trial(ask):
        return Result({"success": True})
    if kind == "creative":
        record, is_new = keep_creative(ask, params)
        return Result({"id": record.id}, "created" if is_new else "none", record.id)
    if kind == "ad":
        params["creative"] = {"creative_id": _creative_of(ask, params)}
    record = ask.add(
        kind,
        str(params.get("name", "")),
        params,
        parent_id=_parent_of(ask, kind, params),
        status=str(params.get("status", "ACTIVE")),
    )
    return Result({"id": record.id}, "created", record.id)


def keep_creative(ask: Ask, params: dict[str, Any]) -> tuple[Record, bool]:
    """The same content is the same creative, however often it is sent; and whether it is new."""
    digest = hashlib.sha256(msgspec.json.encode(params, order="sorted")).hexdigest()
    same = ask.state.objects.with_digest(ask.account.id, "creative", digest)
    if same is not None:
        return same, False
    return ask.add("creative", str(params.get("name", "")), params, digest=digest), True


def update(ask: Ask, record: Record) -> Result:
    """Changes an object in place."""
    params = _kept(ask.params)
    _check_form(params)
    _check_gone(record, params)
    if record.kind in GONE_SUBCODES:
        raise_refusal(ask, f"update_{record.kind}", {**params, "id": record.id})
    elif set(params) - {"name", "status", "title"}:
        raise parameter(sorted(params)[0], "Only the name and the status can be changed")
    if _is_trial(ask):
        return Result({"success": True})
    _count_budget_change(ask, record, params)
    _change(ask, record, params)
    return Result({"success": True}, "changed", record.id)


def delete(ask: Ask, record: Record) -> Result:
    """DELETED is for ever, though the object can still be read by its id."""
    if record.status == "DELETED":
        return Result({"success": True}, object_id=record.id)
    _change(ask, record, {"status": "DELETED"})
    return Result({"success": True}, "changed", record.id)


def _change(ask: Ask, record: Record, params: dict[str, Any]) -> None:
    record.fields = {**record.fields, **params}
    if "name" in params:
        record.name = str(params["name"])
    record.status = str(params.get("status", record.status))
    if record.status == "DELETED":
        # the next equal content is a new object
        record.digest = None
    ask.save(record)


def _kept(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name not in _NOT_KEPT}


def _check_form(params: dict[str, Any]) -> None:
    for name in STRUCTURED & set(params):
        if not isinstance(params[name], dict):
            raise parameter(name, f"Param {name} must be a JSON object")
    if params.get("status", "ACTIVE") not in STATUSES:
        raise parameter("status", f"Param status must be one of {{{', '.join(STATUSES)}}}")


def _check_gone(record: Record, params: dict[str, Any]) -> None:
    """What is deleted or archived can be renamed; what is archived can also be deleted."""
    if record.status not in ("DELETED", "ARCHIVED"):
        return
    allowed = {"name"} if record.status == "DELETED" else {"name", "status"}
    is_deletion = params.get("status", "DELETED") == "DELETED"
    if set(params) <= allowed and is_deletion:
        return
    word = record.status.lower()
    raise MetaError(
        100,
        "Invalid parameter",
        subcode=GONE_SUBCODES.get(record.kind),
        user_title=f"The {record.kind.replace('_', ' ')} was {word}",
        user_message=f"It was {word}, so nothing but its name can be changed.",
    )


def _is_trial(ask: Ask) -> bool:
    options = ask.params.get("execution_options")
    return isinstance(options, list) and "validate_only" in options


def _parent_of(ask: Ask, kind: str, params: dict[str, Any]) -> str | None:
    """No object ever hangs below something that is not there, whatever the rules say."""
    if kind not in PARENT_PARAMETER:
        return None
    parent_id = str(params.get(PARENT_PARAMETER[kind]))
    parent = ask.record(parent_id)
    if parent is None or parent.kind != PARENT_KIND[kind]:
        raise missing(parent_id, "post")
    return parent.id


def _creative_of(ask: Ask, params: dict[str, Any]) -> str:
    """The id of an ad's creative; one that is written out is made first."""
    given: dict[str, Any] = params.get("creative") or {}
    named = given.get("creative_id") or given.get("id")
    if named is None:
        raise_refusal(ask, "creative", given)
        return keep_creative(ask, given)[0].id
    creative = ask.record(str(named))
    if creative is None or creative.kind != "creative":
        raise missing(str(named), "post")
    return creative.id


def _count_budget_change(ask: Ask, record: Record, params: dict[str, Any]) -> None:
    changed = [n for n in BUDGETS if n in params and params[n] != record.fields.get(n)]
    if record.kind == "ad_set" and changed:
        limits.count_budget_change(ask.state, record.id, ask.now)
