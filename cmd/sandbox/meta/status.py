"""What an object's own status and those above it come to."""

from sandbox.meta.asking import Ask
from sandbox.objects import Record

_FINAL = ("DELETED", "ARCHIVED")
_OF_CAMPAIGNS = frozenset(("ACTIVE", "PAUSED", *_FINAL, "IN_PROCESS", "WITH_ISSUES"))
_OF_AD_SETS = _OF_CAMPAIGNS | {"CAMPAIGN_PAUSED"}
_OF_ADS = _OF_AD_SETS | {
    "ADSET_PAUSED",
    "DISAPPROVED",
    "PENDING_BILLING_INFO",
    "PENDING_REVIEW",
    "PREAPPROVED",
}
EFFECTIVE = {"campaign": _OF_CAMPAIGNS, "ad_set": _OF_AD_SETS, "ad": _OF_ADS}
"""What each kind can be asked for (SDK, EffectiveStatus of each)."""
_PAUSED_BY = {"campaign": "CAMPAIGN_PAUSED", "ad_set": "ADSET_PAUSED"}


def effective_status(ask: Ask, record: Record) -> str:
    """The end of anything above is its own end; its own pause comes before a pause above."""
    above = _above(ask, record)
    for final in _FINAL:
        if record.status == final or any(parent.status == final for parent in above):
            return final
    if record.status == "PAUSED":
        return "PAUSED"
    paused = next((parent for parent in above if parent.status == "PAUSED"), None)
    return record.status if paused is None else _PAUSED_BY[paused.kind]


def is_hidden(ask: Ask, record: Record) -> bool:
    """Lists leave out what is deleted or archived unless somebody asks for a status."""
    return effective_status(ask, record) in _FINAL


def _above(ask: Ask, record: Record) -> list[Record]:
    """From the nearest to the campaign."""
    found: list[Record] = []
    parent = ask.parent(record)
    while parent is not None:
        found.append(parent)
        parent = ask.parent(parent)
    return found
