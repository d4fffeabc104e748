"""/api/v1/ad_accounts/{id}/verify: asks the platform what an account's credentials are worth."""

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath

from models.account_verification import LONGEST_SECONDS
from models.gen import ad_accounts
from models.verification import Verification
from routes.access import actor_of, object_id, reachable
from routes.parts import ApiRequest, Parts


@post(
    "/ad_accounts/{account_id:str}/verify",
    status_code=200,
    opt={
        "scope": "accounts:write",
        "refusals": (403, 404, 409, 413, 415, 422),
        "patience_seconds": LONGEST_SECONDS + 5,
    },
)
async def verify_account(
    request: ApiRequest, parts: NamedDependency[Parts], account_id: FromPath[str]
) -> Verification:
    """Asks the platform whether the account's token works, what it may do, and when it ends.

    Also learnt, kept and shown with the account: its currency and its least budgets, which later
    requests are checked against. An account that REQUIRES_REAUTH and verifies well is ACTIVE again
    and its jobs go on; a token that is dead makes an ACTIVE account REQUIRES_REAUTH. When the platform
    cannot be asked the answer is 503 (`platform_unreachable` or `platform_throttled`, with
    `Retry-After`), and nothing is changed.
    """
    row = await ad_accounts.get_ad_account(
        parts.pool, id=object_id(account_id, "ad_account"), team_id=request.auth.team_id
    )
    account = reachable(row, request.auth)
    told = await parts.verifier.verify(parts.pool, account, actor_of(request))
    if told.jobs_woken:
        parts.notifier.notify()
    return told


routes = [verify_account]
