"""Keys of rows: UUIDs that sort in the order of time."""

from uuid import UUID

from uuid_utils import compat


def uuid7() -> UUID:
    """A fresh key, larger than those made before.

    >>> uuid7().version
    7
    """
    return compat.uuid7()


def key_at(seconds: float) -> UUID:
    """Lower than every key that was made since then, where clocks agree; time as since 1970.

    >>> key_at(0), key_at(-5) == key_at(0), key_at(1) < uuid7()
    (UUID('00000000-0000-0000-0000-000000000000'), True, True)
    """
    return UUID(int=max(0, int(seconds * 1000)) << 80)
