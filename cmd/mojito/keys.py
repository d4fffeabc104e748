"""Makes, lists and revokes API keys."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from uuid import UUID

from common.api_keys import SCOPES
from common.errors import Invalid
from config.checks import grows_back
from config.settings import Settings
from models.api_keys import create_key, list_keys, revoke_key
from models.gen.api_keys import ListApiKeysRow
from mojito.moments import moment
from mojito.pools import asked_pool
from mojito.printing import plain, print_json, print_lines

EXAMPLES = """examples:
  mojito keys create --team ads --scope jobs:write --scope jobs:read
  mojito keys create --team ads --live --name "campaign service"
  mojito keys create --team ads --rate 5/20
  mojito keys create --team ads --scope jobs:read --expires 2027-01-01
  mojito keys list --json
  mojito keys revoke 0199…"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """create, list, revoke."""
    parser.epilog = EXAMPLES
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make a key; it is shown once")
    create.add_argument(
        "--team", required=True, help="whose it is; the team is made when it is new"
    )
    create.add_argument("--name", default="", help="what it is for")
    create.add_argument(
        "--scope", action="append", choices=SCOPES, help="what it may do; all of it by default"
    )
    create.add_argument(
        "--live", action="store_true", help="may use live accounts, and so spend money"
    )
    create.add_argument(
        "--rate",
        metavar="PER_SECOND/BURST",
        help="its own limit, like 5/20: 5 requests a second, 20 at once; 0/1: none but the team's",
    )
    create.add_argument(
        "--expires", metavar="MOMENT", help="a day or moment from which on it is refused (UTC)"
    )
    listing = actions.add_parser("list", help="show keys, never their secret part")
    listing.add_argument("--team", help="only this team's")
    revoke = actions.add_parser("revoke", help="end a key; noticed everywhere within 30 s")
    revoke.add_argument("id", help="the key's id, from list")
    for action in (create, listing, revoke):
        action.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Prints what was done."""
    action = {"create": _create, "list": _list, "revoke": _revoke}[arguments.action]
    return asyncio.run(action(arguments, settings))


async def _create(arguments: argparse.Namespace, settings: Settings) -> int:
    async with asked_pool(settings, "mojito keys", writes=True) as pool:
        made = await create_key(
            pool,
            team=arguments.team,
            name=arguments.name,
            scopes=arguments.scope or SCOPES,
            live=arguments.live,
            expires_at=moment(arguments.expires),
            rate=read_rate(arguments.rate),
        )
    if arguments.json:
        print_json(made)
    else:
        print_lines([made.key])
        sys.stderr.write(f"key {made.id} of team {plain(made.team)}; it is not shown again\n")
    return 0


def read_rate(text: str | None) -> tuple[float, int] | None:
    """What --rate says. Raises Invalid."""
    if text is None:
        return None
    per_second, _, burst = text.partition("/")
    try:
        rate = (float(per_second), int(burst))
    except ValueError:
        rate = (-1.0, 0)
    if not (0 <= rate[0] <= 1e9 and 1 <= rate[1] < 2**31):
        raise Invalid(f"--rate {text}: write it like 5/20, requests a second and at once")
    if not grows_back(*rate):
        raise Invalid(f"--rate {text}: {rate[1]} at once would not grow back in 30 years")
    return rate


async def _list(arguments: argparse.Namespace, settings: Settings) -> int:
    async with asked_pool(settings, "mojito keys") as pool:
        keys = await list_keys(pool, team=arguments.team)
    if arguments.json:
        print_json(keys)
        return 0
    print_lines(_shown(key) for key in keys)
    return 0


def _shown(key: ListApiKeysRow) -> str:
    ends = f"  until {key.expires_at:%Y-%m-%d %H:%M}" if key.expires_at else ""
    state, scopes = _state(key), ",".join(key.scopes)
    return f"{key.id}  {key.key_prefix}…  {state:8}{key.team}  {scopes}  {key.name}{ends}"


def _state(key: ListApiKeysRow) -> str:
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= datetime.now(UTC) else "active"


async def _revoke(arguments: argparse.Namespace, settings: Settings) -> int:
    try:
        key_id = UUID(arguments.id)
    except ValueError:
        raise Invalid(f"{arguments.id!r} is not the id of a key") from None
    async with asked_pool(settings, "mojito keys", writes=True) as pool:
        await revoke_key(pool, key_id)
    if arguments.json:
        print_json({"id": key_id, "revoked": True})
    else:
        print_lines([f"key {key_id} is revoked; every API process notices within 30 s"])
    return 0
