"""What becomes of a job whose secret this worker cannot read: it waits until the worker has the key."""

import structlog

from common.keyring import KeyMissing
from models.job import JobError
from workers.kinds import Parked

_WAIT_SECONDS = 15.0
_REMEDY = (
    "Add the key to MOJITO_ENCRYPTION_KEYS_FILE of every worker; no restart is needed. "
    "The job then goes on by itself."
)

log = structlog.get_logger()


def wait_for_key(missing: KeyMissing) -> Parked:
    """The secret is well, this process cannot read it: no reason to end anybody's job."""
    log.error("encryption_key.missing", key_id=missing.key_id, remedy=_REMEDY)
    error = JobError(
        code="encryption_key_missing",
        message=f"the worker has no encryption key {missing.key_id}",
        remedy=_REMEDY,
        retryable=True,
    )
    return Parked(_WAIT_SECONDS, "not_ready", error)
