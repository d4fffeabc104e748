-- name: GetOldestClaimableSeconds :one
-- How long the job waits whose time came first; null when none is claimable. One look for each lane, at
-- 10,000 jobs at most. Messages to receivers that fail do not count: they go out one at a time, whoever works.
select extract(epoch from now() - min(head.due_at))::float8 as seconds
from (values (0), (1), (2), (3)) as lanes (lane)
cross join lateral (
    select due.due_at from (
        select c.due_at, c.ad_account_id from campaign_jobs as c
        where c.lane = lanes.lane and c.claim_token is null
          and c.status in ('PENDING', 'PROCESSING') and c.due_at <= now()
        order by c.due_at limit 10000
    ) as due
    where not exists (
        select 1 from webhook_endpoints as e where e.id = due.ad_account_id and e.failing_since is not null)
    order by due.due_at limit 1
) as head;

-- name: CountOpenJobs :many
-- Jobs that are not finished, counted up to a limit each for those that a worker has and those that none
-- has; finished ones are never looked at.
select open.kind, open.status, open.waiting_reason, open.is_claimed, count(*) as jobs
from (
    (select c.kind, c.status, c.waiting_reason, false as is_claimed from campaign_jobs as c
     where c.claim_token is null and c.status in ('PENDING', 'PROCESSING') limit @most::integer)
    union all
    (select c.kind, c.status, c.waiting_reason, true as is_claimed from campaign_jobs as c
     where c.claim_token is not null limit @most::integer)
) as open
group by open.kind, open.status, open.waiting_reason, open.is_claimed;

-- name: ListWorkersWithClaims :many
-- Every worker that said a word lately, how long it is silent, and how many jobs it holds.
select w.id, w.host, w.process_id, extract(epoch from now() - w.last_seen_at)::float8 as silent_seconds,
    (select count(*) from campaign_jobs as c
     where c.worker_id = w.id and c.claim_token is not null) as claims
from workers as w
order by w.last_seen_at desc;

-- name: ListAccountsThatNeedReauthorisation :many
select a.id, a.name, a.platform_type, a.platform_account_id from ad_accounts as a
where a.status = 'REQUIRES_REAUTH' and a.deleted_at is null
order by a.id limit @most::integer;
