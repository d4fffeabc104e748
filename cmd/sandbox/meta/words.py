"""Sets of names, written as text."""


def words(text: str) -> frozenset[str]:
    """Each word once.

    >>> sorted(words("name id"))
    ['id', 'name']
    """
    return frozenset(text.split())
