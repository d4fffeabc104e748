-- name: QueueWebhookDeliveries :exec
-- Makes the jobs that carry them.
select queue_webhook_deliveries(@ids::uuid[]);

-- name: CreateWebhookDelivery :one
-- Of something that is no event of a job.
insert into webhook_deliveries (id, webhook_endpoint_id, type, facts, job_id, happened_at)
values (@id, @webhook_endpoint_id, @type, @facts, @job_id, now())
returning *;

-- name: TellOfDisabledEndpoint :many
-- The team's other endpoints that want to hear of it.
insert into webhook_deliveries (id, webhook_endpoint_id, type, facts, job_id, happened_at)
select new_key(), e.id, 'webhook_endpoint.disabled', @facts, new_key(), now()
from webhook_endpoints as e
where e.team_id = @team_id and e.mode = @mode and e.disabled_at is null and e.deleted_at is null
  and is_webhook_for(e.events, 'webhook_endpoint.disabled')
returning id;

-- name: GetWebhookForRun :one
-- What a worker needs to send it; no row: it was asked for again since, by another job.
select d.id, d.type, d.campaign_job_id, d.facts, d.body, d.status, d.tries_since_queued, d.happened_at,
    e.id as webhook_endpoint_id, e.team_id, e.mode, e.url,
    (e.disabled_at is null and e.deleted_at is null)::boolean as is_listening,
    coalesce(e.previous_secret_until > now(), false)::boolean as is_previous_secret_good,
    now()::timestamptz as read_at,
    r.request_id, r.traceparent
from webhook_deliveries as d join webhook_endpoints as e on e.id = d.webhook_endpoint_id
left join campaign_requests as r on r.campaign_job_id = d.campaign_job_id
where d.id = @id and d.job_id = @job_id;

-- name: WriteWebhookBody :one
-- The first one stays for ever.
update webhook_deliveries set body = coalesce(body, @body::text) where id = @id returning body;

-- name: RecordWebhookTry :exec
-- What came of a try. An endpoint that fails is tried one delivery at a time until something is received;
-- what another address did, where it was until then, says nothing.
with told as (
    update webhook_deliveries as d
    set tries = d.tries + 1, tries_since_queued = d.tries_since_queued + 1,
        status = @status::webhook_delivery_status,
        finished_at = case when @status::webhook_delivery_status <> 'PENDING' then now() end
    where d.id = @id::uuid and d.job_id = @job_id::uuid and d.status = 'PENDING'
    returning d.id, d.webhook_endpoint_id, d.tries
), written as (
    insert into webhook_tries (
        webhook_delivery_id, number, started_at, duration_ms, http_status, error_code, answer)
    select told.id, told.tries, now() - make_interval(secs => @duration_seconds::float8),
        @duration_ms::integer, sqlc.narg(http_status)::smallint, sqlc.narg(error_code)::text,
        sqlc.narg(answer)::text
    from told
), turned as (
    update webhook_endpoints as e
    set failing_since = case when @status::webhook_delivery_status = 'DELIVERED' then null else now() end
    from told
    where e.id = told.webhook_endpoint_id and e.url = @url::text
      and (e.failing_since is null) = (@status::webhook_delivery_status <> 'DELIVERED')
    returning e.id
)
update ad_accounts as a
set max_running = case when @status::webhook_delivery_status = 'DELIVERED' then @most_at_once::integer else 1 end
from turned where a.id = turned.id;

-- name: FailWebhookDelivery :exec
-- It is not tried any more.
update webhook_deliveries set status = 'FAILED', finished_at = now()
where id = @id and job_id = @job_id and status = 'PENDING';

