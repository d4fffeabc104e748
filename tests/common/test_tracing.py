"""Callers' traces are taken as the standard says, and handed on below spans of our own."""

import asyncio

import pytest

from common import tracing
from common.tracing import Trace, new_trace, parse

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("header", "is_sampled"),
    [
        (GOOD, True),
        (GOOD[:-2] + "00", False),
        (GOOD[:-2] + "03", True),
        ("cc" + GOOD[2:] + "-of-the-future", True),
    ],
)
def test_a_header_of_the_standard_is_taken(header, is_sampled):
    assert parse(header) == Trace(GOOD[3:35], GOOD[36:52], is_sampled)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00",
        GOOD.upper(),
        GOOD + "-more",
        "ff" + GOOD[2:],
        GOOD.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        GOOD.replace("b7ad6b7169203331", "0" * 16),
        GOOD + "\n",
        "cc" + GOOD[2:] + "-" + "x" * 1000,
    ],
)
def test_any_other_header_is_ignored(header):
    assert parse(header) is None


def test_new_traces_are_different_and_of_the_standard():
    first, second = new_trace(), new_trace()

    assert first.trace_id != second.trace_id
    assert parse(first.traceparent) == first


async def test_spans_nest_in_a_task_and_in_those_that_it_starts():
    told = []
    trace = new_trace()

    async def inner():
        with tracing.span("inner"):
            return tracing.current()

    tracing.enter(trace, told.append)
    with tracing.span("outer", "consumer", number=7):
        outer = tracing.current()
        inside = await asyncio.create_task(inner())

    assert [(span.name, span.parent_span_id) for span in told] == [
        ("inner", outer.span_id),
        ("outer", trace.span_id),
    ]
    assert {span.trace.trace_id for span in told} == {trace.trace_id} == {inside.trace_id}
    assert told[1].attributes == {"mojito.number": 7}
    assert told[1].kind == "consumer"
    assert told[0].began_at <= told[0].ended_at <= told[1].ended_at
    assert tracing.current() == trace


async def test_a_span_that_fails_says_so():
    told = []
    tracing.enter(new_trace(), told.append)

    with pytest.raises(KeyError), tracing.span("fails"):
        raise KeyError

    assert told[0].is_error


async def test_a_trace_that_the_caller_does_not_sample_is_carried_and_not_told():
    told = []
    tracing.enter(parse(GOOD[:-2] + "00"), told.append)

    with tracing.span("quiet"):
        assert tracing.current().traceparent.endswith("-00")

    assert told == []
