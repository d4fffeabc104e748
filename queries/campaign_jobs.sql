-- name: CreateCampaignJob :one
-- No row means that the team has used this idempotency key before, or that the account is not any more
-- as it was when the request was judged.
with asked as (
    insert into campaign_requests (
        campaign_job_id, team_id, payload, idempotency_key, request_fingerprint, requested_by, request_id,
        traceparent)
    select @id::uuid, sqlc.narg(team_id)::uuid, @payload::jsonb, sqlc.narg(idempotency_key)::text,
        sqlc.narg(request_fingerprint)::bytea, sqlc.narg(requested_by)::uuid, sqlc.narg(request_id)::text,
        sqlc.narg(traceparent)::text
    from ad_accounts as a
    where a.id = @ad_account_id::uuid and a.updated_at = @account_updated_at::timestamptz
    -- whoever deletes the account waits for this job, or this statement sees that it is gone
    for key share
    on conflict (team_id, idempotency_key) where idempotency_key is not null do nothing
    returning campaign_job_id, team_id
)
insert into campaign_jobs (id, kind, ad_account_id, team_id, platform_type, mode, steps_total, lane)
select asked.campaign_job_id, @kind, @ad_account_id::uuid, asked.team_id, @platform_type, @mode, @steps_total,
    @lane
from asked
returning *;

-- name: CreateCampaignJobs :one
-- The same for several requests at once, made without waiting: one whose account somebody is changing
-- just now is left out, too. Team, platform and mode are the account's, which is as it was when the request
-- was judged. Which jobs were made, and when.
with told as materialized (
    select unnest(@ids::uuid[]) as id, unnest(@ad_account_ids::uuid[]) as ad_account_id,
        unnest(@account_updated_ats::timestamptz[]) as account_updated_at,
        unnest(@payloads::text[])::jsonb as payload,
        unnest(@steps_totals::integer[]) as steps_total, unnest(@lanes::integer[]) as lane,
        unnest(@idempotency_keys::text[]) as idempotency_key,
        unnest(@request_fingerprints::bytea[]) as request_fingerprint,
        unnest(@requested_bys::uuid[]) as requested_by, unnest(@request_ids::text[]) as request_id,
        unnest(@traceparents::text[]) as traceparent
), held as materialized (
    select a.id, a.updated_at, a.team_id, a.platform_type, a.mode from ad_accounts as a
    where a.id = any (@ad_account_ids::uuid[])
    for key share skip locked
), asked as (
    insert into campaign_requests (
        campaign_job_id, team_id, payload, idempotency_key, request_fingerprint, requested_by, request_id,
        traceparent)
    select told.id, held.team_id, told.payload, told.idempotency_key, told.request_fingerprint,
        told.requested_by, told.request_id, told.traceparent
    from told join held on held.id = told.ad_account_id and held.updated_at = told.account_updated_at
    on conflict (team_id, idempotency_key) where idempotency_key is not null do nothing
    returning campaign_job_id
), made as (
    insert into campaign_jobs (id, kind, ad_account_id, team_id, platform_type, mode, steps_total, lane)
    select told.id, 'BUILD_CAMPAIGN', held.id, held.team_id, held.platform_type, held.mode,
        told.steps_total, told.lane
    from told join asked on asked.campaign_job_id = told.id join held on held.id = told.ad_account_id
    returning id
)
select coalesce(array_agg(id), '{}')::uuid[] as ids, now()::timestamptz as created_at from made;

-- name: GetCampaignJob :one
select * from campaign_jobs where id = @id and team_id = @team_id;

-- name: GetWantedJob :one
-- The job's id while the claim holds and nobody asked to stop.
select id from campaign_jobs where id = @id and claim_token = @claim_token and cancel_requested_at is null;

-- name: GetRequestByIdempotencyKey :one
select * from campaign_requests where team_id = @team_id and idempotency_key = @idempotency_key;

-- name: ListPayloads :many
-- What the callers of these jobs asked for.
select campaign_job_id, payload from campaign_requests where campaign_job_id = any (@ids::uuid[]);