-- name: GetLastDeliveryToLookAt :one
-- Of those that a filtered page looks at, newest first, so many of which come before it. No row: there are
-- not so many.
select id from webhook_deliveries
where webhook_endpoint_id = @webhook_endpoint_id
  and id < coalesce(sqlc.narg(before_id)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
order by id desc
limit 1 offset @before_it::integer;

-- name: ListWebhookDeliveries :many
-- Newest first; keys are made in the order of time. `from_id` is the last that is looked at.
select d.id, d.type, d.campaign_job_id, d.status, d.happened_at, d.created_at, d.finished_at,
    coalesce(octet_length(d.body), 0)::integer as body_bytes, j.due_at as next_try_at
from webhook_deliveries as d left join campaign_jobs as j on j.id = d.job_id and d.status = 'PENDING'
where d.webhook_endpoint_id = @webhook_endpoint_id
  and (sqlc.narg(id)::uuid is null or d.id = sqlc.narg(id)::uuid)
  and d.id < coalesce(sqlc.narg(before_id)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  and d.id >= coalesce(sqlc.narg(from_id)::uuid, '00000000-0000-0000-0000-000000000000')
  and (sqlc.narg(status)::webhook_delivery_status is null
       or d.status = sqlc.narg(status)::webhook_delivery_status)
order by d.id desc
limit @page_size;

-- name: ListWebhookBodies :many
-- What is posted, of those whose first try has begun.
select id, body from webhook_deliveries where id = any (@ids::uuid[]) and body is not null;

-- name: ListWebhookTries :many
select * from webhook_tries where webhook_delivery_id = any (@webhook_delivery_ids::uuid[])
order by webhook_delivery_id, number;

-- name: RequeueWebhookDeliveries :many
-- The whole schedule again, for those of them that are over.
select requeue_webhook_deliveries(@ids::uuid[])::uuid as id;

-- name: HurryWebhookDelivery :exec
-- One that waits for its next try is tried now.
update campaign_jobs as j set due_at = now(), updated_at = now()
from webhook_deliveries as d
where d.id = @id and j.id = d.job_id and j.claim_token is null and j.status in ('PENDING', 'PROCESSING');

-- name: HurryWebhookEndpoint :exec
-- All that wait for their next try are tried now: an endpoint is the account of its jobs.
update campaign_jobs set due_at = now(), updated_at = now()
where ad_account_id = @id and claim_token is null and status in ('PENDING', 'PROCESSING') and due_at > now();

-- name: ListWebhookDeliveriesBetween :many
-- What happened between two moments, whatever became of it: events by their numbers, all else by its key, which
-- was made when it happened. So what came later is not read, however much it is.
select known.id::uuid as id
from (
    select d.id from webhook_deliveries as d
    where d.webhook_endpoint_id = @webhook_endpoint_id::uuid
      and d.event_id >= @first_event_id::bigint and d.event_id < @below_event_id::bigint
      and d.happened_at >= @since::timestamptz and d.happened_at < @until::timestamptz
    union all
    select d.id from webhook_deliveries as d
    where d.webhook_endpoint_id = @webhook_endpoint_id::uuid and d.event_id is null
      and d.id >= @from_id::uuid and d.id < @before_id::uuid
      and d.happened_at >= @since::timestamptz and d.happened_at < @until::timestamptz
) as known
limit @most::integer;

-- name: CreateMissedWebhooks :many
-- Events of the team's jobs between two numbers and two moments that the endpoint never heard of.
insert into webhook_deliveries (
    id, webhook_endpoint_id, type, event_id, campaign_job_id, facts, job_id, happened_at)
select new_key(), @webhook_endpoint_id::uuid, v.kind, v.id, v.campaign_job_id, v.data, new_key(), v.created_at
from job_events as v
where v.team_id = @team_id::uuid and v.id >= @first_id::bigint and v.id < @last_id::bigint
  and v.created_at >= @since::timestamptz and v.created_at < @until::timestamptz
  and v.kind = any (array(
      select named.kind from unnest(@kinds::text[]) as named(kind)
      where is_webhook_for(@events::text[], named.kind)))
  and (select j.mode from campaign_jobs as j where j.id = v.campaign_job_id) = @mode::account_mode
  and not exists (
      select 1 from webhook_deliveries as d
      where d.webhook_endpoint_id = @webhook_endpoint_id::uuid and d.event_id = v.id)
order by v.id
limit @most::integer
on conflict (webhook_endpoint_id, event_id) do nothing
returning id;
