"""Refuses budgets that the platform would refuse behind a campaign, before anything is made."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from common.errors import StepError
from models import meta_rules
from models.account import minimum_budgets
from models.database import Pool
from models.gen import ad_accounts
from models.gen.rows import AdAccount
from models.job import JobError
from models.jsonb import to_jsonb
from models.meta_rules import RuleContext
from models.verification import MinimumBudgets
from models.violation import Violation
from workers.kinds import Run
from workers.platforms.base import Account, Platform

log = structlog.get_logger()

RULES = {"META": meta_rules.rule_violations}
CODES = {"budget_too_small", "spend_cap_too_small"}


class LeastBudgets:
    """Asks about an account that nobody has verified, and keeps what it is told as verifying does."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def refusal(
        self, run: Run, account: Account, platform: Platform, deadline_seconds: float
    ) -> JobError | None:
        """Why the job must not begin. None also where the platform does not tell: it refuses by itself."""
        if run.ledger.has_begun("campaign"):
            return None
        currency, least = run.account.currency, minimum_budgets(run.account)
        if least is None:
            run.guard()
            currency, least = await self._learnt(run.account, account, platform, deadline_seconds)
        if least is None:
            return None
        context = RuleContext(datetime.now(UTC), currency, minimum_budgets=least)
        found = RULES[run.job.platform_type](_spending(run.request.payload), context)
        return _told([violation for violation in found if violation["code"] in CODES])

    async def _learnt(
        self, row: AdAccount, account: Account, platform: Platform, deadline_seconds: float
    ) -> tuple[str | None, MinimumBudgets | None]:
        try:
            facts = await platform.account_facts(account, deadline_seconds)
        except StepError as error:  # the first step meets it, too, and knows what to do about it
            log.info("least_budgets.not_told", code=error.code)
            return None, None
        if facts is None or facts.minimum_budgets is None:
            return None, None
        await ad_accounts.keep_least_budgets(
            self._pool,
            id=row.id,
            credentials_version=row.credentials_version,
            currency=facts.currency,
            minimum_budgets=to_jsonb(facts.minimum_budgets),
        )
        return facts.currency, facts.minimum_budgets


def _spending(payload: str | bytes) -> dict[str, Any]:
    """The request without its ads and media, of which there may be thousands: they spend nothing."""
    document: dict[str, Any] = msgspec.json.decode(payload)
    ad_sets = [{**ad_set, "ads": []} for ad_set in document["ad_sets"]]
    return {**document, "ad_sets": ad_sets, "media": {}}


def _told(found: list[Violation]) -> JobError | None:
    if not found:
        return None
    first, *others = found
    code, message, pointer = first["code"], first["message"], first["pointer"]
    also = ", ".join(violation["pointer"] for violation in others)
    return JobError(
        code=code,
        message=f"{message} Nothing was made." + (f" So it is at {also}." if also else ""),
        remedy="Raise the budget and send a new request, with a new Idempotency-Key.",
        pointer=pointer,
    )
