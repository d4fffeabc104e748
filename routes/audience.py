"""Who hears of what happens now: found by team and job, so that an event costs those whom it concerns."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from routes.subscriptions import Row

MOST_JOBS_ASKED_SINGLY = 20
"""More watched jobs of one team than that: all that is new of the team is read, whosever it is."""

type Hear = Callable[[Sequence[Row]], None]


class TeamAudience:
    """Of one team."""

    def __init__(self) -> None:
        self.of_all: set[Hear] = set()
        self.of_jobs: dict[UUID, set[Hear]] = {}

    @property
    def asks_for_all(self) -> bool:
        """Whether everything of the team is worth reading."""
        return bool(self.of_all) or len(self.of_jobs) > MOST_JOBS_ASKED_SINGLY


class Audience:
    """Those who have had everything so far. A listener is a function that takes what is new."""

    def __init__(self) -> None:
        self._teams: dict[UUID, TeamAudience] = {}

    def add(self, team_id: UUID, job_id: UUID | None, hear: Hear) -> None:
        """Of one job, or of all jobs of the team."""
        team = self._teams.setdefault(team_id, TeamAudience())
        if job_id is None:
            team.of_all.add(hear)
        else:
            team.of_jobs.setdefault(job_id, set()).add(hear)

    def discard(self, team_id: UUID, job_id: UUID | None, hear: Hear) -> None:
        """It hears no more; one that is not there does no harm."""
        team = self._teams.get(team_id)
        if team is None:
            return
        if job_id is None:
            team.of_all.discard(hear)
        elif listeners := team.of_jobs.get(job_id):
            listeners.discard(hear)
            if not listeners:
                del team.of_jobs[job_id]
        if not (team.of_all or team.of_jobs):
            del self._teams[team_id]

    def asked(self) -> tuple[list[UUID], list[UUID]]:
        """Teams of which everything is to be read, and single jobs of the other teams."""
        teams = [team_id for team_id, team in self._teams.items() if team.asks_for_all]
        jobs = [
            job_id
            for team in self._teams.values()
            if not team.asks_for_all
            for job_id in team.of_jobs
        ]
        return teams, jobs

    def concerns(self, team_id: UUID | None, job_id: UUID) -> list[Hear]:
        """Whom an event of that job concerns."""
        team = None if team_id is None else self._teams.get(team_id)
        return [] if team is None else [*team.of_all, *team.of_jobs.get(job_id, ())]

    def tell(self, rows: Iterable[tuple[Row, list[Hear]]]) -> None:
        """Each listener hears once, of all that concerns it."""
        heard: dict[Hear, list[Row]] = {}
        for row, listeners in rows:
            for hear in listeners:
                heard.setdefault(hear, []).append(row)
        for hear, its in heard.items():
            hear(its)
