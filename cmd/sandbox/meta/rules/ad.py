"""What is refused of an ad."""

from sandbox.meta.rules.table import Params, World, rule
from sandbox.meta.rules.values import part

AD = "Marketing API reference, ad"


@rule("ad", "ad_required", None, AD, "A required parameter is missing.")
def ad_required(params: Params, world: World):
    for name in ("name", "adset_id", "creative"):
        if params.get(name) in (None, ""):
            return name, f"The parameter {name} is required."
    return None


@rule("ad", "ad_set_missing", 33, AD, "The ad set does not exist or cannot be seen.")
def ad_set_exists(params: Params, world: World):
    found = world.get(str(params.get("adset_id")))
    return "adset_id" if found is None or found["kind"] != "ad_set" else None


@rule("ad", "ad_set_gone", 1487056, AD, "The ad set is deleted or archived.")
def ad_set_lives(params: Params, world: World):
    found = world.get(str(params.get("adset_id")))
    return "adset_id" if found and found["status"] in ("DELETED", "ARCHIVED") else None


@rule("ad", "creative_missing", 33, AD, "The creative does not exist or cannot be seen.")
def creative_exists(params: Params, world: World):
    inline = part(params, "creative", "object_story_spec") or part(
        params, "creative", "object_story_id"
    )
    found = world.get(str(part(params, "creative", "creative_id")))
    known = found is not None and found["kind"] == "creative" and found["status"] != "DELETED"
    return None if inline or known else "creative.creative_id"


@rule("ad", "page_of_promoted_object", 1885154, AD, "The creative's page is not the promoted page.")
def promoted_page(params: Params, world: World):
    above = world.get(str(params.get("adset_id")))
    below = world.get(str(part(params, "creative", "creative_id")))
    if above is None or below is None:
        return None
    promoted = part(above["fields"], "promoted_object", "page_id")
    story = str(below["fields"].get("object_story_id") or "")
    page = part(below["fields"], "object_story_spec", "page_id") or story.partition("_")[0]
    return "creative" if promoted and page and str(promoted) != str(page) else None


RULES = (
    ad_required,
    ad_set_exists,
    ad_set_lives,
    creative_exists,
    promoted_page,
)
