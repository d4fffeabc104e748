"""Steps of many calls: they go over several turns, and a turn that got further is no failed attempt."""

from common import clock
from common.backoff import backoff_seconds
from common.errors import Retry, Wait
from workers.platforms.meta.calls import Refusal

LONGEST_TURN_SECONDS = 10.0
"""Between two turns the job can be cancelled, and its worker can stop."""


class Turn:
    """One run of such a step; `has_moved` is set by whoever does what need not be done again."""

    def __init__(self) -> None:
        self._began_at = clock.seconds()
        self.has_moved = False

    @property
    def is_over(self) -> bool:
        """Whether the step leaves the rest to the next one."""
        return self.has_moved and clock.seconds() - self._began_at > LONGEST_TURN_SECONDS

    def met(self, error: Refusal | Retry) -> Exception:
        """What the step ends its turn with. Of hundreds of calls some fail; were each of them an attempt,
        the step would be given up for its length."""
        cause = error.step_error if isinstance(error, Refusal) else error
        if not self.has_moved or not isinstance(cause, Retry):
            return error
        return Wait(
            cause.message,
            code=cause.code,
            reason="retry",
            seconds=backoff_seconds(1) if cause.after is None else cause.after,
            remedy=cause.remedy,
            upstream=cause.upstream,
            pointer=cause.pointer,
            may_have_happened=cause.may_have_happened,
        )
