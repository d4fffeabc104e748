"""A JSON Merge Patch of an ad account: what it would change, without opening what is sealed."""

from typing import Any

import msgspec

from models.account import MAX_RUNNING, AccountChange, AccountPatch
from models.account_rules import configuration_violations
from models.credentials import CREDENTIALS
from models.gen.rows import AdAccount
from models.merge_patch import merged
from models.violation import Violation, violation
from routes.account_changes import refused, require_possible
from routes.body import PATCH_TYPES, converted, refuse

PATCH_CONTENT = {PATCH_TYPES[0]: {"schema": {"$ref": "#/components/schemas/AccountPatch"}}}
"""As documented: generators of clients stumble over two content types of one body."""


def acceptable_patch(document: Any, before: AdAccount) -> AccountChange:
    """The change that the patch means for this account. Raises Invalid or Conflict."""
    errors = refused(AccountPatch, document, before)
    if isinstance(document, dict):
        errors = [_told(error, document) for error in errors]
        errors += _unmergeable(document.get("credentials"), before.platform_type)
    refuse(errors)
    change = _resolved(document, before)
    refuse(configuration_violations(before.platform_type, change))
    return require_possible(converted(change, AccountChange), before)


def _resolved(patch: dict[str, Any], before: AdAccount) -> dict[str, Any]:
    """Plain values for what the patch names; null has become what it means here."""
    change = dict(patch)
    if "max_running" in patch and patch["max_running"] is None:
        change["max_running"] = MAX_RUNNING[msgspec.convert(before.platform_type, Any)]
    if "additional_config" in patch:
        stored = msgspec.json.decode(before.additional_config)
        change["additional_config"] = merged(stored, patch["additional_config"]) or {}
    return change


def _unmergeable(credentials: Any, platform_type: str) -> list[Violation]:
    """Every optional field that is not named: what it should become nobody could tell unopened."""
    if not isinstance(credentials, dict):
        return []
    message = "Stored credentials are sealed and cannot be merged; name this field, null for none."
    return [
        violation(f"/credentials/{field.encode_name}", "credentials_incomplete", message)
        for field in msgspec.structs.fields(CREDENTIALS[platform_type])
        if not field.required and field.encode_name not in credentials
    ]


def _told(error: Violation, patch: dict[str, Any]) -> Violation:
    """Null asks for a removal; the word for that is not a wrong type."""
    name = error["pointer"][1:]
    if error["code"] not in ("wrong_type", "not_allowed") or patch.get(name, "") is not None:
        return error
    return {**error, "code": "required", "message": "This cannot be removed."}
