"""Everything that the sandbox remembers, in one SQLite file or, when none is given, in memory."""

from pathlib import Path

from sandbox.accounts import READY_MADE, READY_MADE_PAGE, Account, Accounts
from sandbox.calls import Calls
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.objects import Objects
from sandbox.pieces import Pieces
from sandbox.store import Store


class State:
    """The parts of the memory; they share the connection, so one transaction covers them all."""

    def __init__(self, database: Path | None = None) -> None:
        self.store = Store(database)
        self.clock = Clock(self.store)
        self.objects = Objects(self.store)
        self.calls = Calls(self.store)
        self.pieces = Pieces(self.store)
        self.faults = Faults(self.store)
        self.accounts = Accounts(self.store)
        self._make_ready()

    def close(self) -> None:
        """Nothing is lost by it."""
        self.store.close()

    def reset(self) -> None:
        """Forgets everything but the ready-made account, its token included."""
        with self.store.transaction():
            self.store.forget()
            self.clock.reset()
            self._make_ready()

    def _make_ready(self) -> None:
        account = Account(
            platform="META",
            id=READY_MADE,
            name="Sandbox account",
            page_ids=[READY_MADE_PAGE],
            pixel_ids=["1000000003"],
            instagram_user_ids=["1000000004"],
            created_at=self.clock.now(),
        )
        with self.store.transaction():
            self.accounts.add(account, is_ready_made=True)
            if not self.accounts.valid_tokens(account, self.clock.now()):
                self.accounts.issue(account)
