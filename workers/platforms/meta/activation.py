"""Sets a finished campaign ACTIVE, children first, in turns that go on where the last one stopped."""

from common.errors import Retry, Wait
from models.plan import ACTIVATIONS_LEFT
from workers.platforms.base import Done, StepContext
from workers.platforms.meta.calls import Graph, Refusal, require_success
from workers.platforms.meta.sdk import Call, Sdk
from workers.platforms.meta.turns import Turn


async def activate(graph: Graph, sdk: Sdk, context: StepContext) -> Done:
    """Children first, so that nothing is delivered before all of it is ready.

    How far it came is saved after each call: a throttle that lets only some calls pass would else begin
    with the first one again and again, and whoever cancels the job could not be told that the campaign
    may be ACTIVE. Raises Wait when the turn is over.
    """
    objects = _children_first(context)
    finished, turn = int(context.progress.get("activated", 0)), Turn()
    for number, (kind, object_id) in enumerate(objects[finished:], finished + 1):
        await _set_active(graph, context, sdk.update(kind, object_id, {"status": "ACTIVE"}), turn)
        left = len(objects) - number
        await context.save({"activated": number, ACTIVATIONS_LEFT: left})
        turn.has_moved = True
        if left and turn.is_over:
            raise Wait(
                f"{number} of {len(objects)} objects are ACTIVE",
                code="activating",
                reason="not_ready",
                seconds=0,
                remedy="Nothing; the job goes on by itself.",
            )
    return Done(context.outcomes["campaign"].platform_id)


async def _set_active(graph: Graph, context: StepContext, call: Call, turn: Turn) -> None:
    try:
        require_success(await graph.send(context, call, effect="repeatable"))
    except (Refusal, Retry) as error:
        raise turn.met(error) from None


def _children_first(context: StepContext) -> list[tuple[str, str]]:
    """Kinds and ids, always in the same order, so that a number says which are finished."""
    ad_sets = context.request.ad_sets
    ads = [f"ad[{i}][{j}]" for i, ad_set in enumerate(ad_sets) for j, _ in enumerate(ad_set.ads)]
    names = {
        "ad": ads,
        "ad_set": [f"ad_set[{i}]" for i, _ in enumerate(ad_sets)],
        "campaign": ["campaign"],
    }
    done = context.outcomes
    return [(kind, done[name].platform_id) for kind, named in names.items() for name in named]
