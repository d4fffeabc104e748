"""Every way a call can end, over the real wire from a server that answers as told."""

import asyncio
import contextlib
import json
import select
import socket

import pytest

from common import clock
from common.errors import ClaimLost, Retry, Unknown, Wait
from models.credentials import MetaCredentials
from tests.house.conftest import holds, until
from tests.workers.platforms.meta.conftest import JOB
from workers.platforms.base import Account
from workers.platforms.meta.calls import Addresses, Graph, Refusal, proof
from workers.platforms.meta.files import SentFile
from workers.platforms.meta.sdk import Call

SHORT_SECONDS = 2.0
"""In which a call has left on a slow machine too, though it is never answered."""
POST = Call("POST", "v26.0/act_1/campaigns", {"name": "x"})


class Server:
    """Answers every request with the same bytes, or not at all; keeps what it was sent."""

    def __init__(self):
        self.answer = b""
        self.seen = []
        self.port = 0

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(h.split(b":")[1])
                    for h in head.split(b"\r\n")
                    if h.lower().startswith(b"content-length")
                ),
                0,
            )
            self.seen.append(head + await reader.readexactly(length))
            if self.answer is None:
                await reader.read()
            writer.write(self.answer or b"")
            await writer.drain()
        writer.close()

    def reply(self, status, body, *headers):
        lines = [f"Content-Length: {len(body)}", "Connection: close", *headers]
        head = "\r\n".join([f"HTTP/1.1 {status} X", *lines])
        self.answer = f"{head}\r\n\r\n{body}".encode()


@pytest.fixture
async def server():
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield server
    listening.close()


@pytest.fixture
async def graph(server):
    url = f"http://127.0.0.1:{server.port}"
    graph = Graph(Addresses(f"{url}/live", f"{url}/live-video", f"{url}/sandbox"))
    yield graph
    await graph.close()


async def test_the_token_travels_in_a_header_only(server, graph, context):
    server.reply(200, '{"id": "1"}')

    answer = await graph.send(context("campaign"), POST, effect="creates")

    assert answer == {"id": "1"}
    head, _, body = server.seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /sandbox/v26.0/act_1/campaigns HTTP")
    assert b"Authorization: Bearer EAAtoken" in head
    assert body == b"name=x"


async def test_live_accounts_go_to_live_places_and_videos_to_their_own(server, graph, context):
    server.reply(200, '{"id": "1"}')
    live = Account(JOB, "act_1", "live", MetaCredentials(access_token="EAAlive"))

    await graph.send(context("campaign", account=live), POST, effect="creates")
    await graph.send(context("campaign", account=live), POST, effect="repeatable", video_host=True)

    assert [seen.split(b" ")[1].split(b"/")[1] for seen in server.seen] == [b"live", b"live-video"]


async def test_an_app_secret_proves_every_call(server, graph, context):
    server.reply(200, '{"id": "1"}')
    credentials = MetaCredentials(access_token="EAAtoken", app_secret="s3cret")
    account = Account(JOB, "act_1", "sandbox", credentials)

    await graph.send(context("campaign", account=account), POST, effect="creates")

    assert f"appsecret_proof={proof(credentials)['appsecret_proof']}".encode() in server.seen[0]
    assert b"s3cret" not in server.seen[0]


BAD_ANSWERS = [
    ("500", (500, "{}")),
    ("html", (502, "<html>Bad Gateway</html>")),
    ("html_200", (200, "<html></html>")),
    ("empty", (200, "")),
    ("list", (200, "[]")),
    ("no_success", (200, '{"success": false}')),
    ("redirect", (302, "")),
]


@pytest.mark.parametrize(
    ("status", "body"), [b for _, b in BAD_ANSWERS], ids=[n for n, _ in BAD_ANSWERS]
)
async def test_an_unreadable_answer_leaves_a_doubt_behind_a_create_only(
    server, graph, context, status, body
):
    server.reply(status, body)

    with pytest.raises(Unknown):
        await graph.send(context("campaign"), POST, effect="creates")
    with pytest.raises(Retry):
        await graph.send(context("campaign"), POST, effect="repeatable")
    with pytest.raises(Retry):
        await graph.send(context("campaign"), POST, effect="reads")


async def test_a_closed_connection_leaves_a_doubt(server, graph, context):
    server.answer = b""

    with pytest.raises(Unknown):
        await graph.send(context("campaign"), POST, effect="creates")


