"""Whether a campaign may be ACTIVE although nobody has heard so, and how that is told."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from models.gen.rows import JobStep

ACTIVATIONS_LEFT = "left"
"""In the progress of an activation: how many objects are not ACTIVE yet, the campaign last of all."""
CAMPAIGN_ASKED = "campaign_asked"
"""Likewise: whether the call that sets the campaign ACTIVE may have been carried out. True before it is
sent, and false again only where its answer proves that it was not."""
TAKEN_BACK_BY = "taken_back_by"
"""Likewise: the run that said so. A release before the word was written asks again without a word."""
ACTIVATION_IN_DOUBT = "activation_in_doubt"
CAMPAIGN_ACTIVE = "campaign_active"
IS_ACTIVE = "The campaign is ACTIVE on the platform: pause it if it is not to run."
_LOOK = (
    "The campaign may be ACTIVE on the platform: look there, and pause it if it is not to run. "
    "A retry of the job sets it ACTIVE."
)


def not_asked(run: UUID) -> dict[str, Any]:
    """What is saved when it is certain. It holds until another run tries."""
    return {CAMPAIGN_ASKED: False, TAKEN_BACK_BY: str(run)}


def was_asked(progress: Mapping[str, Any], last_run: UUID | None) -> bool:
    """As saved, when `last_run` was the last that has begun the activation. Releases before the word was
    written told it by what was left.

    >>> was_asked({"left": 1}, None), was_asked({}, None)
    (True, False)
    >>> one, other = UUID(int=1), UUID(int=2)
    >>> was_asked({"left": 1, **not_asked(one)}, one), was_asked({"left": 1, **not_asked(one)}, other)
    (False, True)
    """
    if progress.get(CAMPAIGN_ASKED) is False:
        return progress.get(TAKEN_BACK_BY) != str(last_run)
    return bool(progress.get(CAMPAIGN_ASKED, progress.get(ACTIVATIONS_LEFT) in (0, 1)))


def may_be_active(row: JobStep) -> bool:
    """Of an activation that is not done. After a restore nobody knows how far it came."""
    progress = msgspec.json.decode(row.outcome or "{}")
    return row.status == "IN_DOUBT" or was_asked(progress, row.claim_token)


def remedy(others: str) -> str:
    """What to do about a campaign that may be spending, then what else there is to do."""
    return f"{_LOOK} {others}".strip()
