-- name: GetOldestClaimableSeconds :one
-- How long the job waits that a worker could have taken first; null when there is none. Jobs of accounts that
-- are full or throttled do not count, nor messages to receivers that fail: nobody may take them, however many
-- work. Looks at the first 1,000 jobs of each lane until one counts; where none does and more wait, at the
-- first 2,000 accounts with waiting work.
with recursive heads as materialized (
    select first.due_at, (
        select true from campaign_jobs as c
        where first.due_at is null and c.lane = lanes.lane and c.claim_token is null
          and c.status in ('PENDING', 'PROCESSING') and c.due_at <= now()
        order by c.due_at offset 1000 limit 1
    ) as has_more
    from (values (0), (1), (2), (3)) as lanes (lane)
    left join lateral (
        select due.due_at from (
            select c.due_at, c.ad_account_id from campaign_jobs as c
            where c.lane = lanes.lane and c.claim_token is null
              and c.status in ('PENDING', 'PROCESSING') and c.due_at <= now()
            order by c.due_at limit 1000
        ) as due
        where exists (
            select 1 from ad_accounts as a
            where a.id = due.ad_account_id and (a.throttled_until is null or a.throttled_until <= now())
              and a.max_running > (
                  select count(*) from campaign_jobs as c
                  where c.ad_account_id = a.id and c.claim_token is not null))
          and not exists (
              select 1 from webhook_endpoints as e
              where e.id = due.ad_account_id and e.failing_since is not null)
        order by due.due_at limit 1
    ) as first on true
), walked as (
    (select c.ad_account_id, 1 as nth from campaign_jobs as c
     where c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
       and exists (select 1 from heads where heads.has_more)
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
), swept as (
    select job.due_at
    from walked join ad_accounts as a on a.id = walked.ad_account_id
    cross join (values (0), (1), (2), (3)) as lanes (lane)
    cross join lateral (
        select c.due_at from campaign_jobs as c
        where c.ad_account_id = a.id and c.lane = lanes.lane and c.claim_token is null
          and c.status in ('PENDING', 'PROCESSING') and c.due_at <= now()
        order by c.due_at limit 1
    ) as job
    where (a.throttled_until is null or a.throttled_until <= now())
      and a.max_running > (
          select count(*) from campaign_jobs as c
          where c.ad_account_id = a.id and c.claim_token is not null)
      and not exists (
          select 1 from webhook_endpoints as e where e.id = a.id and e.failing_since is not null)
)
select extract(epoch from now() - least(
    (select min(heads.due_at) from heads), (select min(swept.due_at) from swept)))::float8 as seconds;

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