async def test_silence_ends_at_the_deadline_and_leaves_a_doubt(server, graph, context):
    server.answer = None

    with pytest.raises(Unknown):
        await graph.send(
            context("campaign", write_deadline=clock.seconds() + SHORT_SECONDS),
            POST,
            effect="creates",
        )


async def test_a_refused_connection_means_that_nothing_happened(context):
    graph = Graph(Addresses("http://127.0.0.1:1", "http://127.0.0.1:1", "http://127.0.0.1:1"))

    with pytest.raises(Retry) as refused:
        await graph.send(context("campaign"), POST, effect="creates")

    assert refused.value.code == "platform_unreachable"
    await graph.close()


async def test_a_call_whose_time_is_over_is_not_begun(server, graph, context):
    with pytest.raises(Retry):
        await graph.send(
            context("campaign", write_deadline=clock.seconds() - 1), POST, effect="creates"
        )

    assert server.seen == []


async def test_a_worker_out_of_touch_sends_nothing(server, graph, context):
    def guard():
        raise ClaimLost("silent", code="out_of_touch")

    with pytest.raises(ClaimLost):
        await graph.send(context("campaign", guard=guard), POST, effect="creates")

    assert server.seen == []


async def test_a_worker_that_fell_out_of_touch_while_it_connected_sends_nothing(context):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def guard():
            if select.select([listening], [], [], 0)[0]:  # somebody has connected
                raise ClaimLost("silent", code="out_of_touch")

        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        graph = Graph(Addresses(url, url, url))
        soon = clock.seconds() + 30
        with pytest.raises(ClaimLost):
            await graph.send(
                context("campaign", guard=guard, write_deadline=soon), POST, effect="creates"
            )
        await graph.close()


@pytest.fixture
async def narrow(server):
    """Of each kind of call one at a time."""
    url = f"http://127.0.0.1:{server.port}"
    graph = Graph(Addresses(url, url, url), max_connections=1)
    yield graph
    await graph.close()


async def test_a_create_that_got_no_connection_has_not_happened(server, narrow, context):
    server.answer = None
    waiting = asyncio.create_task(narrow.send(context("campaign"), POST, effect="reads"))
    await until(holds(lambda: server.seen))

    with pytest.raises(Retry) as late:
        await narrow.send(
            context("campaign", write_deadline=clock.seconds() + 0.2), POST, effect="creates"
        )
    waiting.cancel()
    await asyncio.wait([waiting])

    assert (late.value.code, late.value.is_outage) == ("platform_unreachable", True)
    assert len(server.seen) == 1


async def test_files_that_are_slow_keep_no_other_call_waiting(server, narrow, context, tmp_path):
    server.answer = None
    file = SentFile("f", tmp_path / "f", 1, "f", "image/png")
    file.path.write_bytes(b"f")
    slow = asyncio.create_task(
        narrow.send(context("media[hero]"), POST, effect="repeatable", file=file)
    )
    await until(holds(lambda: server.seen))

    server.reply(200, '{"id": "1"}')
    answer = await narrow.send(context("campaign"), POST, effect="creates")
    is_waiting = not slow.done()
    slow.cancel()
    await asyncio.wait([slow])

    assert answer == {"id": "1"}
    assert is_waiting


async def test_an_error_object_is_a_refusal_whatever_the_status(server, graph, context):
    server.reply(
        200,
        '{"error": {"code": 100, "message": "no", "error_data": {"blame_field_specs": [["objective"]]}}}',
    )

    with pytest.raises(Refusal) as refusal:
        await graph.send(context("campaign"), POST, effect="creates")

    assert refusal.value.step_error.pointer == "/campaign/objective"


@pytest.mark.parametrize("code", [99, 100, 200, "gateway_timeout", None])
async def test_an_error_object_of_a_server_that_failed_leaves_a_doubt_behind_a_create_only(
    server, graph, context, code
):
    server.reply(503, json.dumps({"error": {"code": code, "message": "upstream timed out"}}))
    told = []

    for effect in ("creates", "repeatable", "reads"):
        with pytest.raises(Refusal) as refusal:
            await graph.send(context("campaign"), POST, effect=effect)
        told.append(type(refusal.value.step_error))

    assert told == [Unknown, Retry, Retry]


async def test_a_throttle_of_a_server_that_failed_is_still_a_throttle(server, graph, context):
    server.reply(503, '{"error": {"code": 4, "message": "too many calls"}}')

    with pytest.raises(Refusal) as refusal:
        await graph.send(context("campaign"), POST, effect="creates")

    assert isinstance(refusal.value.step_error, Wait)


