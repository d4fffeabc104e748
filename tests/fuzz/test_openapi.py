"""Requests made from the OpenAPI document, good, wrong and odd: every answer is documented, nothing leaks.

MOJITO_FUZZ_CASES says how many are sent and MOJITO_FUZZ_SEED which; a long run takes 10,000.
"""

import asyncio
import base64
import os
import secrets
import sys
from pathlib import Path

from models.database import Pool
from tests.fuzz.fuzzing import Fuzzing
from tests.fuzz.target import Target

CASES = int(os.environ.get("MOJITO_FUZZ_CASES", "600"))
SEED = int(os.environ.get("MOJITO_FUZZ_SEED", "0")) or secrets.randbelow(2**32)


async def test_every_answer_is_documented_and_tells_no_secret(
    target: Target, pool: Pool, log: Path, capsys
):
    fuzzing = Fuzzing(target, SEED)
    with capsys.disabled():
        print(f"\nMOJITO_FUZZ_SEED={SEED} MOJITO_FUZZ_CASES={CASES}", file=sys.stderr)

    tally = await asyncio.to_thread(fuzzing.run, CASES)

    with capsys.disabled():
        print("", *tally.lines(), sep="\n", file=sys.stderr)
    written = await asyncio.to_thread(log.read_bytes)
    rows = await _dump(pool)
    assert not tally.findings, tally.report()
    assert b"request.failed" not in written
    assert len(rows) > 10_000
    for secret in (target.token, target.keys.good):
        for form in (
            secret.encode(),
            secret.encode().hex().encode(),
            base64.b64encode(secret.encode()),
        ):
            assert form not in written
            assert form not in rows
    assert [name for name in fuzzing.names if not tally.classes(name)["2xx"]] == []


async def _dump(pool: Pool) -> bytes:
    """Every row of every table as text."""
    tables = await pool.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows = [
        row
        for table in tables
        for row in await pool.fetch(f'select t::text from "{table["tablename"]}" t')  # noqa: S608 - a name from the catalogue
    ]
    return "\n".join(row[0] for row in rows).encode()
