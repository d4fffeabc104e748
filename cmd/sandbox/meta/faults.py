"""Failures on order, as Meta would word them."""

from sandbox.faults import Fault
from sandbox.meta.errors import MetaError, expired_token
from sandbox.meta.limits import throttle

THROTTLE_SECONDS = 60.0
GARBAGE = b"<!DOCTYPE html><html><title>Error</title><p>Sorry, something went wrong.</p></html>"


def raise_ordered(fault: Fault | None) -> None:
    """Raises what comes instead of the effect."""
    match None if fault is None else fault.fault:
        case "http_500":
            raise MetaError(
                (fault and fault.code) or 2,
                "An unexpected error has occurred. Please retry your request later.",
                status=500,
                transient=True,
            )
        case "garbage":
            raise MetaError(1, "unreadable", status=502)
        case "throttle":
            raise throttle((fault and fault.code) or 17)
        case "token_expired":
            raise expired_token()
        case _:
            return
