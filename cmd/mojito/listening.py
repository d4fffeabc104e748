"""Sockets to listen on; what stands in the way is told with the setting that helps."""

import errno
import socket

from common.errors import ConfigurationError

_OF_THE_PORT = {errno.EADDRINUSE, errno.EACCES}


def bound(host: str, port: int, name: str = "MOJITO_PORT") -> socket.socket:
    """Nobody else has the place then. Raises ConfigurationError; `name` is the setting of the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named, so that asyncio knows it for TCP and sends small answers at once
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except (OSError, UnicodeError) as error:
        found.close()
        raise cannot_listen(host, port, error, f"choose another port with {name}") from None
    return found


def cannot_listen(
    host: str, port: int, error: OSError | UnicodeError, remedy: str
) -> ConfigurationError:
    """With the remedy for the port, unless it is the host that cannot be had."""
    if isinstance(error, UnicodeError) or error.errno not in _OF_THE_PORT:
        remedy = "name an address of this machine with MOJITO_HOST"
    why = "it is no name" if isinstance(error, UnicodeError) else error.strerror
    return ConfigurationError(f"cannot listen on {host}:{port} ({why}); {remedy}")
