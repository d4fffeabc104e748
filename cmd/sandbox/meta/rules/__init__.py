"""What Meta refuses, as a table with sources."""

from typing import Any, Protocol

import msgspec


class Refusal(msgspec.Struct, frozen=True):
    """An error that the platform answers."""

    code: int
    subcode: int | None
    message: str
    user_title: str
    user_message: str
    blame: list[list[str]] = []
    status: int = 400
    transient: bool = False


class World(Protocol):
    """What rules may look at."""

    now: float
    account: dict[str, Any]

    def get(self, object_id: str) -> dict[str, Any] | None:
        """An object of the account."""
        ...

    def children(self, parent_id: str, kind: str) -> list[dict[str, Any]]:
        """Objects below another."""
        ...

    def image(self, content_hash: str) -> dict[str, Any] | None:
        """An image by its hash."""
        ...


REQUIRED = {
    "campaign": ("name", "objective", "special_ad_categories"),
    "ad_set": ("name", "campaign_id", "billing_event", "optimization_goal", "targeting"),
    "creative": (),
    "ad": ("name", "adset_id", "creative"),
}
RULES: tuple[Any, ...] = ()


def refuse(kind: str, params: dict[str, Any], world: World) -> Refusal | None:
    """The first refusal, or None."""
    for name in REQUIRED.get(kind, ()):
        if name not in params:
            return Refusal(
                100,
                None,
                f"(#100) The parameter {name} is required",
                "Invalid parameter",
                f"{name} is required.",
                [[name]],
            )
    parent = params.get({"ad_set": "campaign_id", "ad": "adset_id"}.get(kind, ""))
    if parent is not None and world.get(str(parent)) is None:
        return Refusal(
            100,
            33,
            f"Object with ID '{parent}' does not exist",
            "Missing",
            "Not found.",
            [],
        )
    return None
