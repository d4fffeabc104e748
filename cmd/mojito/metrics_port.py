"""Serves a worker's metrics on a port of their own, beside the event loop, so that it answers under load."""

import contextlib
from collections.abc import AsyncGenerator

from prometheus_client import start_http_server

from common.errors import ConfigurationError
from models.metrics import Metrics


@contextlib.asynccontextmanager
async def served_metrics(metrics: Metrics, host: str, port: int | None) -> AsyncGenerator[None]:
    """As long as the block lasts; nothing at all without a port."""
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}); each worker of a machine needs a "
            "MOJITO_WORKER_METRICS_PORT of its own"
        ) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
