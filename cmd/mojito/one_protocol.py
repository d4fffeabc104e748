"""Whoever offers to go on in another protocol is answered in this one.

Clients of Java do so with every request over plain HTTP (`Upgrade: h2c`). The parser behind this takes such
a request to end with its head, and its body for the beginning of the next one.
"""

import sys

import httptools

from mojito.slow_callers import PatientProtocol

_FRAMES = frozenset({b"content-length", b"transfer-encoding"})
"""Headers that say where a body ends."""


class OneProtocol(PatientProtocol):
    """After such a head another parser goes on, which is told of the body alone."""

    _data = b""
    """What the parser reads just now."""
    _rest = b""
    """What it left."""
    _has_offered = False
    """Whether the head that it has read offers another protocol, and a body follows."""

    def data_received(self, data: bytes) -> None:
        """The parser stops behind each offer."""
        while data:
            self._data, self._rest = data, b""
            super().data_received(data)
            data = self._rest
        self._data = b""

    def on_headers_complete(self) -> None:
        """Whoever has no body has nothing to lose."""
        super().on_headers_complete()
        if self.parser is not None and self.parser.should_upgrade():
            self._has_offered = bool(self._frames())

    def on_message_complete(self) -> None:
        """What the parser takes for the end may be only the end of the head."""
        if not self._has_offered:
            super().on_message_complete()

    def _unsupported_upgrade_warning(self) -> None:
        """Nobody is warned: no offer need be taken. What is handled just now tells how far was read."""
        offer = sys.exception()
        self._rest = self._data[offer.args[0] if offer is not None else len(self._data) :]
        if self._has_offered:
            self._has_offered = False
            self.parser = httptools.HttpRequestParser(_Onwards(self))
            self.parser.feed_data(b"POST / HTTP/1.1\r\n" + b"".join(self._frames()) + b"\r\n")

    def _frames(self) -> list[bytes]:
        return [b"%b: %b\r\n" % line for line in self.headers if line[0] in _FRAMES]


class _Onwards:
    """Passes on what is parsed, but for the first head."""

    def __init__(self, protocol: OneProtocol) -> None:
        self._protocol = protocol
        self._is_first = True
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete

    def on_message_begin(self) -> None:
        """Of a request."""
        if not self._is_first:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Likewise."""
        if not self._is_first:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Likewise."""
        if not self._is_first:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        """From here on everything counts."""
        if not self._is_first:
            self._protocol.on_headers_complete()
        self._is_first = False
