"""Decides which network addresses a stranger may send us to: public ones, and listed exceptions."""

import re
from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_network,
)
from typing import Final

import msgspec

from common.errors import ConfigurationError

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

NOT_PUBLIC: Final[tuple[Network, ...]] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT
            "169.254.0.0/16",  # link-local, where clouds keep their metadata
            "192.0.0.0/24",  # protocol assignments, 192.0.0.9 and 192.0.0.10 included
            "192.88.99.0/24",  # relays of 6to4
            "198.18.0.0/15",  # benchmarks
            "224.0.0.0/4",  # multicast, which Python calls global
            "2001::/23",  # protocol assignments and Teredo, which embeds IPv4 addresses
            "2002::/16",  # 6to4, likewise
        ),
    )
)
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
"""All of public IPv6. NAT64 (64:ff9b::/96), IPv4-mapped and -compatible addresses lie outside."""

_PORT_BEHIND_HOST = re.compile(r"(?P<host>\[[^\]]+\]|[^:/]+):(?P<port>\d{1,5})")


def is_public(address: Address) -> bool:
    """Whether anybody on the Internet may be meant by it.

    >>> is_public(IPv4Address("93.184.216.34")), is_public(IPv6Address("2606:4700::1111"))
    (True, True)
    >>> is_public(IPv4Address("100.64.0.1")), is_public(IPv6Address("::ffff:8.8.8.8"))
    (False, False)
    """
    if address.version == 6 and address not in GLOBAL_UNICAST:
        return False
    return address.is_global and not any(address in network for network in NOT_PUBLIC)


class _Target(msgspec.Struct, frozen=True):
    """One exception: a network or a host name, for one port or for all."""

    port: int | None
    network: Network | None = None
    host: str | None = None

    def allows(self, host: str, address: Address, port: int) -> bool:
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return address in self.network
        return host == self.host


class PrivateTargets:
    """The exceptions: networks (`10.1.0.0/16`), addresses or host names, each with or without `:port`."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        """Raises ConfigurationError for an entry that is none of these."""
        self._targets = [_parse(entry.strip()) for entry in entries]

    def allow(self, host: str, address: Address, port: int) -> bool:
        """Whether this address may be called although it is not public.

        >>> PrivateTargets(["127.0.0.0/8"]).allow("localhost", IPv4Address("127.0.0.1"), 80)
        True
        >>> PrivateTargets(["media.internal:8443"]).allow("other", IPv4Address("10.0.0.1"), 8443)
        False
        """
        return any(target.allows(host.lower(), address, port) for target in self._targets)


def _parse(entry: str) -> _Target:
    behind = _PORT_BEHIND_HOST.fullmatch(entry)
    name = (behind["host"] if behind else entry).strip("[]").lower()
    port = int(behind["port"]) if behind else None
    if not name or (port is not None and not 0 < port < 65536):
        raise _unusable(entry)
    try:
        return _Target(port, network=ip_network(name))
    except ValueError:
        if "/" in name or ":" in name or any(c.isspace() for c in name):
            raise _unusable(entry) from None
        return _Target(port, host=name)


def _unusable(entry: str) -> ConfigurationError:
    return ConfigurationError(
        f"allowed private targets: {entry!r} is no network, address or host name with or without a "
        "port (as in 127.0.0.0/8, [::1]:9000 or media.internal:8443)",
        code="private_target_unusable",
    )
