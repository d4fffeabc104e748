"""Events as streams need them: history for each from his own number on, what is new for all at once."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from models.database import Pool
from models.event_facts import facts_of
from models.gen import job_events
from models.gen.job_events import ListEventsOfJobsRow, ListEventsOfTeamsRow, ListNewEventsRow
from routes.audience import Audience, Hear
from routes.subscriptions import JobEvent, Row, encoded

type Group = tuple[UUID, UUID | None, int]
"""Those of one team and one job, or all jobs, who have seen everything up to one number."""


async def history(
    pool: Pool, groups: Sequence[Group], until: int, page: int
) -> dict[Group, list[Row]]:
    """For each group at most a page of what lies between its number and this one."""
    of_jobs = {(job, after): team for team, job, after in groups if job is not None}
    found = await _of_jobs(pool, of_jobs, until, page)
    return found | await _of_teams(pool, [g for g in groups if g[1] is None], until, page)


async def news(
    pool: Pool, audience: Audience, after: int, until: int, most: int
) -> tuple[list[tuple[Row, list[Hear]]], int]:
    """What concerns somebody, with those whom it concerns, and up to which number that is everything."""
    team_ids, job_ids = audience.asked()
    if not (team_ids or job_ids):
        return [], until
    found = await job_events.list_new_events(
        pool,
        team_ids=team_ids,
        campaign_job_ids=job_ids,
        after_id=after,
        until_id=until,
        most=most,
    )
    told = [
        (_row(one), listeners)
        for one in found
        if (listeners := audience.concerns(one.team_id, one.campaign_job_id))
    ]
    return told, until if len(found) < most else found[-1].id


async def _of_jobs(
    pool: Pool, asked: dict[tuple[UUID, int], UUID], until: int, page: int
) -> dict[Group, list[Row]]:
    if not asked:
        return {}
    rows = await job_events.list_events_of_jobs(
        pool,
        campaign_job_ids=[job_id for job_id, _ in asked],
        after_ids=[after for _, after in asked],
        until_id=until,
        page_size=page,
    )
    return _grouped(
        (
            (
                asked[row.campaign_job_id, row.after_id],
                row.campaign_job_id,
                row.after_id,
            ),
            _row(row),
        )
        for row in rows
    )


async def _of_teams(
    pool: Pool, groups: Sequence[Group], until: int, page: int
) -> dict[Group, list[Row]]:
    if not groups:
        return {}
    rows = await job_events.list_events_of_teams(
        pool,
        team_ids=[team_id for team_id, _, _ in groups],
        after_ids=[after for _, _, after in groups],
        until_id=until,
        page_size=page,
    )
    return _grouped(((row.team_id, None, row.after_id), _row(row)) for row in rows)


def _grouped(found: Iterable[tuple[Group, Row]]) -> dict[Group, list[Row]]:
    groups: dict[Group, list[Row]] = {}
    for group, row in found:
        groups.setdefault(group, []).append(row)
    return groups


def _row(found: ListEventsOfJobsRow | ListEventsOfTeamsRow | ListNewEventsRow) -> Row:
    data = {name: value for name, value in facts_of(found.data).items() if value is not None}
    event = JobEvent(
        found.id,
        found.kind,
        found.campaign_job_id,
        found.created_at,
        found.mode != "sandbox",
        data,
    )
    return Row(found.id, found.kind, found.mode, encoded(event))
