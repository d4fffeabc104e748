"""How many watchers one team may have at one API process: counted exactly, where they are."""

import contextlib
from collections import Counter
from collections.abc import Generator
from typing import Literal
from uuid import UUID

from common.errors import TooManyRequests

_RETRY_SECONDS = 5

type What = Literal["streams", "held_answers"]


class Places:
    """`most` of each kind; None: as many as come."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._taken: Counter[tuple[What, UUID]] = Counter()

    @contextlib.contextmanager
    def one_more(self, what: What, team_id: UUID) -> Generator[None]:
        """Holds a place as long as the block lasts. Raises TooManyRequests."""
        place = (what, team_id)
        if self._most is not None and self._taken[place] >= self._most:
            raise _refusal(what, self._most)
        self._taken[place] += 1
        try:
            yield
        finally:
            self._taken[place] -= 1
            if not self._taken[place]:
                del self._taken[place]


def _refusal(what: What, most: int) -> TooManyRequests:
    name = what.replace("_", " ")
    return TooManyRequests(
        f"The team has {most} {name} open. Close some; `GET /api/v1/events` tells of all jobs.",
        code=f"too_many_{what}",
        headers={"Retry-After": str(_RETRY_SECONDS)},
    )
