"""The same door in FastAPI, pydantic and SQLAlchemy: `python bench/peers/fastapi_app.py URL --port P`.

One process of uvicorn with uvloop and httptools, no access log. Each request is one transaction: the key
by its hash, the account, one row with the payload as JSONB. With `--remember-keys 30` a key is looked up
only every 30 s. The first line printed is JSON with a key and an account's id; by then the port is open.
"""

import argparse
import asyncio
import json
import math
import socket
import time
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_schema import CampaignRequest
from fastapi_tables import AdAccount, ApiKey, CampaignJob, hash_key, make_tables
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

POOL_SIZE = 16
LANES = {"high": 1, "normal": 2, "low": 3}
app = FastAPI()
bearer = HTTPBearer()


class StepView(BaseModel):
    """One step of a job."""

    name: str
    kind: str
    status: str = "PENDING"
    attempt: int = 0
    platform_id: str | None = None
    error: dict[str, Any] | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class JobView(BaseModel):
    """The job as callers see it."""

    campaign_job_id: UUID
    id: UUID
    kind: str
    status: str
    ad_account_id: UUID
    platform_type: str = "META"
    livemode: bool
    progress: dict[str, int]
    waiting: dict[str, Any] | None = None
    cancel_requested: bool = False
    steps: list[StepView]
    platform_ids: dict[str, Any]
    platform_campaign_id: str | None = None
    error: dict[str, Any] | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    updated_at: datetime


async def open_session(request: Request) -> AsyncGenerator[AsyncSession]:
    """A session whose transaction the handler commits."""
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]


async def known_key(
    session: Session, given: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]
) -> ApiKey:
    """The key's row, read again only when it has not been remembered for long enough."""
    digest, now = hash_key(given.credentials), time.monotonic()
    read_at, key = app.state.keys.get(digest, (-math.inf, None))
    if now - read_at < app.state.remember_seconds:
        return key
    key = await session.scalar(select(ApiKey).where(ApiKey.key_hash == digest))
    if key is None or key.revoked_at is not None:
        raise HTTPException(401, "The key is unknown or revoked.")
    app.state.keys[digest] = (now, key)
    return key


Key = Annotated[ApiKey, Depends(known_key)]


@app.post("/ads/meta", status_code=202)
async def build_on_meta(
    wanted: CampaignRequest, session: Session, key: Key, response: Response
) -> JobView:
    """Accepts a request for a campaign."""
    account = await session.scalar(account_query(wanted, key))
    if account is None or account.status != "ACTIVE":
        raise HTTPException(404, "There is no such account.")
    steps = planned(wanted)
    job = CampaignJob(
        ad_account_id=account.id,
        team_id=key.team_id,
        requested_by=key.id,
        payload=wanted.model_dump(mode="json", exclude_unset=True),
        steps_total=len(steps),
        lane=LANES[wanted.priority],
    )
    session.add(job)
    await session.commit()
    response.headers["Location"] = f"/campaign_jobs/{job.id}"
    response.headers["Retry-After"] = "1"
    return job_view(job, account, steps, wanted)


def account_query(wanted: CampaignRequest, key: ApiKey) -> Any:
    """The account by our id or the platform's, of the caller's team."""
    query = select(AdAccount).where(AdAccount.team_id == key.team_id)
    if wanted.ad_account_id is not None:
        return query.where(AdAccount.id == wanted.ad_account_id)
    return query.where(AdAccount.platform_account_id == wanted.platform_account_id)


def planned(wanted: CampaignRequest) -> list[StepView]:
    """The steps of a request."""
    steps = [StepView(name=f"media[{key}]", kind="media") for key in wanted.media]
    steps.append(StepView(name="campaign", kind="campaign"))
    for number, ad_set in enumerate(wanted.ad_sets):
        steps.append(StepView(name=f"ad_set[{number}]", kind="ad_set"))
        for ad in range(len(ad_set.ads)):
            steps.append(StepView(name=f"creative[{number}][{ad}]", kind="creative"))
            steps.append(StepView(name=f"ad[{number}][{ad}]", kind="ad"))
    return steps


def job_view(
    job: CampaignJob, account: AdAccount, steps: list[StepView], wanted: CampaignRequest
) -> JobView:
    """The answer."""
    no_ads = [
        {"id": None, "ads": [{"id": None, "creative": None}] * len(ad_set.ads)}
        for ad_set in wanted.ad_sets
    ]
    return JobView(
        campaign_job_id=job.id,
        id=job.id,
        kind=job.kind,
        status=job.status,
        ad_account_id=account.id,
        livemode=account.mode == "live",
        progress={"done": 0, "total": len(steps)},
        steps=steps,
        platform_ids={"campaign": None, "ad_sets": no_ads, "media": dict.fromkeys(wanted.media)},
        created_at=job.created_at,
        updated_at=job.created_at,
    )


def new_engine(url: str) -> AsyncEngine:
    """The pool of connections."""
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=POOL_SIZE, max_overflow=0
    )


async def _prepare(url: str) -> dict[str, str]:
    engine = new_engine(url)
    made = await make_tables(engine)
    await engine.dispose()
    return made


def main() -> None:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--remember-keys", type=float, default=0, help="seconds; 0 looks at the table each time"
    )
    given = parser.parse_args()
    app.state.keys, app.state.remember_seconds = {}, given.remember_keys
    made = asyncio.run(_prepare(given.url))
    app.state.sessions = async_sessionmaker(new_engine(given.url), expire_on_commit=False)
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
    listening = socket.create_server(("127.0.0.1", given.port), backlog=128)
    print(json.dumps(made), flush=True)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
