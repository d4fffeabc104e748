"""In what two workers may differ."""

import msgspec


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What two workers may differ in; all times in seconds."""

    concurrency: int = 64
    largest_claim: int = 500
    poll_seconds: float = 1.0
    silence_seconds: float = 30.0
    trust_seconds: float = 20.0
    grace_seconds: float = 20.0

    @property
    def renew_seconds(self) -> float:
        """A sixth of the silence that counts as death."""
        return self.silence_seconds / 6
