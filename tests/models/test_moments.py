"""Moments that rows have in common are one object, and the same that every other connection reads."""

from datetime import UTC, datetime

import pytest

from models.moments import _moment, share_moments


async def test_rows_share_the_moments_that_are_equal(connection):
    await share_moments(connection)

    one, other = await connection.fetch("select now() as at from generate_series(1, 2)")

    assert one["at"] is other["at"]


@pytest.mark.parametrize(
    "text",
    ["2026-11-21 20:00:00.123457+00", "1969-12-31 23:59:59.999999+00", "0001-01-01 00:00+00"],
)
async def test_a_moment_is_the_same_as_on_any_other_connection(connection, text):
    sql = "select $1::text::timestamptz"
    before = await connection.fetchval(sql, text)
    await share_moments(connection)

    after = await connection.fetchval(sql, text)

    assert after == before
    assert after.tzinfo is UTC


@pytest.mark.parametrize("year", [1, 1969, 2026, 9000])
async def test_a_moment_arrives_as_it_was_sent(connection, year):
    moment = datetime(year, 11, 21, 20, 0, 0, 123457, tzinfo=UTC)
    await share_moments(connection)

    assert await connection.fetchval("select $1::timestamptz", moment) == moment


async def test_what_never_comes_can_be_read(connection):
    await share_moments(connection)

    never = await connection.fetchrow(
        "select 'infinity'::timestamptz as behind, '-infinity'::timestamptz as before"
    )

    assert never["before"] < datetime.now(UTC) < never["behind"]


async def test_no_more_moments_are_remembered_than_a_few_claims_have(connection):
    await share_moments(connection)

    await connection.fetch("select now() + n * interval '1 s' from generate_series(1, 10000) as n")

    assert _moment.cache_info().currsize < 5000
