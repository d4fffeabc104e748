"""Every column that holds sealed secrets, and how they are wrapped anew while others work."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

import asyncpg
import msgspec

from common.errors import ConfigurationError
from common.keyring import CannotOpen, Keyring, Sealed
from models.database import Pool

_NOTHING = UUID(int=0)
_PAUSE_SECONDS = 0.2
_MOST_IDLE_PASSES = 200
_TRIED = 3


class SealedColumn(msgspec.Struct, frozen=True):
    """Where sealed secrets stand. Each is bound to the table, its row's id and the column."""

    table: str
    column: str
    key_id_column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


SEALED: Sequence[SealedColumn] = (SealedColumn("ad_accounts", "credentials", "credentials_key_id"),)
"""One line for each; rotation, status and start-up go through all of them."""


class Progress(msgspec.Struct):
    """How far the rotation of one column has come."""

    column: str
    rewrapped: int = 0
    left: int = 0
    """Rows still to do; they shrink with each batch, and grow when others write with an older key."""
    unopened: list[UUID] = []
    """Rows that do not open: their key is not here, or they were tampered with."""


async def key_ids_in_use(source: Pool, column: SealedColumn) -> dict[str, int]:
    """How many rows need each key."""
    rows = await source.fetch(
        f"select {column.key_id_column} as key_id, count(*) as rows "  # noqa: S608 - names of this file
        f"from {column.table} group by 1 order by 1"
    )
    return {row["key_id"]: row["rows"] for row in rows}


async def all_key_ids_in_use(source: Pool) -> set[str]:
    """Ids of every key that some stored secret needs."""
    return {key_id for column in SEALED for key_id in await key_ids_in_use(source, column)}


async def impostors(source: Pool, keyring: Keyring) -> list[str]:
    """Ids under which the keyring has another key than the one that sealed what is stored.

    The newest rows of each key are tried: one of them may have been tampered with, hardly all.
    """
    found: set[str] = set()
    for column in SEALED:
        for key_id in await key_ids_in_use(source, column):
            if not keyring.missing([key_id]) and not await _fits(source, keyring, column, key_id):
                found.add(key_id)
    return sorted(found)


async def _fits(source: Pool, keyring: Keyring, column: SealedColumn, key_id: str) -> bool:
    rows = await source.fetch(
        f"select id, {column.column} as sealed from {column.table} "  # noqa: S608 - names of this file
        f"where {column.key_id_column} = $1 and {column.column} <> '' order by id desc limit $2",
        key_id,
        _TRIED,
    )
    tried = [keyring.fits(row["sealed"], column.table, row["id"], column.column) for row in rows]
    return not tried or any(tried)


async def require_keys_in_use(pool: Pool, keyring: Keyring) -> None:
    """Raises ConfigurationError when a stored secret needs a key that is not there, or is another."""
    if missing := keyring.missing(await all_key_ids_in_use(pool)):
        raise ConfigurationError(
            f"MOJITO_ENCRYPTION_KEYS_FILE lacks the key {', '.join(missing)}, "
            "which stored secrets need; `mojito encryption status` shows which rows"
        )
    if others := await impostors(pool, keyring):
        raise ConfigurationError(
            f"MOJITO_ENCRYPTION_KEYS_FILE has another key under the id {', '.join(others)} than the one "
            "that sealed what is stored; put the right one back"
        )


async def rotate(
    pool: Pool, keyring: Keyring, column: SealedColumn, *, batch_rows: int
) -> AsyncGenerator[Progress]:
    """Brings every secret of the column under the first key; tells how far it is after each batch.

    Each batch is a transaction of its own, so it may be ended at any moment and begun again. Rows that
    somebody holds are passed over and looked at again. The secrets stay what they were, so neither
    `updated_at` nor a version moves: who remembers a row goes on with the key that it was read with.
    """
    progress = Progress(str(column), unopened=[])
    idle_passes = 0
    while idle_passes < _MOST_IDLE_PASSES:
        progress.left = await _count_left(pool, column, keyring.key_id, progress.unopened)
        yield progress
        if not progress.left:
            return
        before, after = progress.rewrapped + len(progress.unopened), _NOTHING
        while (
            last := await _batch(pool, keyring, column, batch_rows, after, progress)
        ) is not None:
            after = last
            yield progress
        if progress.rewrapped + len(progress.unopened) == before:
            idle_passes += 1
            await asyncio.sleep(_PAUSE_SECONDS)


async def _count_left(
    pool: Pool, column: SealedColumn, key_id: str, unopened: Sequence[UUID]
) -> int:
    return await pool.fetchval(
        f"select count(*) from {column.table} "  # noqa: S608 - names of this file
        f"where {column.key_id_column} <> $1 and id <> all ($2::uuid[])",
        key_id,
        unopened,
    )


async def _batch(
    pool: Pool,
    keyring: Keyring,
    column: SealedColumn,
    batch_rows: int,
    after: UUID,
    progress: Progress,
) -> UUID | None:
    """The last row that was looked at; None when there is none left behind `after`."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            f"select id, {column.column} as sealed from {column.table} "  # noqa: S608 - names of this file
            f"where {column.key_id_column} <> $1 and id > $2 and id <> all ($3::uuid[]) "
            "order by id limit $4 for no key update skip locked",
            keyring.key_id,
            after,
            progress.unopened,
            batch_rows,
        )
        wrapped: list[tuple[UUID, bytes, Sealed]] = []
        for row in rows:
            try:
                new = keyring.rewrap(row["sealed"], column.table, row["id"], column.column)
                wrapped.append((row["id"], row["sealed"], new))
            except CannotOpen:
                progress.unopened.append(row["id"])
        progress.rewrapped += await _write(connection, column, wrapped)
    progress.left = max(progress.left - len(rows), 0)
    return rows[-1]["id"] if rows else None


async def _write(
    connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]",
    column: SealedColumn,
    wrapped: Sequence[tuple[UUID, bytes, Sealed]],
) -> int:
    """Only over what was read: whatever else stands there by now was sealed by somebody else."""
    done = await connection.execute(
        f"update {column.table} as t "  # noqa: S608 - names of this file
        f"set {column.column} = told.new, {column.key_id_column} = told.key_id "
        "from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::text[]) "
        "as told (id, old, new, key_id) "
        f"where t.id = told.id and t.{column.column} = told.old",
        [row_id for row_id, _, _ in wrapped],
        [old for _, old, _ in wrapped],
        [new.ciphertext for _, _, new in wrapped],
        [new.key_id for _, _, new in wrapped],
    )
    return int(done.rpartition(" ")[2])
