"""What belongs to what: campaigns hold ad sets, these hold ads, and ads show creatives."""

from sandbox.meta.asking import Ask
from sandbox.objects import Record

EDGES = {
    "account": {
        "campaigns": "campaign",
        "adsets": "ad_set",
        "ads": "ad",
        "adcreatives": "creative",
        "adimages": "image",
        "advideos": "video",
    },
    "campaign": {"adsets": "ad_set", "ads": "ad"},
    "ad_set": {"ads": "ad", "adcreatives": "creative"},
    "ad": {"adcreatives": "creative"},
    "creative": {},
}


def below(ask: Ask, record: Record, kind: str) -> list[Record]:
    """The objects of a kind that belong to another, however far below."""
    match record.kind, kind:
        case "campaign", "ad":
            ad_sets = ask.children(record.id, "ad_set")
            return [ad for ad_set in ad_sets for ad in ask.children(ad_set.id, "ad")]
        case "ad_set", "creative":
            return _creatives(ask, ask.children(record.id, "ad"))
        case "ad", "creative":
            return _creatives(ask, [record])
        case _:
            return ask.children(record.id, kind)


def _creatives(ask: Ask, ads: list[Record]) -> list[Record]:
    wanted = dict.fromkeys(str(ad.fields["creative"]["creative_id"]) for ad in ads)
    return [found for object_id in wanted if (found := ask.record(object_id))]
