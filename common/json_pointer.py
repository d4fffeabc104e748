"""Names as parts of a JSON pointer (RFC 6901), which says where in a document something stands."""


def escaped(name: str) -> str:
    """The name as it stands between two slashes.

    >>> escaped("a/b~c")
    'a~1b~0c'
    """
    return name.replace("~", "~0").replace("/", "~1")
