"""The short token behind the caller's own name, by which a step's object is found again on a platform."""

import base64
import hashlib
from uuid import UUID

MARKER_LENGTH = 16
"""How many characters `marked` adds to a name; length limits are checked on name plus marker."""


def marker(job_id: UUID, step_name: str) -> str:
    """55 bits made from the job and the step: the same on every try, and nobody else's.

    >>> marker(UUID(int=1), "campaign") == marker(UUID(int=1), "campaign")
    True
    >>> marker(UUID(int=1), "ad_set[0]") == marker(UUID(int=1), "ad_set[1]")
    False
    """
    digest = hashlib.sha256(job_id.bytes + step_name.encode()).digest()
    return "m:" + base64.b32encode(digest)[:11].decode().lower()


def marked(name: str, job_id: UUID, step_name: str) -> str:
    """The caller's name as the platform sees it.

    >>> len(marked("Spring", UUID(int=1), "campaign")) - len("Spring") == MARKER_LENGTH
    True
    """
    return f"{name} [{marker(job_id, step_name)}]"


def where_to_look(job_id: UUID, step_name: str) -> str:
    """For people, of something that may have been made without our hearing of it."""
    return f"It may exist on the platform: its name there would hold [{marker(job_id, step_name)}]."
