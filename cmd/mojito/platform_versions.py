"""Until when each platform serves which version of its API, as the platform has announced it."""

from datetime import date

import msgspec

_CHANGELOG = "https://developers.facebook.com/docs/graph-api/changelog"


class Version(msgspec.Struct, frozen=True):
    """One version. `last_day` is None while no end is announced."""

    platform_type: str
    version: str
    last_day: date | None
    source: str


VERSIONS = (
    Version("META", "v26.0", None, _CHANGELOG),
    Version("META", "v25.0", None, _CHANGELOG),
    Version("META", "v24.0", date(2026, 10, 6), _CHANGELOG),
    Version("META", "v23.0", date(2026, 6, 9), _CHANGELOG),
)
"""Of the Marketing API, which ends long before the Graph API of the same number."""

KNOWN_ON = date(2026, 11, 20)
"""When this table was last compared with its sources."""


def known_version(platform_type: str, version: str) -> Version | None:
    """The row; None for a version that the table does not know."""
    for row in VERSIONS:
        if (row.platform_type, row.version) == (platform_type, version):
            return row
    return None
