-- name: DeleteOldJobs :one
-- Finished jobs and all that was written of them, oldest first. Ids are made in the order of time, so the key
-- finds them. Large jobs go in smaller batches, so that no statement takes long. Counts what went.
with old as materialized (
    select j.id, j.steps_total from campaign_jobs as j
    -- ids begin in 1970
    where j.id < oldest_kept_id(least(@older_than_days::float8, 20000))
      and j.finished_at < now() - make_interval(secs => 86400 * @older_than_days::float8)
    order by j.id limit @most::integer
    for update skip locked
), summed as (
    select old.id, sum(old.steps_total) over (order by old.id) - old.steps_total as steps_before from old
), picked as materialized (
    select summed.id from summed where summed.steps_before < @most_steps::bigint
), steps as (
    delete from job_steps where campaign_job_id = any (array(select picked.id from picked)) returning 1
), events as (
    delete from job_events where campaign_job_id = any (array(select picked.id from picked)) returning 1
), requests as (
    delete from campaign_requests where campaign_job_id = any (array(select picked.id from picked)) returning 1
), jobs as (
    delete from campaign_jobs where id = any (array(select picked.id from picked)) returning 1
)
select (select count(*) from jobs) as jobs, (select count(*) from requests) as requests,
    (select count(*) from steps) as steps, (select count(*) from events) as events;

-- name: CountOldJobs :one
-- What DeleteOldJobs would take in the end.
with old as materialized (
    select j.id from campaign_jobs as j
    where j.id < oldest_kept_id(least(@older_than_days::float8, 20000))
      and j.finished_at < now() - make_interval(secs => 86400 * @older_than_days::float8)
)
select (select count(*) from old) as jobs,
    (select count(*) from old join campaign_requests as r on r.campaign_job_id = old.id) as requests,
    (select count(*) from old join job_steps as s on s.campaign_job_id = old.id) as steps,
    (select count(*) from old join job_events as e on e.campaign_job_id = old.id) as events;

-- name: DeleteOldWebhookDeliveries :one
-- Deliveries that are over, their tries, and the jobs that carried them. Counts the deliveries.
with old as materialized (
    select d.id, d.job_id from webhook_deliveries as d
    where d.finished_at < now() - make_interval(secs => 86400 * @older_than_days::float8)
    order by d.finished_at limit @most::integer
    for update skip locked
), deliveries as (
    delete from webhook_deliveries where id = any (array(select old.id from old)) returning 1
), events as (
    delete from job_events where campaign_job_id = any (array(select old.job_id from old))
), requests as (
    delete from campaign_requests where campaign_job_id = any (array(select old.job_id from old))
), jobs as (
    delete from campaign_jobs where id = any (array(select old.job_id from old))
)
select count(*) from deliveries;

-- name: CountOldWebhookDeliveries :one
select count(*) from webhook_deliveries
where finished_at < now() - make_interval(secs => 86400 * @older_than_days::float8);

-- name: ForgetAuditEntries :one
select forget_audit_entries(@older_than_days::float8, @most::integer)::integer as gone;

-- name: CountOldAuditEntries :one
select count(*) from audit_log
where at < now() - make_interval(secs => greatest(@older_than_days::float8, 30) * 86400);

-- name: TakeHousekeeping :one
-- For this connection, until it is given back or the connection ends. False: another worker has it.
select pg_try_advisory_lock(7092418)::boolean as taken;

-- name: GiveBackHousekeeping :exec
select pg_advisory_unlock(7092418);