-- name: ListRequests :many
-- The same, and under which ids they asked.
select campaign_job_id, payload, request_id, traceparent from campaign_requests where campaign_job_id = any (@ids::uuid[]);

-- name: GetLastRequestToLookAt :one
-- Of those that a filtered page looks at, newest first, so many of which come before it. No row: there are
-- not so many.
select campaign_job_id as id from campaign_requests
where team_id = @team_id
  and campaign_job_id < coalesce(sqlc.narg(before_id)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
order by campaign_job_id desc
limit 1 offset @before_it::integer;

-- name: ListCampaignJobs :many
-- Newest first; keys are made in the order of time. `from_id` is the last that is looked at. Whatever is
-- asked for, requests lead to their jobs: no other plan ends with the page.
select j.* from campaign_requests as r
join lateral (select c.* from campaign_jobs as c where c.id = r.campaign_job_id limit 1) as j on true
where r.team_id = @team_id
  and r.campaign_job_id < coalesce(sqlc.narg(before_id)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  and r.campaign_job_id >= coalesce(sqlc.narg(from_id)::uuid, '00000000-0000-0000-0000-000000000000')
  and (sqlc.narg(status)::job_status is null or j.status = sqlc.narg(status)::job_status)
  and (sqlc.narg(platform_type)::text is null or j.platform_type = sqlc.narg(platform_type)::text)
  and (sqlc.narg(ad_account_id)::uuid is null or j.ad_account_id = sqlc.narg(ad_account_id)::uuid)
  and (sqlc.narg(mode)::account_mode is null or j.mode = sqlc.narg(mode)::account_mode)
  and (sqlc.narg(created_after)::timestamptz is null or j.created_at >= sqlc.narg(created_after)::timestamptz)
  and (sqlc.narg(created_before)::timestamptz is null or j.created_at < sqlc.narg(created_before)::timestamptz)
order by r.campaign_job_id desc
limit @page_size;

-- name: CountOpenJobsOfAccountUpTo :one
-- Through the two indexes that claims keep; no more rows are read than asked for.
select count(*) from (
    (select 1 from campaign_jobs
     where ad_account_id = @ad_account_id::uuid and claim_token is null
       and status in ('PENDING', 'PROCESSING') limit @most::integer)
    union all
    (select 1 from campaign_jobs
     where ad_account_id = @ad_account_id::uuid and claim_token is not null limit @most::integer)
) as open_jobs;

-- name: CountOpenJobsOfTeamUpTo :one
-- The same for all accounts of a team, deleted ones included.
select count(*) from (
    select 1 from ad_accounts as a
    cross join lateral (
        (select 1 from campaign_jobs as j
         where j.ad_account_id = a.id and j.claim_token is null
           and j.status in ('PENDING', 'PROCESSING'))
        union all
        (select 1 from campaign_jobs as j where j.ad_account_id = a.id and j.claim_token is not null)
    ) as of_account
    where a.team_id = @team_id::uuid limit @most::integer
) as open_jobs;

-- name: CancelCampaignJob :one
-- A job that nobody has ends at once; one that a worker has is told to stop. No row: it is not open.
with held as materialized (
    select id, cancel_requested_at from campaign_jobs
    where campaign_jobs.id = @id::uuid and campaign_jobs.team_id = @team_id::uuid
    for no key update
), cancelled as (
    update campaign_jobs as j
    set status = case when j.claim_token is null then 'CANCELLED'::job_status else j.status end,
        cancel_requested_at = coalesce(j.cancel_requested_at, now()),
        finished_at = case when j.claim_token is null then now() end,
        waiting_reason = null, waiting_since = null, updated_at = now()
    from held
    where j.id = held.id and j.status in ('PENDING', 'PROCESSING')
    returning j.id, j.team_id, j.status, held.cancel_requested_at as asked_at
), told as (
    insert into job_events (campaign_job_id, team_id, kind, data)
    select cancelled.id, cancelled.team_id,
        case when cancelled.status = 'CANCELLED' then 'job.finished' else 'job.cancel_requested' end,
        case when cancelled.status = 'CANCELLED'
             then jsonb_build_object('status', cancelled.status, 'code', code_of_cancelled_job(cancelled.id))
             else jsonb_build_object('status', cancelled.status) end
    from cancelled where cancelled.status = 'CANCELLED' or cancelled.asked_at is null
)
select id from cancelled;

-- name: RetryCampaignJob :one
-- Done steps are kept; a step in doubt stays in doubt, also one that was given up while it was (its looks
-- say so). No row: it is not FAILED, PARTIAL_SUCCESS or CANCELLED.
with retried as (
    update campaign_jobs
    set status = 'PENDING', lane = 0, due_at = now(), rescues = 0, error = null, error_code = null,
        cancel_requested_at = null, finished_at = null, waiting_reason = null, waiting_since = null,
        updated_at = now()
    where campaign_jobs.id = @id::uuid and campaign_jobs.team_id = @team_id::uuid
      and campaign_jobs.status in ('FAILED', 'PARTIAL_SUCCESS', 'CANCELLED')
    returning id, team_id
), reset as (
    update job_steps
    set status = case when status = 'FAILED' and looks > 0 then 'IN_DOUBT'::step_status
            when status in ('FAILED', 'WAITING') then 'PENDING'::step_status else status end,
        attempt = 0, looks = 0, error = null, due_at = null, started_at = null, finished_at = null
    from retried
    where job_steps.campaign_job_id = retried.id and job_steps.status <> 'DONE'
), told as (
    insert into job_events (campaign_job_id, team_id, kind)
    select retried.id, retried.team_id, 'job.retried' from retried
)
select id from retried;

-- name: WakeJobsAfterReauthorisation :execrows
-- In the transaction that replaces the credentials.
update campaign_jobs
set due_at = now(), waiting_reason = null, waiting_since = null, updated_at = now()
where ad_account_id = @ad_account_id and claim_token is null
  and status in ('PENDING', 'PROCESSING') and waiting_reason = 'reauth_required';

-- name: ClaimCampaignJobs :one
-- Takes due jobs within the limits of their accounts. Told by columns, which cost whoever reads them half of
-- what rows do: of all jobs, of those that ran or waited before, and of those whose requests go along. These
-- are left out when their payloads, as they are stored (long ones compressed), might come to more than a
-- sixth of what a local socket takes while nobody reads. One claim has one moment and one token.
with c as (
    select claimed.*,
        claimed.started_at <> now() or claimed.rescues > 0 or claimed.waiting_reason is not null as has_past
    from claim_campaign_jobs(@worker_id::uuid, @want::integer, 32768) as claimed
)
select now()::timestamptz as claimed_at,
    (array_agg(c.claim_token))[1]::uuid as claim_token,
    coalesce(array_agg(c.id), '{}')::uuid[] as ids,
    coalesce(array_agg(c.team_id), '{}')::uuid[] as team_ids,
    coalesce(array_agg(c.kind), '{}')::text[] as kinds,
    coalesce(array_agg(c.ad_account_id), '{}')::uuid[] as ad_account_ids,
    coalesce(array_agg(c.platform_type), '{}')::text[] as platform_types,
    coalesce(array_agg(c.created_at), '{}')::timestamptz[] as created_ats,
    coalesce(array_agg(c.account_updated_at), '{}')::timestamptz[] as account_updated_ats,
    coalesce(array_agg(c.id) filter (where c.has_past), '{}')::uuid[] as known_ids,
    coalesce(array_agg(c.rescues) filter (where c.has_past), '{}')::integer[] as rescues,
    coalesce(array_agg(c.waiting_reason) filter (where c.has_past), '{}')::text[] as waiting_reasons,
    coalesce(array_agg(c.waiting_since) filter (where c.has_past), '{}')::timestamptz[] as waiting_sinces,
    coalesce(array_agg(c.started_at) filter (where c.has_past), '{}')::timestamptz[] as started_ats,
    coalesce(array_agg(c.id) filter (where c.payload is not null), '{}')::uuid[] as told_ids,
    coalesce(array_agg(c.payload) filter (where c.payload is not null), '{}')::jsonb[] as payloads,
    coalesce(array_agg(c.request_id) filter (where c.payload is not null), '{}')::text[] as request_ids,
    coalesce(array_agg(c.traceparent) filter (where c.payload is not null), '{}')::text[] as traceparents
from c;

-- name: GetHeadTrustSeconds :one
-- For how long claims of this session will not look behind the place where the last ones found the head.
select extract(epoch from (
    nullif(current_setting('mojito.head', true), '')::timestamptz[])[5] - clock_timestamp())::float8 as seconds;

-- name: ForgetHeadTrustedForLong :exec
-- Longer than fifty looks of a second: mostly the database's clock was put back since, and until it is there
-- again what was given back would not be found.
select set_config('mojito.head', '', false)
where now() + interval '1 minute' < (nullif(current_setting('mojito.head', true), '')::timestamptz[])[5];

-- name: MoveCampaignJobs :one
-- Ends jobs or lets them wait. Which of them were moved, counted from 1: a job that is missing belonged
-- to another worker. A job that would wait and was asked to stop is cancelled instead.
with told as materialized (
    select generate_subscripts(@ids::uuid[], 1) as nth, unnest(@ids::uuid[]) as id,
        unnest(@claim_tokens::uuid[]) as claim_token,
        unnest(string_to_array(@statuses::text, ','))::job_status as status, unnest(@delays::float8[]) as delay_seconds,
        unnest(@reasons::text[]) as waiting_reason, unnest(@results::text[])::jsonb as result,
        unnest(@platform_campaign_ids::text[]) as platform_campaign_id,
        unnest(@error_codes::text[]) as error_code, unnest(@errors::text[])::jsonb as error
), moved as (
    update campaign_jobs as j
    set status = case when told.status = 'PROCESSING' and j.cancel_requested_at is not null
                      then 'CANCELLED' else told.status end,
        due_at = now() + make_interval(secs => coalesce(told.delay_seconds, 0)),
        waiting_since = case when j.waiting_reason = told.waiting_reason then j.waiting_since
            when told.waiting_reason is not null then now() end,
        waiting_reason = told.waiting_reason,
        result = coalesce(told.result, j.result),
        platform_campaign_id = coalesce(told.platform_campaign_id, j.platform_campaign_id),
        error_code = told.error_code, error = told.error,
        claim_token = null, worker_id = null,
        finished_at = case when told.status <> 'PROCESSING' or j.cancel_requested_at is not null
                           then now() end,
        updated_at = now()
    from told
    -- the keys once more: one walk through the index, not a search for each
    where j.id = told.id and j.id = any (@ids::uuid[])
      -- a plain comparison fits the index of claimed jobs, and the planner would walk all of them
      and told.claim_token is not null and j.claim_token is not distinct from told.claim_token
    returning told.nth, told.status as asked, j.id, j.team_id, j.status, j.waiting_reason, j.due_at,
        j.error_code
), recorded as (
    insert into job_events (campaign_job_id, team_id, kind, data)
    select moved.id, moved.team_id,
        case when moved.status = 'PROCESSING' then 'job.waiting' else 'job.finished' end,
        case when moved.status = 'PROCESSING'
             then jsonb_build_object('reason', moved.waiting_reason, 'until', moved.due_at)
             -- nearly all of them, and not built anew for each
             when moved.status = 'SUCCESS' and moved.error_code is null
             then '{"status": "SUCCESS", "code": null}'::jsonb
             -- what a cancelled job waited for last is not why it ended
             when moved.status = 'CANCELLED'
             then jsonb_build_object('status', moved.status, 'code', code_of_cancelled_job(moved.id))
             else jsonb_build_object('status', moved.status, 'code', moved.error_code) end
    from moved where moved.status <> 'PROCESSING' or moved.waiting_reason is not null
)
select coalesce(array_agg(moved.nth), '{}')::integer[] as moved,
    coalesce(array_agg(moved.nth) filter (where moved.status <> moved.asked), '{}')::integer[] as cancelled
from moved;

-- name: ListCampaignJobsByIds :many
select * from campaign_jobs where id = any (@ids::uuid[]);

-- name: ListMarksOfJobs :many
-- Where jobs stand, and a figure that changes whenever anything of them is written.
select j.id, j.status, job_mark(j.id)::bigint as mark from campaign_jobs as j where j.id = any (@ids::uuid[]);
