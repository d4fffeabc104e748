"""What handlers work with: opened elsewhere, handed to the application once, injected as `parts`."""

from typing import Any

from litestar import Request
from litestar.datastructures import State

from common.keyring import Keyring
from middleware.auth import Caller
from middleware.limits import RateLimits
from models.account_verification import AccountVerifier
from models.database import Pool
from models.notifier import Notifier
from routes.job_looks import JobLooks
from routes.job_writes import JobWrites
from routes.known_accounts import KnownAccounts
from routes.open_jobs import Caps, OpenJobs
from routes.watch import Watch

ApiRequest = Request[Any, Caller, State]
"""A request behind RequireAuth: `request.auth` is the caller."""


class Parts:
    """Everything that lives as long as the program. A plain class: Litestar would look into a struct."""

    def __init__(
        self,
        *,
        pool: Pool,
        keyring: Keyring,
        notifier: Notifier,
        job_writes: JobWrites,
        assets: Any,
        verifier: AccountVerifier,
        caps: Caps,
        watch: Watch,
        rates: RateLimits,
    ) -> None:
        self.pool = pool
        self.keyring = keyring
        self.notifier = notifier
        self.job_writes = job_writes
        self.assets = assets
        self.verifier = verifier
        self.watch = watch
        self.rates = rates
        self.job_looks = JobLooks(pool)
        self.accounts = KnownAccounts()
        self.open_jobs = OpenJobs(caps)
