"""Keys of rows: UUIDs that sort in the order of time."""

from uuid import UUID

from uuid_utils import compat


def uuid7() -> UUID:
    """A fresh key, larger than those made before.

    >>> uuid7().version
    7
    """
    return compat.uuid7()
