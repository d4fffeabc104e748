-- migrate:up
-- Callers' servers hear of the events of their jobs. A delivery is an ordinary job: the queue knows the
-- endpoint as an account of its own (platform WEBHOOK, in no team, so that no list shows it), which holds
-- the sealed secret, the limit of what runs at a time, and nothing that other accounts could be short of.

create type webhook_delivery_status as enum ('PENDING', 'DELIVERED', 'FAILED');

create table webhook_endpoints (
    -- of its account as well
    id uuid primary key references ad_accounts (id),
    team_id uuid not null references teams (id),
    mode account_mode not null,
    url text not null,
    -- names of events, or patterns that end in *
    events text[] not null,
    -- the secret before the present one signs, too, until then
    previous_secret_until timestamptz,
    -- since when nothing was received there; null after each success
    failing_since timestamptz,
    disabled_at timestamptz,
    disabled_reason text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint disabled_endpoints_have_a_reason check ((disabled_at is null) = (disabled_reason is null))
);
create index webhook_endpoints_by_team on webhook_endpoints (team_id, id) where deleted_at is null;
create index listening_webhook_endpoints on webhook_endpoints (team_id)
    where disabled_at is null and deleted_at is null;

create table webhook_deliveries (
    id uuid primary key,
    webhook_endpoint_id uuid not null references webhook_endpoints (id),
    type text not null,
    -- null for what is no event of a job
    event_id bigint,
    campaign_job_id uuid,
    facts jsonb not null default '{}',
    -- what is sent: written before the first try and never changed
    body text,
    status webhook_delivery_status not null default 'PENDING',
    -- the job that carries it; a new one for each time that it is asked for again
    job_id uuid not null,
    -- of all tries, and of those since it was last asked for
    tries smallint not null default 0,
    tries_since_queued smallint not null default 0,
    happened_at timestamptz not null,
    created_at timestamptz not null default now(),
    finished_at timestamptz
) with (fillfactor = 80);
create unique index events_are_delivered_once on webhook_deliveries (webhook_endpoint_id, event_id);
create index webhook_deliveries_by_endpoint on webhook_deliveries (webhook_endpoint_id, id);
create index finished_webhook_deliveries on webhook_deliveries (finished_at) where finished_at is not null;

create table webhook_tries (
    webhook_delivery_id uuid not null references webhook_deliveries (id) on delete cascade,
    number smallint not null,
    started_at timestamptz not null,
    duration_ms integer not null,
    http_status smallint,
    error_code text,
    answer text,
    constraint tries_are_numbered primary key (webhook_delivery_id, number)
);

-- A key that sorts in the order of time, as the program makes them.
create function new_key() returns uuid language sql volatile as $$
    select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;

-- Jobs for deliveries that wait for one. They belong to no team, so no list shows them, and what becomes
-- of them is no event for anybody.
create function queue_webhook_deliveries(p_ids uuid[]) returns void language sql volatile as $$
    insert into campaign_requests (campaign_job_id, payload)
    select d.job_id, jsonb_build_object('webhook_delivery_id', d.id)
    from webhook_deliveries as d where d.id = any (p_ids);
    insert into campaign_jobs (id, kind, ad_account_id, platform_type, mode, lane)
    select d.job_id, 'DELIVER_WEBHOOK', e.id, 'WEBHOOK', e.mode, 1
    from webhook_deliveries as d join webhook_endpoints as e on e.id = d.webhook_endpoint_id
    where d.id = any (p_ids);
$$;

-- Jobs that carried a delivery and are of no use any more.
create function forget_webhook_jobs(p_job_ids uuid[]) returns void language sql volatile as $$
    delete from job_events where campaign_job_id = any (p_job_ids);
    delete from campaign_requests where campaign_job_id = any (p_job_ids);
    delete from campaign_jobs where id = any (p_job_ids);
$$;

-- The whole schedule again, for those that are over; which they are.
create function requeue_webhook_deliveries(p_ids uuid[]) returns setof uuid language plpgsql as $$
declare
    v_ids uuid[];
    v_job_ids uuid[];
begin
    with locked as (
        select d.id, d.job_id from webhook_deliveries as d
        where d.id = any (p_ids) and d.status <> 'PENDING'
        for update
    )
    select array_agg(locked.id), array_agg(locked.job_id) from locked into v_ids, v_job_ids;
    perform forget_webhook_jobs(v_job_ids);
    update webhook_deliveries
    set status = 'PENDING', job_id = new_key(), tries_since_queued = 0, finished_at = null
    where id = any (v_ids);
    perform queue_webhook_deliveries(v_ids);
    return query select unnest(v_ids);
end
$$;

create function is_webhook_for(p_events text[], p_type text) returns boolean language sql immutable as $$
    select exists (
        select from unnest(p_events) as pattern
        where p_type like replace(replace(pattern, '_', '\_'), '*', '%'))
$$;

-- In the transaction that writes the events; over at once when nobody listens.
create function tell_webhook_endpoints() returns trigger language plpgsql as $$
declare
    v_ids uuid[];
begin
    -- nearly always nobody listens at all, which costs a look at an empty index
    if not exists (select from webhook_endpoints where disabled_at is null and deleted_at is null)
        or not exists (
        select from webhook_endpoints as e
        where e.team_id = any (array(select distinct told.team_id from told))
          and e.disabled_at is null and e.deleted_at is null)
    then
        return null;
    end if;
    with made as (
        insert into webhook_deliveries (
            id, webhook_endpoint_id, type, event_id, campaign_job_id, facts, job_id, happened_at)
        select new_key(), e.id, told.kind, told.id, told.campaign_job_id, told.data, new_key(),
            told.created_at
        from told
        join campaign_jobs as j on j.id = told.campaign_job_id
        join webhook_endpoints as e on e.team_id = told.team_id and e.mode = j.mode
        where e.disabled_at is null and e.deleted_at is null and is_webhook_for(e.events, told.kind)
        order by told.id
        returning id
    )
    select array_agg(made.id) from made into v_ids;
    if v_ids is not null then
        perform queue_webhook_deliveries(v_ids);
    end if;
    return null;
end
$$;
create trigger events_are_told after insert on job_events
    referencing new table as told
    for each statement execute function tell_webhook_endpoints();

-- migrate:down
drop trigger events_are_told on job_events;
drop function tell_webhook_endpoints(), is_webhook_for(text[], text), requeue_webhook_deliveries(uuid[]),
    forget_webhook_jobs(uuid[]), queue_webhook_deliveries(uuid[]), new_key();
delete from job_events where campaign_job_id in (select id from campaign_jobs where kind = 'DELIVER_WEBHOOK');
delete from campaign_requests where campaign_job_id in (select id from campaign_jobs where kind = 'DELIVER_WEBHOOK');
delete from campaign_jobs where kind = 'DELIVER_WEBHOOK';
drop table webhook_tries, webhook_deliveries, webhook_endpoints;
drop type webhook_delivery_status;
delete from ad_accounts where platform_type = 'WEBHOOK';
