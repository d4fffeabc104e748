"""How long to wait before the next try."""

import random


def backoff_seconds(attempt: int, *, base: float = 2.0, longest: float = 3600.0) -> float:
    """Doubles with each attempt (1 is the first), capped, with jitter of a half so that failures spread.

    >>> all(1.0 <= backoff_seconds(1) <= 2.0 for _ in range(50))
    True
    >>> all(1800.0 <= backoff_seconds(40) <= 3600.0 for _ in range(50))
    True
    """
    whole = min(base * 2 ** min(attempt - 1, 30), longest)
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


def patient_seconds(since: float, *, shortest: float = 2.0, longest: float = 120.0) -> float:
    """As long again as it has lasted by now, which doubles like the other; capped, with the same jitter.

    >>> all(1.0 <= patient_seconds(0) <= 2.0 for _ in range(50))
    True
    >>> all(60.0 <= patient_seconds(3000) <= 120.0 for _ in range(50))
    True
    """
    whole = min(max(since, shortest), longest)
    return whole * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
