"""Whether a campaign may be ACTIVE although nobody has heard so, and how that is told."""

from typing import Any

import msgspec

from models.gen.rows import JobStep

ACTIVATIONS_LEFT = "left"
"""In the progress of an activation: how many objects are not ACTIVE yet, the campaign last of all."""
CAMPAIGN_ASKED = "campaign_asked"
"""Likewise: whether the call that sets the campaign ACTIVE may have been carried out. True before it is
sent, and false again only where its answer proves that it was not."""
ACTIVATION_IN_DOUBT = "activation_in_doubt"
CAMPAIGN_ACTIVE = "campaign_active"
IS_ACTIVE = "The campaign is ACTIVE on the platform: pause it if it is not to run."
_LOOK = (
    "The campaign may be ACTIVE on the platform: look there, and pause it if it is not to run. "
    "A retry of the job sets it ACTIVE."
)


def was_asked(progress: dict[str, Any]) -> bool:
    """Releases before the word was written told it by what was left.

    >>> was_asked({"left": 1}), was_asked({"left": 1, "campaign_asked": False}), was_asked({})
    (True, False, False)
    """
    return bool(progress.get(CAMPAIGN_ASKED, progress.get(ACTIVATIONS_LEFT) in (0, 1)))


def may_be_active(row: JobStep) -> bool:
    """Of an activation that is not done. After a restore nobody knows how far it came."""
    return row.status == "IN_DOUBT" or was_asked(msgspec.json.decode(row.outcome or "{}"))


def remedy(others: str) -> str:
    """What to do about a campaign that may be spending, then what else there is to do."""
    return f"{_LOOK} {others}".strip()
