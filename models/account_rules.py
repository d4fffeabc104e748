"""What is refused of an ad account beyond its types: foreign ids, credentials, what never changes."""

import re
from typing import Any

import msgspec

from models.account import (
    ACCOUNT_ID_EXAMPLES,
    ACCOUNT_IDS,
    LONGEST_CONFIGURATION,
    SETTINGS,
    AccountChange,
    AccountView,
)
from models.credentials import CREDENTIALS, SECRETS
from models.gen.rows import AdAccount
from models.inspection import violations
from models.masks import is_mask
from models.violation import step

type Violation = dict[str, str]

READ_ONLY = frozenset(AccountView.__struct_fields__) - frozenset(AccountChange.__struct_fields__)
"""What answers show and nobody sets."""
_SECRET_NAMES = frozenset(
    {
        *SECRETS,
        "api_key",
        "client_secret",
        "developer_token",
        "password",
        "private_key",
        "refresh_token",
    }
)
_UNCHANGEABLE = ("platform_type", "platform_account_id", "mode")


def account_violations(body: dict[str, Any]) -> list[Violation]:
    """Of a new account, as far as the fields that a rule reads are usable."""
    platform_type = body.get("platform_type")
    if not isinstance(platform_type, str) or platform_type not in ACCOUNT_IDS:
        known = platform_type in ("GOOGLE_ADS", "TIKTOK_ADS")
        return [_not_available(platform_type)] if known else []
    errors: list[Violation] = []
    account_id = body.get("platform_account_id")
    if isinstance(account_id, str) and not re.fullmatch(ACCOUNT_IDS[platform_type], account_id):
        example = ACCOUNT_ID_EXAMPLES[platform_type]
        message = f"Expected the id of an account as {platform_type} writes it, like {example}."
        errors.append(_violation("/platform_account_id", "invalid_account_id", message))
    errors += _credentials_violations(platform_type, body)
    return errors + configuration_violations(platform_type, body)


def change_violations(body: dict[str, Any], account: AdAccount) -> list[Violation]:
    """Of a change to this account."""
    errors = [
        _violation(f"/{field}", "unchangeable", "This never changes; add another account.")
        for field in _UNCHANGEABLE
        if isinstance(body.get(field), str) and body[field] != getattr(account, field)
    ]
    errors += _credentials_violations(account.platform_type, body)
    return errors + configuration_violations(account.platform_type, body)


def configuration_violations(platform_type: str, body: dict[str, Any]) -> list[Violation]:
    """Of settings that are too long, that cannot be read, or that hold what belongs to the credentials."""
    settings = body.get("additional_config")
    if len(msgspec.json.encode(settings)) > LONGEST_CONFIGURATION:
        message = f"Settings are at most {LONGEST_CONFIGURATION} bytes long."
        return [_violation("/additional_config", "too_long", message)]
    if not isinstance(settings, dict):
        return []
    kind = SETTINGS.get(platform_type)
    unreadable = [] if kind is None else violations(kind, settings)
    return [
        {**error, "pointer": "/additional_config" + error["pointer"]}
        for error in [*unreadable, *_secrets_in(settings, "")]
    ]


def _secrets_in(value: Any, pointer: str) -> list[Violation]:
    """Settings are shown in answers and stored as they are."""
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # JSON of a caller
        return [v for n, item in enumerate(items) for v in _secrets_in(item, step(pointer, n))]
    if not isinstance(value, dict):
        return []
    found: list[Violation] = []
    for name, item in value.items():  # pyright: ignore[reportUnknownVariableType]  # likewise
        at = step(pointer, name)
        if str(name).lower() in _SECRET_NAMES and item is not None:
            message = "Settings are shown in answers; a secret belongs to the credentials."
            found.append(_violation(at, "secret_in_settings", message))
        else:
            found += _secrets_in(item, at)
    return found


def _credentials_violations(platform_type: str, body: dict[str, Any]) -> list[Violation]:
    credentials = body.get("credentials")
    if not isinstance(credentials, dict):
        return []
    found = violations(CREDENTIALS[platform_type], credentials)
    return [
        {**error, "pointer": "/credentials" + error["pointer"]}
        for error in [*found, *_mask_violations(credentials), *_blank_violations(credentials)]
    ]


def _mask_violations(credentials: dict[str, Any]) -> list[Violation]:
    message = "This is a mask of a secret, not a secret; leave credentials out to keep them."
    return [
        _violation(f"/{field}", "masked_secret", message)
        for field in SECRETS
        if isinstance(credentials.get(field), str) and is_mask(credentials[field])
    ]


def _blank_violations(credentials: dict[str, Any]) -> list[Violation]:
    """Copied with a line break, a blank or a letter of another alphabet: no request could carry it."""
    message = "A secret has no blanks, no line breaks and nothing beyond ASCII: copy it again."
    return [
        _violation(f"/{field}", "wrong_format", message)
        for field in SECRETS
        if isinstance(secret := credentials.get(field), str)
        and not is_mask(secret)
        and re.search(r"[^!-~]", secret)
    ]


def _not_available(platform_type: str) -> Violation:
    message = f"Accounts of {platform_type} are not available yet."
    return _violation("/platform_type", "platform_not_available", message)


def _violation(pointer: str, code: str, message: str) -> Violation:
    return {"pointer": pointer, "code": code, "message": message}
