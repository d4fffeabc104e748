"""Meta: campaigns, ad sets, creatives and ads through the official SDK's requests."""

from typing import Any

from common.errors import Reject, Retry
from models.credentials import Account
from models.marker import marker
from models.plan import PlannedStep
from models.verification import AccountFacts, Checked
from workers.platforms.base import Called, Done, StepContext, unmeasured
from workers.platforms.meta import payloads
from workers.platforms.meta.activation import activate
from workers.platforms.meta.calls import Addresses, Effect, Graph, Refusal, id_of, unanswered
from workers.platforms.meta.check import Check
from workers.platforms.meta.media import MediaUploads
from workers.platforms.meta.sdk import Call, Sdk
from workers.platforms.meta.strangers import mapping

LOOKED_UP = {"campaign", "ad_set", "ad"}
"""Meta has no idempotency key: these are found again by the marker in their names."""

EVERY_STATUS = [
    "ACTIVE",
    "PAUSED",
    "DELETED",
    "ARCHIVED",
    "IN_PROCESS",
    "WITH_ISSUES",
]
EVERY_AD_STATUS = [
    *EVERY_STATUS,
    "PENDING_REVIEW",
    "DISAPPROVED",
    "PREAPPROVED",
    "PENDING_BILLING_INFO",
    "CAMPAIGN_PAUSED",
    "ADSET_PAUSED",
]
GONE = {"DELETED", "ARCHIVED"}
MOST_PAGES = 20
UNREAD = "Nothing; the job looks again by itself."


class Meta:
    """Satisfies `base.Platform`."""

    def __init__(
        self,
        *,
        live_base_url: str,
        live_video_base_url: str,
        sandbox_base_url: str,
        api_version: str,
        called: Called = unmeasured,
    ) -> None:
        self._sdk = Sdk(api_version)
        addresses = Addresses(live_base_url, live_video_base_url, sandbox_base_url)
        self._graph = Graph(addresses, called)
        self._uploads = MediaUploads(self._graph, self._sdk)

    def must_look(self, step: PlannedStep) -> bool:
        """Images and creatives deduplicate by content, uploads go on, activation may be repeated."""
        return step.kind in LOOKED_UP

    async def close(self) -> None:
        """Lets connections go."""
        await self._graph.close()

    async def check(self, account: Account, deadline_seconds: float) -> Checked:
        """What the account's credentials are worth; satisfies `models.verification.Checker`."""
        return await Check(self._graph, self._sdk, account, deadline_seconds).run()

    async def account_facts(self, account: Account, deadline_seconds: float) -> AccountFacts | None:
        """Currency and least budgets, in two reads side by side."""
        return await Check(self._graph, self._sdk, account, deadline_seconds).account_facts()

    async def perform(self, context: StepContext) -> Done:
        """Makes what the step is about."""
        try:
            return await self._perform(context)
        except Refusal as refusal:
            raise refusal.step_error from None

    async def find(self, context: StepContext) -> Done | None:
        """Lists the parent's children in every status and looks for the step's marker."""
        wanted = f"[{marker(context.job_id, context.step.name)}]"
        try:
            found = await self._named(context, wanted)
        except Refusal as refusal:
            raise refusal.step_error from None
        if len(found) > 1:
            raise Reject(
                f"Meta holds {len(found)} objects of this one step: {', '.join(found)}",
                code="duplicate_found",
                remedy="Delete all but one on Meta, then ask for a retry.",
                retryable=True,
            )
        return Done(found[0]) if found else None

    async def _perform(self, context: StepContext) -> Done:
        account = context.account.platform_account_id
        match context.step.kind:
            case "media" if context.step.media_kind == "video":
                return await self._uploads.video(context)
            case "media":
                return await self._uploads.image(context)
            case "campaign":
                call = self._sdk.create("campaign", account, payloads.campaign(context))
            case "ad_set":
                call = self._sdk.create("ad_set", account, payloads.ad_set(context))
            case "ad":
                call = self._sdk.create("ad", account, payloads.ad(context))
            case "creative":
                current = await self._uploads.with_current_frames(context)
                call = self._sdk.create("ad_creative", account, payloads.creative(current))
                return await self._made(context, call, "repeatable")
            case "activate":
                return await activate(self._graph, self._sdk, context)
        return await self._made(context, call, "creates")

    async def _made(self, context: StepContext, call: Call, effect: Effect) -> Done:
        """What a create brought. An answer without an id tells nothing of what was made."""
        made = id_of((await self._graph.send(context, call, effect=effect)).get("id"))
        if made is None:
            raise unanswered(effect, "an answer without an id came")
        return Done(made)

    async def _named(self, context: StepContext, wanted: str) -> list[str]:
        """Ids of the children whose name ends in the marker, else of those that somebody renamed; of
        several those that nobody has deleted."""
        found: dict[str, dict[str, Any]] = {}
        after: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._graph.send(
                context, self._listing(context, wanted, after), effect="reads"
            )
            children, after = _read(page)
            found |= {str(child["id"]): child for child in children}
            if after is None:
                break
        else:
            raise Retry("Meta's list did not end", code="list_not_read", remedy=UNREAD)
        names = {child: str(told["name"]) for child, told in found.items()}
        # a copy that somebody makes on the platform has words behind the marker, too
        exact = [child for child, name in names.items() if name.endswith(wanted)]
        ours = exact or [child for child, name in names.items() if wanted in name]
        # of several that are gone nobody can delete all but one, and none costs anything
        return [child for child in ours if found[child].get("status") not in GONE] or ours[:1]

    def _listing(self, context: StepContext, wanted: str, after: str | None) -> Call:
        step, done = context.step, context.outcomes
        params: dict[str, Any] = {
            "filtering": [{"field": "name", "operator": "CONTAIN", "value": wanted.strip("[]")}],
            "effective_status": EVERY_AD_STATUS if step.kind == "ad" else EVERY_STATUS,
            "limit": 100,
        }
        if after is not None:
            params["after"] = after
        fields = ["id", "name", "status"]
        if step.kind == "campaign":
            return self._sdk.campaigns(context.account.platform_account_id, fields, params)
        if step.kind == "ad_set":
            return self._sdk.ad_sets(
                done["campaign"].platform_id,
                fields,
                {**params, "effective_status": [*EVERY_STATUS, "CAMPAIGN_PAUSED"]},
            )
        return self._sdk.ads(done[f"ad_set[{step.place[0]}]"].platform_id, fields, params)


def _read(page: dict[str, Any]) -> tuple[list[dict[str, Any]], str | None]:
    """The children on a page and where the list goes on. What is no list does not prove that nothing
    is there, neither does one whose rest cannot be asked for."""
    paging: Any = page.get("paging") or {}
    after = mapping(mapping(paging).get("cursors")).get("after")
    is_last = "next" not in mapping(paging)
    children: Any = page.get("data")
    is_list = isinstance(children, list) and all(_names_something(child) for child in children)  # pyright: ignore[reportUnknownVariableType]  # JSON of a stranger
    goes_on = isinstance(after, str) and after != ""
    if not is_list or not isinstance(paging, dict) or not (goes_on or is_last):
        raise Retry("Meta's list cannot be read", code="list_not_read", remedy=UNREAD)
    return children, None if is_last else str(after)


def _names_something(child: object) -> bool:
    """A list of names in which one is missing tells nothing of what bears it."""
    told = mapping(child)
    return id_of(told.get("id")) is not None and isinstance(told.get("name"), str)
