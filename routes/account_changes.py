"""Writes ad accounts: a new one, or a change that is acceptable; credentials are sealed on the way."""

from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from common.errors import Conflict
from common.keyring import Keyring, Sealed
from common.uuid7 import uuid7
from models.account import MAX_RUNNING, AccountChange, NewAccount
from models.account_rules import READ_ONLY, change_violations
from models.credentials import CREDENTIALS
from models.gen import ad_accounts, campaign_jobs
from models.gen.rows import AdAccount, Connection
from models.jsonb import to_jsonb
from models.violation import Violation
from routes.body import body_violations, converted, refuse


async def add(
    connection: Connection, keyring: Keyring, wanted: NewAccount, team_id: UUID
) -> AdAccount:
    """A new account. A second one of the same team is refused by the database."""
    account_id = uuid7()
    sealed, fingerprint = _seal(keyring, wanted.platform_type, wanted.credentials, account_id)
    return _there(
        await ad_accounts.create_ad_account(
            connection,
            id=account_id,
            name=wanted.name,
            platform_type=wanted.platform_type,
            platform_account_id=wanted.platform_account_id,
            credentials=sealed.ciphertext,
            credentials_key_id=sealed.key_id,
            credentials_fingerprint=fingerprint,
            mode=wanted.mode,
            max_running=_or(wanted.max_running, MAX_RUNNING[wanted.platform_type]),
            owner_user_id=wanted.owner_user_id,
            team_id=team_id,
            additional_config=to_jsonb(wanted.additional_config),
        )
    )


def acceptable_change(document: Any, before: AdAccount) -> AccountChange:
    """The change, when this account can take it. Raises Invalid or Conflict."""
    refuse(refused(AccountChange, document, before))
    return require_possible(converted(document, AccountChange), before)


def refused(kind: type[Any], document: Any, before: AdAccount) -> list[Violation]:
    """What is wrong with a change or a patch of this account."""
    errors = [_read_only(error) for error in body_violations(kind, document)]
    return errors + (change_violations(document, before) if isinstance(document, dict) else [])


def require_possible(change: AccountChange, before: AdAccount) -> AccountChange:
    """The change. Raises Conflict when the account's status does not allow it."""
    stuck = before.status in ("REQUIRES_REAUTH", "SUSPENDED") and change.credentials is UNSET
    if stuck and change.status == "ACTIVE":
        code = before.status.lower()
        raise Conflict(
            f"The account is {before.status}; only new credentials change that.",
            code=f"ad_account_{code}",
        )
    return change


async def apply(
    connection: Connection, keyring: Keyring, change: AccountChange, before: AdAccount
) -> AdAccount:
    """The account with the change, inside the transaction that has locked it."""
    after = before
    if change.credentials is not UNSET:
        after = await _replace_credentials(connection, keyring, change.credentials, before)
    elif change.status == "ACTIVE" and before.status == "INACTIVE":
        # jobs may have waited for credentials since before it was set INACTIVE: they find out
        await campaign_jobs.wake_jobs_after_reauthorisation(connection, ad_account_id=before.id)
    return _there(
        await ad_accounts.update_ad_account(
            connection,
            id=before.id,
            name=_or(change.name, before.name),
            status=_or(change.status, after.status),
            max_running=_or(change.max_running, before.max_running),
            owner_user_id=_or(change.owner_user_id, before.owner_user_id),
            additional_config=before.additional_config
            if change.additional_config is UNSET
            else to_jsonb(change.additional_config),
        )
    )


async def _replace_credentials(
    connection: Connection, keyring: Keyring, credentials: dict[str, object], before: AdAccount
) -> AdAccount:
    sealed, fingerprint = _seal(keyring, before.platform_type, credentials, before.id)
    after = await ad_accounts.replace_credentials(
        connection,
        id=before.id,
        credentials=sealed.ciphertext,
        credentials_key_id=sealed.key_id,
        credentials_fingerprint=fingerprint,
    )
    await campaign_jobs.wake_jobs_after_reauthorisation(connection, ad_account_id=before.id)
    return _there(after)


def _seal(
    keyring: Keyring, platform_type: str, credentials: dict[str, object], account_id: UUID
) -> tuple[Sealed, str]:
    """Decoded and encoded again first, so that equal credentials have equal fingerprints."""
    known = msgspec.convert(credentials, CREDENTIALS[platform_type])
    plain = msgspec.json.encode(known)
    sealed = keyring.seal(plain, "ad_accounts", account_id, "credentials")
    return sealed, keyring.fingerprint(plain)


def _read_only(error: Violation) -> Violation:
    if error["code"] != "unknown_field" or error["pointer"][1:] not in READ_ONLY:
        return error
    return {**error, "code": "read_only", "message": "Answers show this; nobody sets it."}


def _there(row: AdAccount | None) -> AdAccount:
    """A row that its statement always returns."""
    if row is None:
        raise LookupError("the statement returned no row")
    return row


def _or[T](given: T | UnsetType, otherwise: T) -> T:
    return otherwise if isinstance(given, UnsetType) else given
