"""The limit: the tables and statements of a durable queue without any addition.

The plain loop and pgbench run these. A claim takes what is due by priority and marks it with a token and
a deadline; steps and completions are fenced by the token; nobody counts limits, writes events, or
keeps anything beside the row.
"""

JOB_BATCH, STEP_BATCH = 500, 50
"""Rows of a claim and of a completion; rows of each statement in pgbench's jobs of steps."""
TABLES = """
create table plain_jobs (id uuid primary key, priority integer not null default 0,
    run_at timestamptz not null default now(), status text not null default 'PENDING',
    attempt integer not null default 0, claim_token uuid, worker_id uuid, deadline_at timestamptz,
    started_at timestamptz, finished_at timestamptz, result jsonb, payload jsonb not null)
    with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
create index on plain_jobs (priority, run_at, id) where status = 'PENDING';
create index on plain_jobs (worker_id) where status = 'RUNNING';
create table plain_steps (job_id uuid, step text, state text not null, claim_token uuid not null,
    idempotency_key text not null, request_hash bytea not null, outcome jsonb,
    finished_at timestamptz, primary key (job_id, step))
    with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
"""
CLAIM = """
with picked as materialized (
    select id from plain_jobs where status = 'PENDING' and run_at <= now()
    order by priority, run_at, id limit $1 for update skip locked)
update plain_jobs as j
set status = 'RUNNING', attempt = j.attempt + 1, claim_token = $2, worker_id = $3,
    deadline_at = now() + interval '10 minutes', started_at = now()
where j.id = any (array(select id from picked))
returning j.id, j.attempt, j.payload, set_config('synchronous_commit', 'off', true)"""
COMPLETE = """
update plain_jobs as j
set status = d.status, result = d.result, finished_at = now(), claim_token = null
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[]) as d (id, claim_token, status, result)
where j.id = d.id and j.claim_token = d.claim_token
returning j.id"""
INTEND = """
insert into plain_steps (job_id, step, state, claim_token, idempotency_key, request_hash)
select s.job_id, s.step, 'STARTED', s.claim_token, s.idempotency_key, s.request_hash
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bytea[])
    as s (job_id, step, claim_token, idempotency_key, request_hash)
join plain_jobs as j on j.id = s.job_id and j.claim_token = s.claim_token
on conflict (job_id, step) do update set claim_token = excluded.claim_token
    where plain_steps.state = 'STARTED'
returning job_id, step, xmax <> 0 as must_reconcile"""
RECORD = """
update plain_steps as s
set state = 'DONE', outcome = d.outcome, finished_at = now()
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::jsonb[]) as d (job_id, step, claim_token, outcome)
where s.job_id = d.job_id and s.step = d.step and s.claim_token = d.claim_token
returning s.job_id"""
SETTINGS = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_sort": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}
"""Of the connections: one plan is possible, whatever the statistics say."""
