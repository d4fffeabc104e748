"""How what a stranger sent is read: numbers, truths and lists of any form, without ever stumbling."""

import math
from datetime import UTC, datetime
from typing import Any

from sandbox.meta.rules.table import Params, World

KNOWN_COUNTRIES = {
    f"{first}{second}"
    for first, *rest in (  # noqa: SIM905 - codes are read best in lines
        "ADEFGILMOQRSTUWXZ BABDEFGHIJLMNOQRSTVWYZ CACDFGHIKLMNORUVWXYZ DEJKMOZ ECEGHRST"
        " FIJKMOR GABDEFGHILMNPQRSTUWY HKMNRTU IDELMNOQRST JEMOP KEGHIMNPRWYZ LABCIKRSTUVY"
        " MACDEFGHKLMNOPQRSTUVWXYZ NACEFGILOPRUZ OM PAEFGHKLMNRSTWY QA REOSUW"
        " SABCDEGHIJKLMNORSTVXYZ TCDFGHJKLMNORTVWZ UAGMSYZ VACEGINU WFS XK YET ZAMW"
    ).split()
    for second in rest
}
"""ISO 3166-1, by first letter, with Kosovo as XK."""


def number(value: Any) -> float | None:
    """Numbers also come as text.

    >>> number("5000"), number(7), number("nan"), number(True), number([])
    (5000.0, 7.0, None, None, None)
    """
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def truth(value: Any) -> bool | None:
    """Booleans also come as text or as 0 and 1."""
    if value in (True, "true", 1, "1"):
        return True
    return False if value in (False, "false", 0, "0") else None


def part(params: Any, *names: str) -> Any:
    """A value further inside, None where the way does not go on."""
    value: Any = params
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # sent by a client
    return value  # pyright: ignore[reportUnknownVariableType]  # likewise


def items(value: Any) -> list[Any]:
    """A list, empty when it is none."""
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType]  # likewise


def words(value: Any) -> set[str]:
    """The texts in a list; anything else in it is left out.

    >>> sorted(words(["US", "DE", ["FR"], {"a": 1}])), words("US")
    (['DE', 'US'], set())
    """
    return {item for item in items(value) if isinstance(item, str)}


def word(value: Any) -> str:
    """A text, empty when it is none."""
    return value if isinstance(value, str) else ""


def moment(value: Any) -> float | None:
    """Unix seconds of a time in either of the forms that are accepted; 0 is no end.

    >>> moment("2027-01-15T08:00:00+00:00"), moment("1800000000"), moment(0), moment("soon")
    (1800000000.0, 1800000000.0, None, None)
    """
    seconds = number(value)
    if seconds is not None:
        return seconds or None
    try:
        found = datetime.fromisoformat(word(value))
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def campaign_of(params: Params, world: World) -> dict[str, Any]:
    """Fields of the campaign that an ad set hangs below, or shall hang below."""
    own = world.get(str(params["id"])) if "id" in params else None
    given = params.get("campaign_id") if own is None else own["parent_id"]
    found = world.get(str(given))
    return {} if found is None else found["fields"]


def strange_countries(given: Any) -> set[str]:
    """Those of a list that no country has."""
    return words(given) - KNOWN_COUNTRIES
