"""What becomes of a job whose secret this worker cannot read: it waits until the worker has the key."""

import structlog

from common.keyring import CannotOpen, KeyMissing
from models.job import JobError
from workers.kinds import Parked

_WAIT_SECONDS = 15.0
_REMEDY = (
    "Add the key to MOJITO_ENCRYPTION_KEYS_FILE of every worker; no restart is needed. "
    "The job then goes on by itself."
)
_RIGHT_KEY = (
    "Put the right key back into MOJITO_ENCRYPTION_KEYS_FILE of every worker and start it again, or replace "
    "the account's credentials. The job then goes on by itself."
)

log = structlog.get_logger()


def wait_for_key(closed: CannotOpen) -> Parked:
    """No reason to end anybody's job: somebody has the right key, or can replace the secret."""
    if isinstance(closed, KeyMissing):
        log.error("encryption_key.missing", key_id=closed.key_id, remedy=_REMEDY)
        message = f"the worker has no encryption key {closed.key_id}"
        return _parked("encryption_key_missing", message, _REMEDY)
    log.error("secret.not_opened", remedy=_RIGHT_KEY)
    message = (
        "the worker has another encryption key under the same id, or the stored secret is damaged"
    )
    return _parked("secret_not_opened", message, _RIGHT_KEY)


def _parked(code: str, message: str, remedy: str) -> Parked:
    error = JobError(code=code, message=message, remedy=remedy, retryable=True)
    return Parked(_WAIT_SECONDS, "not_ready", error)
