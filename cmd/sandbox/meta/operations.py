"""Every call that is imitated, as a table: what is asked of which kind of object, and who answers."""

from collections.abc import Callable

import msgspec

from sandbox.meta import images, insights, objects, people, search, videos
from sandbox.meta.asking import Ask, Result
from sandbox.meta.fields import asked_fields
from sandbox.meta.listing import page
from sandbox.meta.reading import shown
from sandbox.meta.tree import EDGES, below
from sandbox.objects import Record

type Run = Callable[[Ask, Record], Result]

_REFERENCE = "Marketing API reference"
_SOURCES = {
    "account": f"{_REFERENCE}, ad-account",
    "campaign": f"{_REFERENCE}, ad-campaign-group",
    "ad_set": f"{_REFERENCE}, ad-campaign",
    "ad": f"{_REFERENCE}, adgroup",
    "creative": f"{_REFERENCE}, ad-creative",
    "image": f"{_REFERENCE}, ad-image",
    "video": "Graph API reference, video; Graph API, video uploads",
    "user": "Graph API reference, user",
    "page": "Graph API reference, page",
    "debug_token": "Graph API reference, debug_token",
    "search": "Marketing API, targeting search",
    "insights": "Marketing API, insights",
}


class Operation(msgspec.Struct, frozen=True):
    """One row; no edge means the object itself."""

    method: str
    node: str
    edge: str | None
    run: Run
    about: str

    @property
    def source(self) -> str:
        """Where the platform documents it."""
        if self.edge == "insights":
            return _SOURCES["insights"]
        kind = EDGES.get(self.node, {}).get(self.edge or "", self.node)
        return _SOURCES[kind]


def _with_fields(ask: Ask, result: Result) -> Result:
    """Creates and changes answer with the asked fields of what they made, if any are asked."""
    fields = asked_fields(ask.params.get("fields"))
    record = ask.record(result.object_id) if result.object_id else None
    if not fields or record is None:
        return result
    body = {**result.body, **shown(ask, record, fields)}
    return Result(body, result.effect, result.object_id)


def _create(kind: str) -> Run:
    return lambda ask, _: _with_fields(ask, objects.create(ask, kind))


def _list(kind: str) -> Run:
    return lambda ask, record: Result(page(ask, below(ask, record, kind), kind))


def _read(ask: Ask, record: Record) -> Result:
    return Result(shown(ask, record, asked_fields(ask.params.get("fields"))))


def _update(ask: Ask, record: Record) -> Result:
    return _with_fields(ask, objects.update(ask, record))


def _images(ask: Ask, _: Record) -> Result:
    return Result(page(ask, images.wanted(ask), "image"))


def _videos(ask: Ask, record: Record) -> Result:
    title = ask.params.get("title")
    found = [v for v in below(ask, record, "video") if title is None or v.name == title]
    return Result(page(ask, found, "video"))


def _thumbnails(ask: Ask, record: Record) -> Result:
    return Result(videos.FIELDS["thumbnails"](ask, record) or {"data": []})


_CREATED = {"campaigns": "campaign", "adsets": "ad_set", "adcreatives": "creative", "ads": "ad"}

OPERATIONS: tuple[Operation, ...] = (
    *(
        Operation("POST", "account", edge, _create(kind), "create; fields and validate_only, too")
        for edge, kind in _CREATED.items()
    ),
    Operation(
        "POST", "account", "adimages", lambda ask, _: images.upload(ask), "multipart or base64"
    ),
    Operation("DELETE", "account", "adimages", lambda ask, _: images.delete(ask), "by its hash"),
    Operation(
        "POST",
        "account",
        "advideos",
        lambda ask, _: videos.upload(ask),
        "source, file_url (this machine's only), or start, transfer, finish, cancel",
    ),
    *(
        Operation("GET", node, edge, _list(kind), "list; filtering, effective_status, cursors")
        for node, edges in EDGES.items()
        for edge, kind in edges.items()
        if kind not in ("image", "video")
    ),
    Operation("GET", "account", "adimages", _images, "list; hashes, name"),
    Operation("GET", "account", "advideos", _videos, "list; title"),
    Operation("GET", "account", "minimum_budgets", people.minimum_budgets, "of its currency"),
    *(
        Operation("GET", kind, None, _read, "read; fields, with braces")
        for kind in ("campaign", "ad_set", "ad", "creative", "image", "video")
    ),
    Operation("GET", "video", "thumbnails", _thumbnails, "list, once it is ready"),
    *(
        Operation("POST", kind, None, _update, "change; validate_only, too")
        for kind in ("campaign", "ad_set", "ad", "creative", "video")
    ),
    *(
        Operation("DELETE", kind, None, objects.delete, "delete")
        for kind in ("campaign", "ad_set", "ad", "creative", "video")
    ),
    Operation("GET", "account", None, people.account, "read; fields"),
    Operation("GET", "user", None, people.me, "read; who the token belongs to"),
    Operation("GET", "user", "adaccounts", people.ad_accounts, "the token's account"),
    Operation("GET", "user", "accounts", people.pages, "the account's pages"),
    Operation("GET", "user", "permissions", people.permissions, "what the token may do"),
    Operation("GET", "page", None, people.page, "read; fields"),
    Operation("GET", "debug_token", None, people.debug_token, "what the token is worth"),
    *(
        Operation("GET", kind, "insights", insights.read, "empty: nothing is ever delivered")
        for kind in insights.NODES
    ),
    Operation("GET", "search", None, search.find, "adgeolocation, adinterest, adlocale"),
)

_BY_KEY = {(row.method, row.node, row.edge): row for row in OPERATIONS}


def operation(method: str, node: str, edge: str | None) -> Operation | None:
    """None for what is not imitated."""
    return _BY_KEY.get((method, node, edge))
