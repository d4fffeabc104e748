"""Failures on order: which call is to fail, how, and how often."""

import re
from fnmatch import fnmatchcase
from typing import Annotated, Literal

import msgspec

from sandbox.store import Store

type FaultKind = Literal[
    "lose_reply", "reset", "http_500", "garbage", "slow", "throttle", "token_expired"
]


_PREFIX = re.compile(r"^/[a-z_]+/v\d+(\.\d+)?(?=/)")


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The calls that are meant; a field left out means any."""

    platform: str | None = None
    method: str | None = None
    path: str | None = None

    def fits(self, platform: str, method: str, path: str) -> bool:
        """The path is compared without its trailing slash, with platform and version and without.

        >>> Match(path="*/campaigns").fits("META", "POST", "/meta/v26.0/act_1/campaigns/")
        True
        >>> Match(path="/act_1/*").fits("META", "POST", "/meta/v26.0/act_1/campaigns")
        True
        """
        return (
            (self.platform is None or self.platform.upper() == platform)
            and (self.method is None or self.method.upper() == method)
            and (self.path is None or _fits_path(self.path, path.rstrip("/")))
        )


_MOST = 10**9
"""SQLite keeps numbers of 64 bits."""


class FaultOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody asked for."""

    fault: FaultKind
    match: Match = Match()
    times: Annotated[int, msgspec.Meta(ge=1, le=_MOST)] | msgspec.UnsetType | None = msgspec.UNSET
    skip: Annotated[int, msgspec.Meta(ge=0, le=_MOST)] = 0
    seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] | None = None
    code: Annotated[int, msgspec.Meta(ge=-_MOST, le=_MOST)] | None = None


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of an order: it lets `skip` matching calls pass, then hits `times` of them."""

    id: int
    match: Match
    fault: FaultKind
    times: int | None
    skip: int
    seconds: float | None
    code: int | None


class Faults:
    """The orders that are not used up, oldest first."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sql = store.connection

    def add(self, order: FaultOrder) -> Fault:
        """Takes an order in; `times` is one unless said, and null means until it is deleted."""
        times = 1 if order.times is msgspec.UNSET else order.times
        rule = msgspec.json.encode(order).decode()
        added = self._sql.execute(
            "insert into faults (rule, times, skip) values (?, ?, ?)", (rule, times, order.skip)
        )
        return next(fault for fault in self.left() if fault.id == added.lastrowid)

    def left(self) -> list[Fault]:
        """With what is left of each."""
        rows = self._sql.execute("select * from faults order by id").fetchall()
        return [_fault(row["id"], row["rule"], row["times"], row["skip"]) for row in rows]

    def remove(self, fault_id: int | None = None) -> int:
        """One or all of them; how many there were."""
        return self._sql.execute(
            "delete from faults where ? is null or id = ?", (fault_id, fault_id)
        ).rowcount

    def due(self, platform: str, method: str, path: str) -> Fault | None:
        """Counts the call against every order that it matches; the oldest that is due hits it."""
        matching = [f for f in self.left() if f.match.fits(platform, method, path)]
        hit = next((fault for fault in matching if not fault.skip), None)
        passing = [fault for fault in matching if fault.skip]
        if passing or (hit is not None and hit.times is not None):
            self._count(passing, hit)
        return hit

    def _count(self, passing: list[Fault], hit: Fault | None) -> None:
        with self._store.transaction():
            for fault in passing:
                self._sql.execute("update faults set skip = skip - 1 where id = ?", (fault.id,))
            if hit is not None:
                self._sql.execute("update faults set times = times - 1 where id = ?", (hit.id,))
                self._sql.execute("delete from faults where id = ? and times = 0", (hit.id,))


def _fault(fault_id: int, rule: str, times: int | None, skip: int) -> Fault:
    order = msgspec.json.decode(rule, type=FaultOrder)
    return Fault(
        id=fault_id,
        match=order.match,
        fault=order.fault,
        times=times,
        skip=skip,
        seconds=order.seconds,
        code=order.code,
    )


def _fits_path(glob: str, path: str) -> bool:
    """With platform and version in front and without; a glob need not begin with a slash."""
    wanted = glob.rstrip("/") if glob.startswith(("*", "/")) else f"/{glob.rstrip('/')}"
    return fnmatchcase(path, wanted) or fnmatchcase(_PREFIX.sub("", path), wanted)
