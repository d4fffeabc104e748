-- name: GetOldestClaimableSeconds :one
-- How long the job waits that a worker could have taken first; null when there is none. Jobs of accounts that
-- are full or throttled do not count, nor messages to receivers that fail: nobody may take them, however many
-- work. Looks at the accounts of the first 1,000 jobs of each lane and, where a lane has more, at the first
-- 2,000 accounts with waiting work.
with recursive head as materialized (
    select job.lane, job.ad_account_id
    from (values (0), (1), (2), (3)) as lanes (lane)
    cross join lateral (
        select c.lane, c.ad_account_id from campaign_jobs as c
        where c.lane = lanes.lane and c.claim_token is null
          and c.status in ('PENDING', 'PROCESSING') and c.due_at <= now()
        order by c.due_at limit 1000
    ) as job
), walked as (
    (select c.ad_account_id, 1 as nth from campaign_jobs as c
     where c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
       and exists (select 1 from head group by head.lane having count(*) = 1000)
     order by c.ad_account_id limit 1)
    union all
    select next.ad_account_id, walked.nth + 1
    from walked cross join lateral (
        select c.ad_account_id from campaign_jobs as c
        where c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
          and c.ad_account_id > walked.ad_account_id
        order by c.ad_account_id limit 1
    ) as next
    where walked.nth < 2000
), seen as (
    select head.ad_account_id from head union select walked.ad_account_id from walked
)
select extract(epoch from now() - min(greatest(earliest.due_at, a.throttled_until)))::float8 as seconds
from seen join ad_accounts as a on a.id = seen.ad_account_id
cross join lateral (
    select min(job.due_at) as due_at
    from (values (0), (1), (2), (3)) as lanes (lane)
    cross join lateral (
        select c.due_at from campaign_jobs as c
        where c.ad_account_id = a.id and c.lane = lanes.lane and c.claim_token is null
          and c.status in ('PENDING', 'PROCESSING') and c.due_at <= now()
        order by c.due_at limit 1
    ) as job
) as earliest
where (a.throttled_until is null or a.throttled_until <= now())
  and a.max_running > (
      select count(*) from campaign_jobs as c
      where c.ad_account_id = a.id and c.claim_token is not null)
  and not exists (
      select 1 from webhook_endpoints as e where e.id = a.id and e.failing_since is not null);

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
