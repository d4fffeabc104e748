"""Sets a finished campaign ACTIVE, children first, in turns that go on where the last one stopped."""

from typing import Any

from common.errors import Retry, StepError, Wait
from models.activation import ACTIVATIONS_LEFT, CAMPAIGN_ASKED, not_asked, was_asked
from workers.platforms.base import Done, StepContext
from workers.platforms.meta.calls import Graph, Refusal, require_success
from workers.platforms.meta.sdk import Call, Sdk
from workers.platforms.meta.turns import Turn


async def activate(graph: Graph, sdk: Sdk, context: StepContext) -> Done:
    """Children first, so that nothing is delivered before all of it is ready.

    How far it came is saved after each call: a throttle that lets only some calls pass would else begin
    with the first one again and again, and whoever ends the job meanwhile could not be told that the
    campaign may be ACTIVE. Raises Wait when the turn is over.
    """
    objects = _children_first(context)
    is_in_doubt = was_asked(context.progress, context.earlier_run)
    finished, turn = int(context.progress.get("activated", 0)), Turn()
    for number, (kind, object_id) in enumerate(objects[finished:], finished + 1):
        call = sdk.update(kind, object_id, {"status": "ACTIVE"})
        if kind == "campaign":
            await _ask_campaign(graph, context, call, turn, is_in_doubt=is_in_doubt)
        else:
            await _set_active(graph, context, call, turn)
        left, turn.has_moved = len(objects) - number, True
        is_over = left > 0 and turn.is_over
        if left == 1 and not is_over:
            # whoever cancels before the campaign is asked relies on its being paused
            await context.go_on()
        # while more is left nothing is said: workers of before, and restores, are believed
        asked: dict[str, Any] = {}
        if left <= 1:
            is_asked = is_in_doubt or not is_over
            asked = {CAMPAIGN_ASKED: True} if is_asked else not_asked(context.run)
        await context.save({"activated": number, ACTIVATIONS_LEFT: left, **asked})
        if is_over:
            raise Wait(
                f"{number} of {len(objects)} objects are ACTIVE",
                code="activating",
                reason="not_ready",
                seconds=0,
                remedy="Nothing; the job goes on by itself.",
            )
    return Done(context.outcomes["campaign"].platform_id)


async def _ask_campaign(
    graph: Graph, context: StepContext, call: Call, turn: Turn, *, is_in_doubt: bool
) -> None:
    """The call that lets it spend: durably begun before it is sent, and taken back where an answer proves
    that nothing came of it, unless an earlier one has left a doubt that no later refusal ends."""
    if context.progress.get(CAMPAIGN_ASKED) is not True:
        await context.save({CAMPAIGN_ASKED: True})
    try:
        await _set_active(graph, context, call, turn)
    except (Refusal, StepError) as error:
        cause = error.step_error if isinstance(error, Refusal) else error
        if not (is_in_doubt or cause.may_have_happened):
            await context.save(not_asked(context.run))
        raise


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