@pytest.mark.parametrize(("code", "seconds"), [(80004, 600), (80000, 1800), (80001, 120)])
async def test_a_throttled_call_waits_for_the_limit_that_it_met(
    server, graph, context, code, seconds
):
    minutes = {"ads_management": 10, "ads_insights": 30, "pages": 2}
    told = [{"type": k, "estimated_time_to_regain_access": m} for k, m in minutes.items()]
    usage = f"X-Business-Use-Case-Usage: {json.dumps({'1': told})}"
    server.reply(400, json.dumps({"error": {"code": code, "message": "too many calls"}}), usage)

    with pytest.raises(Refusal) as refusal:
        await graph.send(context("campaign"), POST, effect="creates")

    assert refusal.value.step_error.seconds == seconds


@pytest.mark.parametrize("effect", ["creates", "repeatable", "reads"])
async def test_too_many_requests_without_an_error_object_is_a_throttle(
    server, graph, context, effect
):
    server.reply(429, "<html>Too Many Requests</html>")

    with pytest.raises(Wait) as wait:
        await graph.send(context("campaign"), POST, effect=effect)

    assert (wait.value.reason, wait.value.seconds) == ("throttled", 60)


async def test_no_message_or_log_line_holds_the_token(server, graph, context, caplog):
    caplog.set_level("DEBUG")
    server.reply(500, "{}")

    with pytest.raises(Unknown) as failed:
        await graph.send(context("campaign"), POST, effect="creates")

    assert "EAAtoken" not in str(failed.value) + caplog.text + repr(context("campaign"))


async def test_a_token_that_is_repeated_in_a_message_is_masked_before_it_is_kept(
    server, graph, context
):
    token = "EAAB" + "7" * 40
    credentials = MetaCredentials(access_token=token)
    account = Account(JOB, "act_1", "sandbox", credentials)
    message = f"Malformed access token {token}"
    server.reply(400, f'{{"error": {{"code": 190, "message": "{message}"}}}}')

    with pytest.raises(Refusal) as refusal:
        await graph.send(context("campaign", account=account), POST, effect="creates")

    assert token not in str(refusal.value.error) + str(refusal.value.step_error.upstream)
    assert refusal.value.step_error.message == "Malformed access token ***"


async def test_what_is_too_short_to_be_a_secret_masks_nothing(server, graph, context):
    account = Account(JOB, "act_1", "sandbox", MetaCredentials(access_token="id"))
    server.reply(200, '{"id": "1"}')

    answer = await graph.send(context("campaign", account=account), POST, effect="creates")

    assert answer == {"id": "1"}


@pytest.mark.parametrize(
    ("status", "body", "is_outage"),
    [
        (503, "Service Unavailable", True),
        (500, "{}", True),
        (200, "<html></html>", False),
        (400, "<html></html>", False),
        (500, '{"error": {"code": 2, "message": "later"}}', True),
        (400, '{"error": {"code": -1, "message": "later"}}', True),
        (500, '{"error": {"code": 1, "message": "unknown"}}', False),
        (500, '{"error": {"code": 100, "message": "invalid"}}', False),
        (400, '{"error": {"code": 100, "error_subcode": 1487390, "message": "again"}}', False),
    ],
)
async def test_an_outage_is_what_meta_says_to_everybody(
    server, graph, context, status, body, is_outage
):
    server.reply(status, body)

    for effect in ("reads", "repeatable"):
        with pytest.raises((Retry, Refusal)) as met:
            await graph.send(context("creative[0][0]"), POST, effect=effect)
        error = met.value.step_error if isinstance(met.value, Refusal) else met.value
        assert isinstance(error, Retry)
        assert error.is_outage is is_outage


@pytest.mark.parametrize("effect", ["reads", "repeatable", "creates"])
async def test_nobody_there_is_an_outage_whatever_was_asked(context, effect):
    nowhere = "http://127.0.0.1:1"
    graph = Graph(Addresses(nowhere, nowhere, nowhere))

    with pytest.raises(Retry) as met:
        await graph.send(context("campaign"), POST, effect=effect)
    await graph.close()

    assert met.value.is_outage


@pytest.mark.parametrize(("effect", "is_outage"), [("reads", True), ("repeatable", False)])
async def test_what_was_sent_and_not_answered_may_be_too_large(
    server, graph, context, effect, is_outage
):
    """Bytes that did not arrive in time would not arrive in time for an hour."""
    server.answer = None

    with pytest.raises(Retry) as met:
        await graph.send(context("campaign", deadline_seconds=SHORT_SECONDS), POST, effect=effect)

    assert met.value.is_outage is is_outage
