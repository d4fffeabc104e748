"""A caller's trace goes from the request through the job to the platform; spans go to a collector."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.chaos.programs import both
from tests.clear import CLEAR
from tests.house.conftest import ENVIRONMENT, until
from tests.house.receiver import Receiver as Endpoint
from tests.house.webhooks import listen, over

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"


class Recorder(ThreadingHTTPServer):
    """Keeps path, headers and body of what is posted, and answers with what `answer` gives."""

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Receiver)
        self.answer = answer
        self.heard = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Receiver(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.heard.append((self.path, dict(self.headers), body))
        status, content = self.server.answer(self, body)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815 - the name that the server calls

    def log_message(self, format, *_):  # noqa: A002 - the name that the server gives
        pass


@contextlib.contextmanager
def recording(answer):
    with Recorder(answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def collector():
    """Speaks OTLP over HTTP."""
    with recording(lambda *_: (200, b"{}")) as server:
        yield server


@pytest.fixture
def platform(house):
    """Stands before the sandbox and hands everything on."""

    def forward(request, body):
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host",)}
        answer = httpx.request(
            request.command,
            f"{house.sandbox.url}{request.path}",
            headers=headers,
            content=body,
            trust_env=False,
            verify=CLEAR,
            timeout=60,
        )
        return answer.status_code, answer.content

    with recording(forward) as server:
        yield server


def spans_of(collector):
    """Every span that arrived, with the service that sent it."""
    found = []
    for path, _, body in collector.heard:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {one.key: one.value.string_value for one in resource.resource.attributes}
            found += [
                (names["service.name"], span)
                for scope in resource.scope_spans
                for span in scope.spans
            ]
    return found


async def logged(program, fields, times=1):
    """All lines, as soon as so many have these fields: they may come later than what they tell of is seen."""

    async def ask():
        whole = program.log().rpartition("\n")[0]
        lines = [json.loads(line) for line in whole.splitlines()]
        found = [line for line in lines if fields.items() <= line.items()]
        return lines if len(found) >= times else None

    lines = await until(ask)
    assert lines is not None
    return lines


async def test_a_callers_trace_reaches_job_logs_and_platform(house, platform):
    async with both(house, sandbox_url=platform.url) as (caller, program):
        answer = await caller.submit(house.request(), traceparent=CALLER)
        job = await house.finished(answer.json()["campaign_job_id"])
        logs = await logged(program, {"event": "job.finished", "job_id": job["id"]})
        api_logs = await logged(caller.program, {"path": "/api/v1/ads/meta"})

    assert job["status"] == "SUCCESS"
    of_job = [line for line in logs if line.get("job_id") == job["id"]]
    assert {line.get("trace_id") for line in of_job if line["event"] != "job.lost"} == {TRACE}
    assert {"step.done", "job.finished"} <= {line["event"] for line in of_job}
    (posted,) = [line for line in api_logs if line.get("path") == "/api/v1/ads/meta"]
    assert posted["trace_id"] == TRACE
    headers = [
        sent["Traceparent"] if "Traceparent" in sent else sent["traceparent"]
        for path, sent, _ in platform.heard
        if path.startswith("/meta/")
    ]
    assert headers
    assert {header.split("-")[1] for header in headers} == {TRACE}
    assert len({header.split("-")[2] for header in headers}) == len(headers)


async def test_a_webhook_leads_back_to_the_request_that_made_its_job(house):
    async with Endpoint().open() as receiver:
        await listen(house, receiver, "job.finished")
        async with both(house, allowed_private_targets="127.0.0.1") as (caller, program):
            answer = await caller.submit(house.request(), traceparent=CALLER)
            await house.finished(answer.json()["campaign_job_id"])
            await over(house)
            logs = await logged(program, {"event": "webhook.tried"})

    (posted,) = receiver.posted
    assert posted.headers["x-request-id"] == answer.headers["X-Request-Id"]
    assert posted.headers["traceparent"].split("-")[1] == TRACE
    (told,) = [line for line in logs if line["event"] == "webhook.tried"]
    assert (told["trace_id"], told["request_id"]) == (TRACE, answer.headers["X-Request-Id"])


@pytest.mark.parametrize("sent", [{}, {"traceparent": "nonsense"}], ids=["absent", "unusable"])
async def test_a_trace_is_made_where_none_came(house, sent):
    async with both(house) as (caller, program):
        answers = [await caller.submit(house.request(name=str(n)), **sent) for n in range(2)]
        jobs = [await house.finished(one.json()["campaign_job_id"]) for one in answers]
        logs = await logged(program, {"event": "job.finished"}, times=2)

    traces = {
        job["id"]: {line["trace_id"] for line in logs if line.get("job_id") == job["id"]}
        for job in jobs
    }
    stored = {
        str(row["campaign_job_id"]): row["traceparent"].split("-")[1]
        for row in await house.pool.fetch("select * from campaign_requests")
    }
    assert traces == {job_id: {trace} for job_id, trace in stored.items()}
    assert len(set(stored.values())) == 2


async def test_spans_arrive_at_a_collector(house, collector, monkeypatch):
    monkeypatch.setitem(ENVIRONMENT, "OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setitem(ENVIRONMENT, "OTEL_BSP_SCHEDULE_DELAY", "200")
    # a call that a busy machine cuts off would be made by another run, with a span of its own
    async with both(house, sandbox_call_deadline_seconds="60") as (caller, _):
        answer = await caller.submit(house.request(), traceparent=CALLER)
        job = await house.finished(answer.json()["campaign_job_id"])

        async def all_there():
            ours = [s for _, s in spans_of(collector) if s.trace_id.hex() == TRACE]
            # two processes send, each when it likes; what is below a span is sent before it
            return {"job BUILD_CAMPAIGN", "POST /api/v1/ads/meta"} <= {span.name for span in ours}

        await until(all_there)
        found = [(name, s) for name, s in spans_of(collector) if s.trace_id.hex() == TRACE]

    by_name = {span.name: (service, span) for service, span in found}
    service, request = by_name["POST /api/v1/ads/meta"]
    assert service == "mojito-api"
    assert request.parent_span_id.hex() == CALLER.split("-")[2]
    service, run = by_name["job BUILD_CAMPAIGN"]
    assert service == "mojito-worker"
    assert run.parent_span_id == request.span_id
    assert {one.key: one.value.string_value for one in run.attributes}["mojito.job_id"] == job["id"]
    steps = {s.span_id for _, s in found if s.name.startswith("step ")}
    assert {s.parent_span_id for _, s in found if s.name.startswith("step ")} == {run.span_id}
    calls = [s for _, s in found if s.name == "POST META"]
    assert len(calls) >= 5
    assert {s.parent_span_id for s in calls} <= steps


def test_spans_that_wait_are_sent_when_a_process_ends(collector):
    done = subprocess.run(
        [sys.executable, "-c", SEND_ONE],
        env={**ENVIRONMENT, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert [(service, span.name) for service, span in spans_of(collector)] == [("mojito", "one")]


def test_a_collector_that_does_not_answer_holds_up_no_stop():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # left alone, the SDK waits for half a minute; how long an interpreter takes to start says nothing
        done = subprocess.run(
            [sys.executable, "-c", SEND_ONE],
            env={
                **ENVIRONMENT,
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
                "OTEL_EXPORTER_OTLP_TIMEOUT": "60",
            },
            capture_output=True,
            timeout=180,
            check=False,
            text=True,
        )
        ended_at = time.monotonic()

    assert done.returncode == 0, done.stderr
    assert ended_at - float(done.stdout) < 20


SEND_ONE = """
import asyncio, os, time, mojito
from common import tracing
from mojito.telemetry import opened_sink

async def main():
    async with opened_sink(os.environ, "mojito") as sink:
        tracing.enter(tracing.new_trace(), sink)
        with tracing.span("one"):
            pass
        print(time.monotonic(), flush=True)

asyncio.run(main())
"""
"""Says when it begins to stop, on the clock that all processes of a machine share."""

IMPORTS = """
import asyncio, sys, mojito
import mojito.serve, mojito.work, mojito.telemetry
from mojito.telemetry import opened_sink

async def main():
    async with opened_sink({}, "mojito") as sink:
        assert sink is None

asyncio.run(main())
print([name for name in sys.modules if name.startswith(("opentelemetry", "google.protobuf"))])
"""


def test_nothing_of_it_is_imported_without_a_collector():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_a_collector_without_the_packages_is_told_with_the_remedy():
    missing = "import sys; sys.modules['opentelemetry'] = None\n"
    done = subprocess.run(
        [sys.executable, "-c", missing + SEND_ONE],
        env={**ENVIRONMENT, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "mojito[otel]" in done.stderr
