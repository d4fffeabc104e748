"""Sends spans to an OpenTelemetry collector, where one is named; else nothing of it is even imported."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from common.errors import ConfigurationError
from common.tracing import FinishedSpan, Sink

_NAMES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_FAREWELL_SECONDS = 3.0


@contextlib.asynccontextmanager
async def opened_sink(environment: Mapping[str, str], service: str) -> AsyncGenerator[Sink | None]:
    """What hears of finished spans; at the end the last of them are sent. None without a collector."""
    if not any(environment.get(name) for name in _NAMES):
        yield None
        return
    exporter = _Exporter(service)
    try:
        yield exporter
    finally:
        await asyncio.to_thread(exporter.close)


class _Exporter:
    """Spans are handed to the SDK when they are over, with the ids that they had in headers and logs."""

    def __init__(self, service: str) -> None:
        try:
            from opentelemetry import trace  # noqa: PLC0415 - only where a collector is named
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - likewise
                OTLPSpanExporter,
            )
            from opentelemetry.sdk import trace as sdk  # noqa: PLC0415 - likewise
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - likewise
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - likewise
        except ImportError:
            raise ConfigurationError(
                "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the packages that it needs are not there: "
                "pip install 'mojito[otel]' (requirements.otel.txt pins them)"
            ) from None
        self._trace: Any = trace
        self._sdk: Any = sdk
        # its own environment variables add to this and win over it
        self._resource = Resource.create({"service.name": service})
        self._processor = BatchSpanProcessor(OTLPSpanExporter())

    def __call__(self, span: FinishedSpan) -> None:
        """Queued; a full queue drops spans, never work."""
        status = self._trace.StatusCode.ERROR if span.is_error else self._trace.StatusCode.UNSET
        self._processor.on_end(
            self._sdk.ReadableSpan(
                name=span.name,
                context=self._context(span.trace.trace_id, span.trace.span_id),
                parent=span.parent_span_id
                and self._context(span.trace.trace_id, span.parent_span_id),
                resource=self._resource,
                attributes=span.attributes,
                kind=self._trace.SpanKind[span.kind.upper()],
                status=self._trace.Status(status),
                start_time=span.began_at,
                end_time=span.ended_at,
            )
        )

    def close(self) -> None:
        """Sends what is left, as long as a collector that does not answer may hold up a stop."""
        sending = threading.Thread(target=self._processor.shutdown, daemon=True)
        sending.start()
        sending.join(_FAREWELL_SECONDS)

    def _context(self, trace_id: str, span_id: str) -> Any:
        return self._trace.SpanContext(
            trace_id=int(trace_id, 16),
            span_id=int(span_id, 16),
            is_remote=False,
            trace_flags=self._trace.TraceFlags(self._trace.TraceFlags.SAMPLED),
        )
