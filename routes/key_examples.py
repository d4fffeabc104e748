"""Examples of what a caller reads about its key."""

from datetime import UTC, datetime
from uuid import UUID

from routes.me import KeyView, RateLimit, TeamOfKey

EXAMPLES = {
    "KeyView": {
        "key": KeyView(
            id=UUID("01a1fdba-4d3c-7b2a-8f1e-0a9b8c7d6e5f"),
            name="reports",
            key_prefix="mj_test_4fQz",
            team=TeamOfKey(UUID("01a1fdb9-3c2b-7a19-9e0d-1f2e3d4c5b6a"), "Agency"),
            mode="sandbox",
            livemode=False,
            scopes=["accounts:read", "jobs:read"],
            rate_limits=[RateLimit("key", 1000.0, 10_000), RateLimit("team", 2000.0, 20_000)],
            created_at=datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
            expires_at=None,
        )
    }
}
