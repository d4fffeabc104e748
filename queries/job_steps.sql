-- name: ListStepsOfJobs :many
select * from job_steps where campaign_job_id = any (@campaign_job_ids::uuid[])
order by campaign_job_id, position;

-- name: ListNamedSteps :many
-- Some steps of one job.
select * from job_steps where campaign_job_id = @campaign_job_id and name = any (@names::text[])
order by position;

-- name: CountDoneSteps :one
-- Of one job.
select count(*) from job_steps where campaign_job_id = @campaign_job_id and status = 'DONE';

-- name: StartNewSteps :execrows
-- Writes the intent of steps that no run has begun so far, as StartSteps does, for half of its price. How
-- many were begun; none at all, but a violated steps_are_unique_in_their_job, when some run has begun one.
insert into job_steps (campaign_job_id, name, position, kind, status, request_digest, claim_token,
    intent_at, started_at, call_seconds)
select asked.campaign_job_id, asked.name, asked.position, asked.kind, 'RUNNING', asked.request_digest,
    asked.claim_token, now(), now(), asked.call_seconds
from (
    select unnest(string_to_array(@campaign_job_ids::text, ',')::uuid[]) as campaign_job_id,
        jsonb_array_elements_text((@names::text)::jsonb) as name,
        unnest(string_to_array(@positions::text, ',')::integer[]) as position,
        unnest(string_to_array(@kinds::text, ',')) as kind,
        decode(unnest(string_to_array(@request_digests::text, ',')), 'hex') as request_digest,
        unnest(string_to_array(@claim_tokens::text, ',')::uuid[]) as claim_token,
        unnest(string_to_array(@call_seconds::text, ',')::integer[]) as call_seconds
) as asked
-- a plain comparison of tokens fits the index of claimed jobs, and the planner would walk all of them
join campaign_jobs as j on j.id = asked.campaign_job_id and asked.claim_token is not null
    and j.claim_token is not distinct from asked.claim_token and j.cancel_requested_at is null;

-- name: StartSteps :one
-- Writes the intent of steps. A step is begun only by the worker that holds its job, only while nobody
-- asked to stop, and only if its row is still the one that this worker has read (previous token).
-- Tells how many were begun, and which only when some were not.
with asked as materialized (
    select unnest(@campaign_job_ids::uuid[]) as campaign_job_id,
        jsonb_array_elements_text((@names::text)::jsonb) as name,
        unnest(@positions::integer[]) as position,
        unnest(string_to_array(@kinds::text, ',')) as kind,
        unnest(@attempts::integer[]) as attempt, unnest(@request_digests::bytea[]) as request_digest,
        unnest(@claim_tokens::uuid[]) as claim_token,
        unnest(@previous_tokens::uuid[]) as previous_token,
        unnest(@call_seconds::integer[]) as call_seconds
), begun as (
    insert into job_steps (campaign_job_id, name, position, kind, status, attempt, request_digest,
        claim_token, intent_at, started_at, call_seconds)
    select asked.campaign_job_id, asked.name, asked.position, asked.kind, 'RUNNING',
        coalesce(asked.attempt, 0), asked.request_digest, asked.claim_token, now(), now(),
        asked.call_seconds
    from asked
    -- as in StartNewSteps: by key, never by way of all claimed jobs
    join campaign_jobs as j on j.id = asked.campaign_job_id and asked.claim_token is not null
        and j.claim_token is not distinct from asked.claim_token and j.cancel_requested_at is null
    on conflict (campaign_job_id, name) do update
    set status = 'RUNNING', attempt = excluded.attempt, looks = 0,
        claim_token = excluded.claim_token,
        intent_at = now(), call_seconds = excluded.call_seconds, due_at = null, finished_at = null,
        -- hours in which nobody tried are not among those that a step may take
        started_at = case when job_steps.intent_at > now() - interval '30 minutes'
            then coalesce(job_steps.started_at, now()) else now() end
    -- our own token, too: when the connection was lost the intent may have been committed
    where job_steps.status <> 'DONE' and exists (
        select from asked as a
        where a.campaign_job_id = job_steps.campaign_job_id and a.name = job_steps.name
          and a.claim_token = excluded.claim_token
          and job_steps.claim_token in (a.claim_token, a.previous_token))
    returning campaign_job_id, name, claim_token
)
select count(*)::integer as begun,
    coalesce(case when count(*) < cardinality(@campaign_job_ids::uuid[]) then array_agg(begun.campaign_job_id) end, '{}')
        ::uuid[] as campaign_job_ids,
    coalesce(case when count(*) < cardinality(@campaign_job_ids::uuid[]) then array_agg(begun.name) end, '{}')
        ::text[] as names,
    coalesce(case when count(*) < cardinality(@campaign_job_ids::uuid[]) then array_agg(begun.claim_token) end, '{}')
        ::uuid[] as claim_tokens
