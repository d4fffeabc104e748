"""Serves a worker's metrics on a port of their own, beside the event loop, so that it answers under load."""

import contextlib
from collections.abc import AsyncGenerator

from prometheus_client import start_http_server

from models.metrics import Metrics
from mojito.listening import cannot_listen


@contextlib.asynccontextmanager
async def served_metrics(metrics: Metrics, host: str, port: int | None) -> AsyncGenerator[None]:
    """As long as the block lasts; nothing at all without a port."""
    if port is None:
        yield
        return
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except (OSError, UnicodeError) as error:
        remedy = "each worker of a machine needs a MOJITO_WORKER_METRICS_PORT of its own"
        raise cannot_listen(host, port, error, remedy) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
