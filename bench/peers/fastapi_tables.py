"""The tables of the FastAPI application, in a schema of its own, with one key and one account."""

import hashlib
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, ForeignKey, Index, MetaData, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA = "fastapi_peer"


class Table(DeclarativeBase):
    """All tables."""

    metadata = MetaData(schema=SCHEMA)
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - so the library wants it


class ApiKey(Table):
    """A key, of which only the hash is kept."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    key_hash: Mapped[bytes] = mapped_column(unique=True)
    team_id: Mapped[UUID]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


class AdAccount(Table):
    """An account on the platform."""

    __tablename__ = "ad_accounts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    team_id: Mapped[UUID]
    platform_account_id: Mapped[str]
    mode: Mapped[str] = mapped_column(default="sandbox")
    status: Mapped[str] = mapped_column(default="ACTIVE")

    __table_args__ = (Index("accounts_by_team", "team_id", "platform_account_id", unique=True),)


class CampaignJob(Table):
    """A job as it is when it is accepted."""

    __tablename__ = "campaign_jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(default="BUILD_CAMPAIGN")
    ad_account_id: Mapped[UUID] = mapped_column(ForeignKey(AdAccount.id))
    team_id: Mapped[UUID]
    requested_by: Mapped[UUID]
    status: Mapped[str] = mapped_column(default="PENDING")
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    steps_total: Mapped[int]
    lane: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("claimable_jobs", "lane", "due_at", postgresql_where=text("status = 'PENDING'")),
        Index("jobs_by_team", "team_id", "id"),
    )
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012 - so the library wants it


async def make_tables(engine: AsyncEngine) -> dict[str, str]:
    """Makes everything anew, and returns the key and the account's id."""
    async with engine.begin() as connection:
        await connection.execute(text(f"drop schema if exists {SCHEMA} cascade"))
        await connection.execute(text(f"create schema {SCHEMA}"))
        await connection.run_sync(Table.metadata.create_all)
    key, team_id = f"mj_test_{secrets.token_hex(20)}", uuid4()
    account = AdAccount(team_id=team_id, platform_account_id="act_99")
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        session.add_all([ApiKey(key_hash=hash_key(key), team_id=team_id), account])
    return {"key": key, "ad_account_id": str(account.id)}


def hash_key(key: str) -> bytes:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).digest()
