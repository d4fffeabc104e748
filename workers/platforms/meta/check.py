"""Asks Meta what an account's credentials are worth: reads only, four of them when all is well."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec

from common.errors import Retry, StepError, Wait
from models.credentials import Account
from models.verification import AccountFacts, Checked, Finding, PageFacts, TokenFacts
from workers.platforms.meta import judgement, told
from workers.platforms.meta.calls import Graph, Refusal
from workers.platforms.meta.sdk import Call, Sdk

ACCOUNT_FIELDS = [
    "name",
    "account_status",
    "currency",
    "timezone_name",
    "user_tasks",
    "funding_source",
    "min_campaign_group_spend_cap",
]
PAGE_FIELDS = ["id", "name", "tasks"]
MOST_LISTS = 5
_ORDER = ("error", "warning", "info")
_EXPIRED = 463
_NEW_CREDENTIALS = "Replace the account's credentials; the jobs that wait then go on by themselves."
_NOT_TOLD = ("object_not_visible", "report_not_ready")
"""Worth a second try for a step; for a question that is an answer."""


class Refused(msgspec.Struct, frozen=True):
    """Meta does not answer this question to this token."""

    code: str
    message: str
    remedy: str


class TokenDead(Exception):
    """The token is not accepted; nothing else need be asked."""

    def __init__(self, error: StepError) -> None:
        super().__init__(error.message)
        self.error = error


class Check:
    """One look at one account."""

    def __init__(self, graph: Graph, sdk: Sdk, account: Account, seconds: float) -> None:
        self._graph = graph
        self._sdk = sdk
        self._account = account
        self._seconds = seconds

    async def run(self) -> Checked:
        """Everything that can be learnt. Raises Retry or Wait when Meta cannot be asked now."""
        try:
            return await self._ask_everything()
        except TokenDead as dead:
            return _of_dead_token(dead.error)

    async def account_facts(self) -> AccountFacts | None:
        """What is told of the account alone; None where it is not shown. Raises Retry or Wait."""
        try:
            facts, _ = await self._of_account()
        except TokenDead:
            return None
        return facts

    async def _ask_everything(self) -> Checked:
        token = await self._token()
        account, pages = await _both(self._of_account(), self._pages())
        facts, findings = account
        found = [
            *judgement.of_token(token, datetime.now(UTC)),
            *findings,
            *judgement.of_pages(pages, self._account.credentials),
        ]
        found.sort(key=lambda finding: _ORDER.index(finding.severity))
        return Checked(token=token, account=facts, pages=pages or [], findings=found)

    async def _token(self) -> TokenFacts:
        """A token may look at itself unless Meta wants one of the app's own people for that."""
        answer = await self._ask(self._sdk.token(self._account.credentials.access_token))
        token = None if isinstance(answer, Refused) else told.token_facts(answer)
        if token is not None and not token.works:
            raise TokenDead(_said_dead(answer))
        token = token or TokenFacts(works=True)
        if token.permissions is not None:
            return token
        listed = await self._ask(self._sdk.permissions())
        given = None if isinstance(listed, Refused) else told.granted(listed)
        return msgspec.structs.replace(token, permissions=given)

    async def _of_account(self) -> tuple[AccountFacts | None, list[Finding]]:
        account_id = self._account.platform_account_id
        answer, budgets = await _both(
            self._ask(self._sdk.account(account_id, ACCOUNT_FIELDS)),
            self._ask(self._sdk.minimum_budgets(account_id)),
        )
        if isinstance(answer, Refused):
            return None, [_hidden_account(answer)]
        facts = told.account_facts(answer, {} if isinstance(budgets, Refused) else budgets)
        is_funded = "funding_source" in answer
        return facts, [*judgement.of_account(facts, told.roles(answer), is_funded=is_funded)]

    async def _pages(self) -> list[PageFacts] | None:
        found: list[PageFacts] = []
        after: dict[str, Any] = {}
        for _ in range(MOST_LISTS):
            answer = await self._ask(self._sdk.pages(PAGE_FIELDS, {"limit": 100, **after}))
            listed = None if isinstance(answer, Refused) else told.pages(answer)
            if listed is None or isinstance(answer, Refused):
                return None
            found += listed
            following = told.next_page(answer)
            if following is None:
                break
            after = {"after": following}
        return found

    async def _ask(self, call: Call) -> dict[str, Any] | Refused:
        try:
            return await self._graph.ask(self._account, call, self._seconds)
        except Refusal as refusal:
            return _refused(refusal.step_error)


async def _both[A, B](first: Any, second: Any) -> tuple[Any, Any]:
    """Side by side; when one raises, that is raised and the other is over, too."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = group.create_task(first), group.create_task(second)
    except* (TokenDead, StepError) as raised:
        raise raised.exceptions[0] from None
    return tasks[0].result(), tasks[1].result()


def _refused(error: StepError) -> Refused:
    """Errors that are about the token or about this moment are raised instead."""
    if isinstance(error, Wait) and error.reason == "reauth_required":
        raise TokenDead(error)
    if error.code == "proof_rejected":
        raise TokenDead(error)
    if isinstance(error, Retry | Wait) and error.code not in _NOT_TOLD:
        raise error
    return Refused(error.code, error.message, error.remedy)


def _of_dead_token(error: StepError) -> Checked:
    code = error.code
    if code == "token_rejected" and (error.upstream or {}).get("subcode") == _EXPIRED:
        code = "token_expired"
    message = f"The platform does not accept the token: {told.name(error.message)}"
    found = Finding(code, "error", message, _NEW_CREDENTIALS)
    return Checked(token=TokenFacts(works=False), findings=[found])


def _said_dead(answer: Any) -> StepError:
    """`debug_token` tells of a dead token without refusing anything."""
    data: Any = answer.get("data")
    error = data.get("error")
    known: dict[str, Any] = error if isinstance(error, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # JSON of a stranger
    message = told.name(known.get("message")) or "It is not valid any more."
    return StepError(
        message,
        code="token_rejected",
        remedy=_NEW_CREDENTIALS,
        upstream={"subcode": known.get("subcode")},
    )


def _hidden_account(refused: Refused) -> Finding:
    codes = {
        "permission_missing": "ad_account_not_permitted",
        "object_not_visible": "ad_account_not_found",
    }
    message = f"The platform does not show the ad account: {told.name(refused.message)}"
    remedy = "Check the account's id, and give the token's user a role on the ad account."
    if refused.code not in codes:
        return Finding(refused.code, "error", message, refused.remedy)
    return Finding(codes[refused.code], "error", message, remedy)
