-- name: RegisterWorker :exec
-- A worker process says that it lives; the first time it also says where.
insert into workers (id, host, process_id) values (@id, @host, @process_id)
on conflict (id) do update set last_seen_at = now();

-- name: RenewWorker :execrows
-- 0 rows: the row is gone, the worker was given up for dead.
update workers set last_seen_at = now() where id = @id;

-- name: DeleteWorker :exec
delete from workers where id = @id;

-- name: ReleaseWorkerJobs :many
-- Frees every job that a worker holds; for a worker known to be dead or leaving. The ledger stays.
with freed as (
    update campaign_jobs
    set claim_token = null, worker_id = null, due_at = least(due_at, now()),
        rescues = rescues + 1, updated_at = now()
    where campaign_jobs.claim_token is not null and campaign_jobs.worker_id = @worker_id::uuid
    returning id
)
select id from freed;

-- name: GiveBackClaims :execrows
-- A worker that stops gives back what it still holds; nothing was wrong with it, so no rescue counts.
update campaign_jobs
set claim_token = null, worker_id = null, due_at = least(due_at, now()), updated_at = now()
where claim_token is not null and worker_id = @worker_id;

-- name: GiveBackUnknownClaims :execrows
-- Claims that the worker was granted and never heard of, because the answer was lost on its way.
update campaign_jobs
set claim_token = null, worker_id = null, due_at = least(due_at, now()), updated_at = now()
where claim_token is not null and worker_id = @worker_id
  and not exists (
      select 1 from (
          select unnest(@known_ids::uuid[]) as id, unnest(@known_tokens::uuid[]) as token) as known
      where known.id = campaign_jobs.id and known.token = campaign_jobs.claim_token);

-- name: GetDatabaseSeconds :one
-- The database's clock, by which workers are silent.
select extract(epoch from now())::float8 as seconds;

-- name: ReleaseJobsOfDeadWorkers :many
-- Frees the jobs of workers that were silent for too long, in a small batch; any worker does this.
-- Who is silent is settled before a row is locked: a job that a living worker has claimed since this
-- statement began is looked at again as it is now, and a join to its former worker would fit it.
with silent as materialized (
    select distinct j.worker_id as id from campaign_jobs as j
    left join workers as w on w.id = j.worker_id
    where j.claim_token is not null
      and (w.id is null or w.last_seen_at < now() - make_interval(secs => @silence_seconds::float8))
), lost as materialized (
    select j.id from campaign_jobs as j
    where j.claim_token is not null and j.worker_id = any (array(select silent.id from silent))
    limit 500
    for update of j skip locked
), freed as (
    update campaign_jobs as j
    set claim_token = null, worker_id = null, due_at = least(due_at, now()),
        rescues = rescues + 1, updated_at = now()
    where j.id = any (array(select lost.id from lost)) and j.claim_token is not null
    returning j.id
)
select id from freed;

-- name: MendWorkers :execrows
-- After the database's clock was set back: nobody was heard later than now, and silence counts from here on.
update workers set last_seen_at = now() where last_seen_at > now() + interval '3 seconds';

-- name: DeleteDeadWorkers :execrows
-- Rows of workers that hold nothing and were silent for an hour.
delete from workers
where last_seen_at < now() - interval '1 hour'
  and not exists (
      select 1 from campaign_jobs where campaign_jobs.worker_id = workers.id
        and campaign_jobs.claim_token is not null);