from begun;

-- name: RecordDoneSteps :one
-- Writes what steps have brought that are done at the first try of the run that has begun them, as
-- RecordSteps does, for less: their names and ids are taken out of the facts that are told of them.
with told as materialized (
    select generate_series(1, @steps::integer) as nth,
        unnest(string_to_array(@campaign_job_ids::text, ',')::uuid[]) as campaign_job_id,
        unnest(string_to_array(@team_ids::text, ',', '')::uuid[]) as team_id,
        unnest(string_to_array(@claim_tokens::text, ',')::uuid[]) as claim_token,
        jsonb_array_elements((@outcomes::text)::jsonb) as outcome,
        jsonb_array_elements((@facts::text)::jsonb) as fact
), recorded as (
    update job_steps as s
    set status = 'DONE', attempt = 0, looks = 0, outcome = told.outcome,
        platform_id = told.fact ->> 'platform_id', error = null, due_at = null, finished_at = now()
    from told
    where s.campaign_job_id = told.campaign_job_id and s.name = told.fact ->> 'step'
      and s.claim_token = told.claim_token
    returning told.nth, told.campaign_job_id, told.team_id, told.fact
), events as (
    insert into job_events (campaign_job_id, team_id, kind, data)
    select r.campaign_job_id, r.team_id, 'job.step.done', r.fact from recorded as r
)
select coalesce(array_agg(recorded.nth), '{}')::integer[] as recorded from recorded;

-- name: RecordSteps :one
-- Writes what became of steps, or what they have brought so far. Which of them were written, counted
-- from 1: one that is missing belongs to another worker by now, or tells how far a step has come whose
-- job does. A step that is done makes earlier rescues of its job count no more.
with told as materialized (
    select generate_subscripts(@campaign_job_ids::uuid[], 1) as nth,
        unnest(@campaign_job_ids::uuid[]) as campaign_job_id, unnest(@team_ids::uuid[]) as team_id,
        jsonb_array_elements_text((@names::text)::jsonb) as name,
        unnest(@previous_tokens::uuid[]) as previous_token, unnest(@claim_tokens::uuid[]) as claim_token,
        unnest(string_to_array(@statuses::text, ','))::step_status as status,
        unnest(@attempts::integer[]) as attempt, unnest(@looks::integer[]) as looks,
        nullif(jsonb_array_elements((@outcomes::text)::jsonb), 'null') as outcome,
        jsonb_array_elements_text((@platform_ids::text)::jsonb) as platform_id,
        unnest(@errors::text[])::jsonb as error, unnest(@delays::float8[]) as delay_seconds
), recorded as (
    update job_steps as s
    set status = told.status, attempt = coalesce(told.attempt, 0), looks = coalesce(told.looks, 0),
        claim_token = told.claim_token, outcome = coalesce(told.outcome, s.outcome),
        platform_id = told.platform_id, error = told.error,
        due_at = now() + make_interval(secs => told.delay_seconds),
        finished_at = case when told.status in ('DONE', 'FAILED') then now() end
    from told
    where s.campaign_job_id = told.campaign_job_id and s.name = told.name
      and s.claim_token in (told.previous_token, told.claim_token)
      -- what is done stays done; the same may be said again, when nobody knows whether it was heard
      and (s.status <> 'DONE' or (told.status = 'DONE' and s.claim_token = told.claim_token))
      -- what was met is told also by a run that has lost its job; but nobody goes further in a step then
      and (told.status <> 'RUNNING' or told.claim_token = (
          -- its key alone: of an exists the planner would make a table of all jobs that are claimed
          select j.claim_token from campaign_jobs as j where j.id = told.campaign_job_id))
    returning told.nth, told.campaign_job_id, told.team_id, told.name, told.status, s.platform_id,
        told.error
), events as (
    insert into job_events (campaign_job_id, team_id, kind, data)
    select r.campaign_job_id, r.team_id,
        case r.status when 'DONE' then 'job.step.done' else 'job.step.failed' end,
        jsonb_build_object('step', r.name, 'platform_id', r.platform_id, 'code', r.error ->> 'code')
    from recorded as r where r.status in ('DONE', 'FAILED')
), calmed as (
    update campaign_jobs set rescues = 0
    where id = any (array(
        select r.campaign_job_id from recorded as r
        where r.status = 'DONE' and r.campaign_job_id = any (@rescued_ids::uuid[])))
)
select coalesce(array_agg(recorded.nth), '{}')::integer[] as recorded from recorded;
