-- name: GetLastEventNumber :one
-- The highest number given to an event so far, seen or not.
select coalesce(pg_sequence_last_value('job_events_id_seq'::regclass), 0)::bigint as number;

-- name: KeepEventNumbers :exec
-- No crash of the server gives a number again that was given so far.
select keep_event_numbers();

-- name: ListEventWriters :one
-- The transactions that may have taken numbers and cannot be seen yet.
select job_event_writers()::text[] as writers;

-- name: ListEventsOfJobs :many
-- The facts of several jobs, of each after a number of its own, and whether real money is in play.
with asked as materialized (
    select unnest(@campaign_job_ids::uuid[]) as campaign_job_id, unnest(@after_ids::bigint[]) as after_id
)
select asked.after_id::bigint as after_id, e.id, e.campaign_job_id, e.kind, e.data, e.created_at, j.mode
from asked
cross join lateral (
    select f.id, f.campaign_job_id, f.kind, f.data, f.created_at from job_events as f
    where f.campaign_job_id = asked.campaign_job_id and f.id > asked.after_id and f.id <= @until_id::bigint
    order by f.id limit @page_size
) as e
left join campaign_jobs as j on j.id = e.campaign_job_id
order by e.id;

-- name: ListEventsOfTeams :many
-- The same for all jobs of several teams. `mode` says which of them a test key sees.
with asked as materialized (
    select unnest(@team_ids::uuid[]) as team_id, unnest(@after_ids::bigint[]) as after_id
)
select asked.team_id::uuid as team_id, asked.after_id::bigint as after_id, e.id, e.campaign_job_id, e.kind,
    e.data, e.created_at, j.mode
from asked
cross join lateral (
    select f.id, f.campaign_job_id, f.kind, f.data, f.created_at from job_events as f
    where f.team_id = asked.team_id and f.id > asked.after_id and f.id <= @until_id::bigint
    order by f.id limit @page_size
) as e
left join campaign_jobs as j on j.id = e.campaign_job_id
order by e.id;

-- name: ListNewEvents :many
-- The facts of several teams, and of several jobs, between two numbers: one order for all, the first so many.
with asked as materialized (
    select unnest(@team_ids::uuid[]) as team_id
), watched as materialized (
    select unnest(@campaign_job_ids::uuid[]) as campaign_job_id
), new as (
    select e.id, e.team_id, e.campaign_job_id, e.kind, e.data, e.created_at
    from asked
    cross join lateral (
        select f.* from job_events as f
        where f.team_id = asked.team_id and f.id > @after_id::bigint and f.id <= @until_id::bigint
        order by f.id limit @most
    ) as e
    union all
    select e.id, e.team_id, e.campaign_job_id, e.kind, e.data, e.created_at
    from watched
    cross join lateral (
        select f.* from job_events as f
        where f.campaign_job_id = watched.campaign_job_id and f.id > @after_id::bigint
          and f.id <= @until_id::bigint
        order by f.id limit @most
    ) as e
    order by id limit @most
)
select new.id, new.team_id, new.campaign_job_id, new.kind, new.data, new.created_at, j.mode
from new
left join lateral (
    select c.mode from campaign_jobs as c where c.id = new.campaign_job_id limit 1
) as j on true
order by new.id;

-- name: GetEndOfJob :one
-- The number of the last end of a job, 0 while it has none, and the status that it had in the same moment.
select j.status, coalesce((
    select max(e.id) from job_events as e where e.campaign_job_id = j.id and e.kind = 'job.finished'
), 0)::bigint as number
from campaign_jobs as j where j.id = @campaign_job_id;

-- name: GetEventOfTeamFrom :one
-- The first event of a team that bears this number or a higher one.
select id, created_at from job_events where team_id = @team_id and id >= @number order by id limit 1;

-- name: CountEventsOfTeamUpTo :one
-- Between two numbers and two moments; no more are counted than asked for.
select count(*) from (
    select 1 from job_events
    where team_id = @team_id and id >= @first_id and id < @last_id
      and created_at >= @since and created_at < @until
    limit @most
) as found;
