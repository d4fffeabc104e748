"""Looks at values whose type says nothing yet of whether they can be used."""

from urllib.parse import urlsplit

_LONGEST_GROWTH_SECONDS = 1e9


def grows_back(per_second: float, burst: int) -> bool:
    """Whether a spent burst is whole again in a time that can be reckoned with; without a limit it always is.

    >>> grows_back(5, 20), grows_back(0, 20), grows_back(1e-320, 5)
    (True, True, False)
    """
    return per_second == 0 or burst <= per_second * _LONGEST_GROWTH_SECONDS


def leads_somewhere(url: str) -> bool:
    """Whether host and port can be read.

    >>> leads_somewhere("https://graph.facebook.com"), leads_somewhere("http://[::1]:8100/meta")
    (True, True)
    >>> leads_somewhere("http://host:70000"), leads_somewhere("http://[::1"), leads_somewhere("http://:80")
    (False, False, False)
    """
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
