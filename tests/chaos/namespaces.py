"""Several hosts on one machine: Linux network namespaces on a bridge, and cables that can be cut."""

import contextlib
import os
import subprocess
from collections.abc import Generator
from pathlib import Path

NETWORK = "10.77.0"
_MOUNTED = Path("/run/netns")
# the bridge carries frames for this address everywhere, and every card there leaves them alone
_NOWHERE = "02:00:00:00:00:99"
_CARD = "eth0"


class Impossible(Exception):
    """This machine does not let us make namespaces; the text says why."""


class Network:
    """Hosts by name, each with an address of its own; the bridge lives in a namespace, too.

    Nothing of it is in the machine's own network, so that runs side by side do not meet.
    """

    def __init__(self, hosts: list[str]) -> None:
        self._prefix = f"mojito-{os.getpid()}-"
        self._hosts = {host: f"{NETWORK}.{n}" for n, host in enumerate(hosts, start=1)}
        self._descriptors: dict[str, int] = {}

    def __enter__(self) -> "Network":
        try:
            self._build()
        except BaseException:
            self._tear_down()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._tear_down()

    def address(self, host: str) -> str:
        """Where the others reach it."""
        return self._hosts[host]

    @contextlib.contextmanager
    def inside(self, host: str) -> Generator[None]:
        """Sockets that this thread makes meanwhile, and processes that it starts, are that host's."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        os.setns(self._descriptors[host], os.CLONE_NEWNET)
        try:
            yield
        finally:
            os.setns(own, os.CLONE_NEWNET)
            os.close(own)

    def command(self, host: str, *command: str) -> list[str]:
        """The same command line, carried out on a host."""
        return ["ip", "netns", "exec", self._prefix + host, *command]

    @contextlib.contextmanager
    def without(self, one: str, *others: str) -> Generator[None]:
        """The one host is lost to the others as long as the block lasts: nothing passes either way."""
        with self.mute(one, *others), contextlib.ExitStack() as cuts:
            for other in others:
                cuts.enter_context(self.mute(other, one))
            yield

    @contextlib.contextmanager
    def mute(self, one: str, *others: str) -> Generator[None]:
        """What the one host sends to the others vanishes: no refusal, no carrier lost, no error."""
        for other in others:
            nowhere = ("lladdr", _NOWHERE, "dev", _CARD, "nud", "permanent")
            self._on(one, "neigh", "replace", self.address(other), *nowhere)
        try:
            yield
        finally:
            for other in others:
                self._on(one, "neigh", "delete", self.address(other), "dev", _CARD)

    def _build(self) -> None:
        _clear_up()
        self._add("wire")
        self._on("wire", "link", "add", "bridge", "type", "bridge")
        self._on("wire", "link", "set", "bridge", "up")
        for number, (host, address) in enumerate(self._hosts.items(), start=1):
            self._add(host)
            port = f"port{number}"
            other_end = ("peer", "name", port, "netns", self._prefix + "wire")
            self._on(host, "link", "add", _CARD, "type", "veth", *other_end)
            self._on("wire", "link", "set", port, "master", "bridge", "up")
            self._on(host, "address", "add", f"{address}/24", "dev", _CARD)
            self._on(host, "link", "set", _CARD, "up")

    def _add(self, host: str) -> None:
        _ip("netns", "add", self._prefix + host)
        self._descriptors[host] = os.open(_MOUNTED / (self._prefix + host), os.O_RDONLY)
        self._on(host, "link", "set", "lo", "up")

    def _on(self, host: str, *arguments: str) -> None:
        _ip("-n", self._prefix + host, *arguments)

    def _tear_down(self) -> None:
        for host, descriptor in self._descriptors.items():
            os.close(descriptor)
            _ip("netns", "delete", self._prefix + host)
        self._descriptors.clear()


def _clear_up() -> None:
    """Takes away the hosts of tests that were killed: one with our number would stand in our way."""
    for left in _MOUNTED.glob("mojito-*-*"):
        number = left.name.split("-")[1]
        if number == str(os.getpid()) or not Path("/proc", number).exists():
            _ip("netns", "delete", left.name)


def _ip(*arguments: str) -> None:
    try:
        subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise Impossible("the program `ip` (iproute2) is not installed") from None
    except subprocess.CalledProcessError as error:
        raise Impossible(f"ip {' '.join(arguments)}: {error.stderr.strip()}") from None
