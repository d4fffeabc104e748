-- migrate:up
-- The jobs, what each has done, and the workers that run them.

create type job_status as enum
    ('PENDING', 'PROCESSING', 'SUCCESS', 'FAILED', 'PARTIAL_SUCCESS', 'CANCELLED');
create type step_status as enum
    ('PENDING', 'RUNNING', 'IN_DOUBT', 'DONE', 'WAITING', 'FAILED', 'SKIPPED');

-- One narrow row per worker process, renewed every few seconds. No index on last_seen_at and room
-- in the page, so that a renewal stays a heap-only update.
create table workers (
    id uuid primary key,
    last_seen_at timestamptz not null default now(),
    started_at timestamptz not null default now(),
    host text not null,
    process_id integer not null,
    -- the account behind which the next sweep of the claim begins
    sweep_cursor uuid
) with (fillfactor = 50);

create table campaign_jobs (
    id uuid primary key,
    kind text not null default 'BUILD_CAMPAIGN',
    ad_account_id uuid not null references ad_accounts (id),
    team_id uuid,
    platform_type text not null,
    mode account_mode not null,
    status job_status not null default 'PENDING',
    payload jsonb not null,
    result jsonb,
    platform_campaign_id text,
    error_code text,
    error jsonb,
    steps_total smallint not null default 0,
    -- 0 has started before, 1 high, 2 normal, 3 low
    lane smallint not null default 2,
    -- nobody need look at the job before this moment
    due_at timestamptz not null default now(),
    claim_token uuid,
    worker_id uuid,
    waiting_reason text,
    -- since when one reason has been waited for; a dead token ends a job seven days after it
    waiting_since timestamptz,
    cancel_requested_at timestamptz,
    -- how often a dead worker was replaced since a step was last done
    rescues smallint not null default 0,
    idempotency_key text,
    request_fingerprint bytea,
    requested_by uuid,
    request_id text,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    updated_at timestamptz not null default now(),
    constraint claimed_jobs_have_a_worker check ((claim_token is null) = (worker_id is null)),
    constraint jobs_have_a_known_lane check (lane between 0 and 3),
    -- a large payload lives beside the row, so that moves of the job do not copy it
    constraint idempotency_keys_have_a_fingerprint
        check (idempotency_key is null or request_fingerprint is not null)
) with (fillfactor = 70, toast_tuple_target = 256,
        autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
alter table campaign_jobs alter column payload set storage external;

create index claimable_jobs on campaign_jobs (lane, due_at)
    where claim_token is null and status in ('PENDING', 'PROCESSING');
create index claimable_jobs_by_account on campaign_jobs (ad_account_id, lane, due_at)
    where claim_token is null and status in ('PENDING', 'PROCESSING');
create index claimed_jobs_by_account on campaign_jobs (ad_account_id)
    where claim_token is not null;
create index campaign_jobs_by_team on campaign_jobs (team_id, id);
create unique index requests_are_accepted_once on campaign_jobs (team_id, idempotency_key)
    nulls not distinct where idempotency_key is not null;

-- The legal moves. The condition stands in WHEN, so that a legal move costs no function call.
create function refuse_illegal_move() returns trigger language plpgsql as $$
begin
    raise exception 'a campaign job cannot move from % to %', old.status, new.status
        using errcode = 'check_violation', constraint = 'jobs_move_legally';
end
$$;
create trigger jobs_move_legally before update of status on campaign_jobs
    for each row when (
        new.status <> old.status and not (
            (old.status = 'PENDING' and new.status in ('PROCESSING', 'CANCELLED'))
            or (old.status = 'PROCESSING'
                and new.status in ('SUCCESS', 'PARTIAL_SUCCESS', 'FAILED', 'CANCELLED'))
            or (old.status in ('FAILED', 'PARTIAL_SUCCESS', 'CANCELLED') and new.status = 'PENDING')
        ))
    execute function refuse_illegal_move();

-- One row per outside effect that was begun. No foreign key: it would lock and rewrite the job's row
-- at every step; rows are written only for a job that exists and is held, by the same statement.
create table job_steps (
    campaign_job_id uuid not null,
    name text not null,
    position smallint not null,
    kind text not null,
    status step_status not null,
    -- counts only retries and resolved doubts
    attempt smallint not null default 0,
    -- how often an empty look was taken at the platform since the last intent
    looks smallint not null default 0,
    request_digest bytea,
    -- what the step has brought so far: ids when done, an upload session while it runs
    outcome jsonb,
    platform_id text,
    error jsonb,
    claim_token uuid not null,
    intent_at timestamptz,
    due_at timestamptz,
    started_at timestamptz,
    finished_at timestamptz,
    constraint steps_are_unique_in_their_job primary key (campaign_job_id, name)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

-- Facts of a job in order. No foreign key, for the same reason.
create table job_events (
    id bigint generated always as identity primary key,
    campaign_job_id uuid not null,
    team_id uuid,
    kind text not null,
    data jsonb not null default '{}',
    created_at timestamptz not null default now()
);
create index job_events_by_job on job_events (campaign_job_id, id);

-- migrate:down
drop table job_events, job_steps, campaign_jobs, workers;
drop function refuse_illegal_move();
drop type step_status, job_status;
