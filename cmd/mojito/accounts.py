"""Lists, adds and verifies ad accounts. Credentials come from a file or standard input, never from flags."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from common.errors import ConfigurationError, Conflict, Invalid, NotFound, Unavailable
from common.keyring import Keyring
from common.plain_words import counted
from config.settings import Settings
from models import audit
from models.account import ACCOUNT_IDS, AccountView, NewAccount, account_view
from models.account_rules import account_violations
from models.database import Pool
from models.gen import ad_accounts
from models.gen.rows import AdAccount
from models.inspection import violations
from models.listener import CHANNEL
from models.teams import ensured_team
from models.verification import Verification
from mojito.encryption import require_right_key
from mojito.moments import shown_moment
from mojito.pools import asked_pool
from mojito.printing import plain, print_json, print_lines

EXAMPLES = """examples:
  mojito accounts list --team ads
  mojito accounts add --team ads --account act_1000000001 --mode live --credentials meta.json
  pass show meta | mojito accounts add --team ads --account act_7 --mode live --credentials -
  mojito accounts verify act_1000000001 --team ads --json

credentials are a JSON object such as {"access_token": "…", "app_secret": "…", "page_id": "…"}

exit codes of verify:
  0  campaigns can be built            1  something stands in the way; it is listed
  2  no such account, or wrong usage   3  the platform cannot be asked; nothing was changed"""
ACTOR = "mojito accounts"
LARGEST_FILE = 64 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """list, add, verify."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="show accounts, never their credentials")
    listing.add_argument("--team", help="only this team's")
    add = actions.add_parser("add", help="add an account; the platform is not contacted")
    add.add_argument("--team", required=True, help="whose it is; made when it is new")
    add.add_argument("--name", help="for people; the platform's id by default")
    add.add_argument("--platform", default="META", choices=sorted(ACCOUNT_IDS))
    add.add_argument("--account", required=True, help="the platform's id of it, such as act_7")
    add.add_argument("--mode", required=True, choices=("live", "sandbox"))
    add.add_argument(
        "--credentials", required=True, metavar="FILE", help="a JSON file; - is standard input"
    )
    verify = actions.add_parser(
        "verify",
        help="ask the platform what its credentials are worth",
        epilog=EXAMPLES[EXAMPLES.index("exit codes") :],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify.add_argument("account", help="our id, or the platform's")
    verify.add_argument("--team", help="whose it is, where several hold it")
    for action in (listing, add, verify):
        action.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Prints what was found or done."""
    action = {"list": _list, "add": _add, "verify": _verify}[arguments.action]
    return asyncio.run(action(arguments, settings))


async def _list(arguments: argparse.Namespace, settings: Settings) -> int:
    async with asked_pool(settings, ACTOR) as pool:
        rows = await ad_accounts.list_accounts_of_teams(pool, team=arguments.team)
    if arguments.json:
        print_json(rows)
        return 0
    for row in rows:
        verified = f"verified {row.verified_at:%Y-%m-%d}" if row.verified_at else "never verified"
        line = (
            f"{row.id}  {row.platform_account_id}  {row.mode:8}{row.status:16}"
            f"{row.currency or '---'}  {verified}  {row.team}  {row.name}"
        )
        print_lines([line])
    return 0


async def _add(arguments: argparse.Namespace, settings: Settings) -> int:
    wanted = _wanted(arguments, _credentials(arguments.credentials))
    keyring = Keyring.from_file(settings.keys_file)
    async with asked_pool(settings, ACTOR, writes=True) as pool:
        await require_right_key(pool, keyring)
        view = await _added(pool, keyring, wanted, arguments.team)
    if arguments.json:
        print_json(view)
    else:
        print_lines([str(view.id)])
        sys.stderr.write(f"{view.platform_account_id} is added to team {plain(arguments.team)}\n")
    return 0


async def _added(pool: Pool, keyring: Keyring, wanted: NewAccount, team: str) -> AccountView:
    from routes.account_changes import add  # noqa: PLC0415 - half a second, needed here alone

    try:
        async with pool.acquire() as connection, connection.transaction():
            owner = await ensured_team(connection, team, "accounts add")
            view = account_view(await add(connection, keyring, wanted, owner.id))
            actor = audit.command_actor(owner.id, "accounts add")
            await audit.record(connection, actor, "ad_account.created", view.id, after=view)
            return view
    except asyncpg.UniqueViolationError:
        raise Conflict(f"team {team} holds {wanted.platform_account_id} already") from None


def _credentials(source: str) -> Any:
    """Messages never repeat what was read."""
    try:
        text = sys.stdin.read(LARGEST_FILE) if source == "-" else Path(source).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{source}: cannot be read ({type(error).__name__})") from None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise Invalid(f"{source}: the credentials are not JSON") from None


def _wanted(arguments: argparse.Namespace, credentials: Any) -> NewAccount:
    body = {
        "name": arguments.name or arguments.account,
        "platform_type": arguments.platform,
        "platform_account_id": arguments.account,
        "mode": arguments.mode,
        "credentials": credentials,
    }
    found = [*violations(NewAccount, body), *account_violations(body)]
    if found:
        told = (f"\n  {v['pointer']}: {v['message']}" for v in found)
        raise Invalid("the account is not acceptable:" + "".join(told))
    return msgspec.convert(body, NewAccount)


async def _verify(arguments: argparse.Namespace, settings: Settings) -> int:
    from mojito.wiring import opened_verifier  # noqa: PLC0415 - the platforms' SDKs, needed here alone

    keyring = Keyring.from_file(settings.keys_file)
    async with (
        asked_pool(settings, ACTOR, writes=True) as pool,
        opened_verifier(settings, keyring) as verifier,
    ):
        row = await _named(pool, arguments.account, arguments.team)
        assert row.team_id is not None  # noqa: S101 - it was found by its team
        if keyring.missing([row.credentials_key_id]):
            raise ConfigurationError(
                f"{settings.keys_file} lacks the key {row.credentials_key_id}, "
                "which the account's credentials need"
            )
        try:
            actor = audit.command_actor(row.team_id, "accounts verify")
            told = await verifier.verify(pool, row, actor)
        except Unavailable as error:
            sys.stderr.write(f"mojito: {plain(error.message)}\n")
            return 3
        if told.jobs_woken:
            await pool.execute(f"notify {CHANNEL}")
    if arguments.json:
        print_json(told)
    else:
        _show(told)
    return 0 if told.ok else 1


async def _named(pool: Pool, name: str, team: str | None) -> AdAccount:
    """The one account of that id. Raises NotFound, or Conflict when several teams hold it."""
    rows = await ad_accounts.list_accounts_of_teams(pool, team=team)
    found = [row for row in rows if name in (str(row.id), row.platform_account_id)]
    if len(found) > 1:
        raise Conflict(f"several teams hold {name}; say which with --team")
    if not found:
        raise NotFound(f"there is no ad account {name}")
    return (await ad_accounts.list_accounts_for_run(pool, ids=[UUID(str(found[0].id))]))[0]


def _show(told: Verification) -> None:
    state = "in order" if told.ok else "not in order"
    lines = [f"{told.platform_account_id} is {state}; its status is {told.status}"]
    if told.account is not None:
        lines.append(f"  currency {told.account.currency}  {told.account.timezone_name}")
    ends = shown_moment(told.token.expires_at) if told.token.expires_at else told.token.expires
    lines.append(f"  token ends: {ends if told.token.works else 'it is dead'}")
    for found in told.findings:
        lines += [f"  {found.severity:8}{found.code}: {found.message}", f"          {found.remedy}"]
    if told.jobs_woken:
        going_on = counted(told.jobs_woken, "job that waited goes", "jobs that waited go")
        lines.append(f"  {going_on} on")
    print_lines(lines)
