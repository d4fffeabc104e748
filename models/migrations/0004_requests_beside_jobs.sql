-- migrate:up
-- What a caller asked stands beside its job and never changes, so that a move of the job rewrites a
-- narrow row and as few indexes as there can be; and claims cost less.

create table campaign_requests (
    campaign_job_id uuid primary key,
    team_id uuid,
    payload jsonb not null,
    idempotency_key text,
    request_fingerprint bytea,
    requested_by uuid,
    request_id text,
    constraint idempotency_keys_have_a_fingerprint
        check (idempotency_key is null or request_fingerprint is not null)
);
insert into campaign_requests
select id, team_id, payload, idempotency_key, request_fingerprint, requested_by, request_id
from campaign_jobs;
create index campaign_requests_by_team on campaign_requests (team_id, campaign_job_id);
create unique index requests_are_accepted_once_by_team on campaign_requests (team_id, idempotency_key)
    nulls not distinct where idempotency_key is not null;

drop function claim_campaign_jobs(uuid, integer);
drop index campaign_jobs_by_team;
drop index requests_are_accepted_once;
alter table campaign_jobs
    drop constraint idempotency_keys_have_a_fingerprint,
    drop column payload,
    drop column idempotency_key,
    drop column request_fingerprint,
    drop column requested_by,
    drop column request_id;
alter table campaign_jobs reset (toast_tuple_target);

-- One index is enough: events are asked for by job, and their numbers never repeat.
alter table job_events drop constraint job_events_pkey;
drop index job_events_by_job;
alter table job_events add constraint events_are_numbered primary key (campaign_job_id, id);

-- What a worker gets of a job that it has claimed.
create view claimed_jobs as
select j.id, j.team_id, j.kind, j.ad_account_id, j.platform_type, j.status, r.payload, j.claim_token,
    j.rescues, j.waiting_reason, j.waiting_since, r.request_id, j.created_at, j.started_at, j.updated_at,
    a.updated_at as account_updated_at
from campaign_jobs as j
join campaign_requests as r on r.campaign_job_id = j.id
join ad_accounts as a on a.id = j.ad_account_id;

-- Claims take turns under one advisory lock, taken in a statement before the ones that count, so that
-- what an earlier claim committed is seen. The head of the lanes is mostly within the limits of its
-- accounts and is taken as it is. Else a wider head is ranked; and when accounts that are full or
-- throttled fill that, a sweep over the accounts with waiting work follows, from a cursor that each
-- worker rotates. One claim has one token: with the job's id it names the claim of that job.
--
-- While an old snapshot keeps vacuum from taking dead entries away, each look at the head would walk all of
-- them. So a session remembers where it found each lane's first job and begins a second before that; once
-- a second, or after fifty times as long as that takes, it looks from the beginning again, for jobs that
-- became due or were committed behind that place.
create function claim_campaign_jobs(p_worker_id uuid, p_want integer)
returns setof claimed_jobs
language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
set enable_mergejoin = off
set enable_hashjoin = on
set plan_cache_mode = force_generic_plan
set jit = off
as $$
#variable_conflict use_column
declare
    v_look integer := greatest(p_want * 2, 64);
    v_aged integer := floor(p_want / 4.0 + random());
    v_token uuid := gen_random_uuid();
    v_head_is_full boolean := false;
    v_has_choice boolean;
    v_told text := current_setting('mojito.head', true);
    v_head timestamptz[];
    v_is_whole boolean;
    v_began_at timestamptz := clock_timestamp();
    v_picked uuid[];
    v_accounts uuid[];
    v_swept uuid[];
    v_cursor uuid;
begin
    perform pg_advisory_xact_lock(7092417);

    -- four places, and until when they may be trusted
    v_head := case when v_told = '' then null else v_told::timestamptz[] end;
    v_is_whole := v_head is null or v_head[5] < v_began_at;
    if v_is_whole then
        v_head := array_fill('-infinity'::timestamptz, array[5]);
    end if;

    select array_agg(j.id order by j.lane, j.due_at),
        array_agg(j.ad_account_id order by j.lane, j.due_at),
        count(distinct j.lane) > 1 and count(*) > p_want,
        array[
            coalesce(min(j.due_at) filter (where j.lane = 0), now()) - interval '1 second',
            coalesce(min(j.due_at) filter (where j.lane = 1), now()) - interval '1 second',
            coalesce(min(j.due_at) filter (where j.lane = 2), now()) - interval '1 second',
            coalesce(min(j.due_at) filter (where j.lane = 3), now()) - interval '1 second',
            v_head[5]]
    into v_picked, v_accounts, v_has_choice, v_head
    from (values (0), (1), (2), (3)) as lanes (lane)
    cross join lateral (
        select c.id, c.ad_account_id, c.lane, c.due_at from campaign_jobs as c
        where c.lane = lanes.lane and c.claim_token is null
          and c.status in ('PENDING', 'PROCESSING') and c.due_at <= now()
          and c.due_at >= v_head[lanes.lane + 1]
        order by c.due_at limit p_want
    ) as j;
    if v_is_whole then
        v_head[5] := clock_timestamp() + greatest(
            interval '1 second', 50 * (clock_timestamp() - v_began_at));
    end if;
    perform set_config('mojito.head', v_head::text, false);
    if v_picked is null then
        return;
    end if;

    if v_has_choice or exists (
        select 1 from (
            select told.account_id, count(*) as jobs from unnest(v_accounts) as told (account_id)
            group by told.account_id) as wanted
        join ad_accounts as a on a.id = wanted.account_id
        where a.throttled_until > now() or wanted.jobs > a.max_running - (
            select count(*) from campaign_jobs as c
            where c.ad_account_id = a.id and c.claim_token is not null))
    then
        with head as materialized (
            select j.id, j.ad_account_id, j.lane, j.due_at
            from (values (0), (1), (2), (3)) as lanes (lane)
            cross join lateral (
                select c.id, c.ad_account_id, c.lane, c.due_at from campaign_jobs as c
                where c.lane = lanes.lane and c.claim_token is null
                  and c.status in ('PENDING', 'PROCESSING') and c.due_at <= now()
                order by c.due_at limit v_look
            ) as j
        ), rooms as materialized (
            select a.id, a.max_running - (
                select count(*) from campaign_jobs as c
                where c.ad_account_id = a.id and c.claim_token is not null) as room
            from (select distinct ad_account_id from head) as seen
            join ad_accounts as a on a.id = seen.ad_account_id
            where a.throttled_until is null or a.throttled_until <= now()
        ), ranked as (
            select head.id, head.lane, head.due_at, rooms.room,
                row_number() over (partition by head.ad_account_id order by head.lane, head.due_at) as nth
            from head join rooms on rooms.id = head.ad_account_id
        ), ordered as (
            select ranked.id, row_number() over (order by ranked.lane, ranked.due_at) as by_lane,
                row_number() over (order by ranked.due_at) as by_age
            from ranked where ranked.nth <= ranked.room
        ), chosen as (
            select ordered.id from ordered
            order by (ordered.by_age > v_aged), ordered.by_lane limit p_want
        )
        select (select array_agg(chosen.id) from chosen),
            exists (select 1 from head group by head.lane having count(*) = v_look)
        into v_picked, v_head_is_full;
        v_picked := coalesce(v_picked, '{}');
    end if;

    if v_head_is_full and cardinality(v_picked) < p_want then
        v_cursor := coalesce(
            (select w.sweep_cursor from workers as w where w.id = p_worker_id),
            '00000000-0000-0000-0000-000000000000');
        with recursive waiting as (
            (select c.ad_account_id, 1 as nth from campaign_jobs as c
             where c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
               and c.ad_account_id > v_cursor
             order by c.ad_account_id limit 1)
            union all
            select next.ad_account_id, waiting.nth + 1
            from waiting, lateral (
                select c.ad_account_id from campaign_jobs as c
                where c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
                  and c.ad_account_id > waiting.ad_account_id
                order by c.ad_account_id limit 1) as next
            where waiting.nth < 64
        ), rooms as materialized (
            select a.id, a.max_running - (
                select count(*) from campaign_jobs as c
                where c.ad_account_id = a.id and c.claim_token is not null)
              - (select count(*) from campaign_jobs as c
                 where c.id = any (v_picked) and c.ad_account_id = a.id) as room
            from waiting join ad_accounts as a on a.id = waiting.ad_account_id
            where a.throttled_until is null or a.throttled_until <= now()
        ), swept as (
            select due.id from rooms, lateral (
                select found.id from (values (0), (1), (2), (3)) as lanes (lane)
                cross join lateral (
                    select c.id from campaign_jobs as c
                    where c.ad_account_id = rooms.id and c.lane = lanes.lane
                      and c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
                      and c.due_at <= now() and c.id <> all (v_picked)
                    order by c.due_at limit greatest(rooms.room, 0)) as found
                limit greatest(rooms.room, 0)) as due
            limit p_want - cardinality(v_picked)
        )
        select (select array_agg(swept.id) from swept),
            (select case when count(*) < 64 then null else max(waiting.ad_account_id::text) end
             from waiting)::uuid
        into v_swept, v_cursor;
        v_picked := v_picked || coalesce(v_swept, '{}');
        update workers set sweep_cursor = v_cursor where workers.id = p_worker_id;
    end if;

    return query
    -- by key alone: with the conditions of a partial index beside it the planner would walk that index
    with locked as materialized (
        select c.id, c.claim_token, c.status from campaign_jobs as c
        where c.id = any (v_picked)
        for no key update skip locked
    ), claimed as (
        update campaign_jobs as c
        set claim_token = v_token, worker_id = p_worker_id, status = 'PROCESSING',
            lane = 0, started_at = coalesce(c.started_at, now()), updated_at = now()
        where c.id = any (array(
            select locked.id from locked
            where locked.claim_token is null and locked.status in ('PENDING', 'PROCESSING')))
        returning c.id, c.team_id, c.kind, c.ad_account_id, c.platform_type, c.status, c.claim_token,
            c.rescues, c.waiting_reason, c.waiting_since, c.created_at, c.started_at, c.updated_at
    ), told as (
        insert into job_events (campaign_job_id, team_id, kind)
        select claimed.id, claimed.team_id, 'job.started' from claimed
        where claimed.started_at = now()
    )
    select c.id, c.team_id, c.kind, c.ad_account_id, c.platform_type, c.status, r.payload, c.claim_token,
        c.rescues, c.waiting_reason, c.waiting_since, r.request_id, c.created_at, c.started_at,
        c.updated_at, a.updated_at
    from claimed as c
    join campaign_requests as r on r.campaign_job_id = c.id
    join ad_accounts as a on a.id = c.ad_account_id;
end
$$;

-- migrate:down
drop function claim_campaign_jobs(uuid, integer);
drop view claimed_jobs;
alter table job_events drop constraint events_are_numbered;
alter table job_events add constraint job_events_pkey primary key (id);
create index job_events_by_job on job_events (campaign_job_id, id);
alter table campaign_jobs
    add column payload jsonb,
    add column idempotency_key text,
    add column request_fingerprint bytea,
    add column requested_by uuid,
    add column request_id text;
alter table campaign_jobs alter column payload set storage external;
alter table campaign_jobs set (toast_tuple_target = 256);
update campaign_jobs
set payload = r.payload, idempotency_key = r.idempotency_key,
    request_fingerprint = r.request_fingerprint, requested_by = r.requested_by, request_id = r.request_id
from campaign_requests as r where r.campaign_job_id = campaign_jobs.id;
alter table campaign_jobs alter column payload set not null;
alter table campaign_jobs add constraint idempotency_keys_have_a_fingerprint
    check (idempotency_key is null or request_fingerprint is not null);
create index campaign_jobs_by_team on campaign_jobs (team_id, id);
create unique index requests_are_accepted_once on campaign_jobs (team_id, idempotency_key)
    nulls not distinct where idempotency_key is not null;
drop table campaign_requests;

-- Claims take turns under one advisory lock, taken in a statement before the ones that count, so that
-- what an earlier claim committed is seen. First the head of each lane; when accounts that are full or
-- throttled fill it, a sweep over the accounts with waiting work, from a cursor that each worker rotates.
create function claim_campaign_jobs(p_worker_id uuid, p_want integer)
returns setof campaign_jobs
language plpgsql
set enable_seqscan = off
set enable_bitmapscan = off
set enable_mergejoin = off
set enable_hashjoin = on
set plan_cache_mode = force_generic_plan
set jit = off
as $$
#variable_conflict use_column
declare
    v_look integer := greatest(p_want * 2, 64);
    v_aged integer := floor(p_want / 4.0 + random());
    v_head_is_full boolean;
    v_picked uuid[];
    v_swept uuid[];
    v_cursor uuid;
begin
    perform pg_advisory_xact_lock(7092417);

    with head as materialized (
        select j.id, j.ad_account_id, j.lane, j.due_at
        from (values (0), (1), (2), (3)) as lanes (lane)
        cross join lateral (
            select c.id, c.ad_account_id, c.lane, c.due_at from campaign_jobs as c
            where c.lane = lanes.lane and c.claim_token is null
              and c.status in ('PENDING', 'PROCESSING') and c.due_at <= now()
            order by c.due_at limit v_look
        ) as j
    ), rooms as materialized (
        select a.id, a.max_running - (
            select count(*) from campaign_jobs as c
            where c.ad_account_id = a.id and c.claim_token is not null) as room
        from (select distinct ad_account_id from head) as seen
        join ad_accounts as a on a.id = seen.ad_account_id
        where a.throttled_until is null or a.throttled_until <= now()
    ), ranked as (
        select head.id, head.lane, head.due_at, rooms.room,
            row_number() over (partition by head.ad_account_id order by head.lane, head.due_at) as nth
        from head join rooms on rooms.id = head.ad_account_id
    ), ordered as (
        select ranked.id, row_number() over (order by ranked.lane, ranked.due_at) as by_lane,
            row_number() over (order by ranked.due_at) as by_age
        from ranked where ranked.nth <= ranked.room
    ), chosen as (
        select ordered.id from ordered
        order by (ordered.by_age > v_aged), ordered.by_lane limit p_want
    )
    select (select array_agg(chosen.id) from chosen),
        exists (select 1 from head group by head.lane having count(*) = v_look)
    into v_picked, v_head_is_full;
    v_picked := coalesce(v_picked, '{}');

    if v_head_is_full and cardinality(v_picked) < p_want then
        v_cursor := coalesce(
            (select w.sweep_cursor from workers as w where w.id = p_worker_id),
            '00000000-0000-0000-0000-000000000000');
        with recursive waiting as (
            (select c.ad_account_id, 1 as nth from campaign_jobs as c
             where c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
               and c.ad_account_id > v_cursor
             order by c.ad_account_id limit 1)
            union all
            select next.ad_account_id, waiting.nth + 1
            from waiting, lateral (
                select c.ad_account_id from campaign_jobs as c
                where c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
                  and c.ad_account_id > waiting.ad_account_id
                order by c.ad_account_id limit 1) as next
            where waiting.nth < 64
        ), rooms as materialized (
            select a.id, a.max_running - (
                select count(*) from campaign_jobs as c
                where c.ad_account_id = a.id and c.claim_token is not null)
              - (select count(*) from campaign_jobs as c
                 where c.id = any (v_picked) and c.ad_account_id = a.id) as room
            from waiting join ad_accounts as a on a.id = waiting.ad_account_id
            where a.throttled_until is null or a.throttled_until <= now()
        ), swept as (
            select due.id from rooms, lateral (
                select found.id from (values (0), (1), (2), (3)) as lanes (lane)
                cross join lateral (
                    select c.id from campaign_jobs as c
                    where c.ad_account_id = rooms.id and c.lane = lanes.lane
                      and c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
                      and c.due_at <= now() and c.id <> all (v_picked)
                    order by c.due_at limit greatest(rooms.room, 0)) as found
                limit greatest(rooms.room, 0)) as due
            limit p_want - cardinality(v_picked)
        )
        select (select array_agg(swept.id) from swept),
            (select case when count(*) < 64 then null else max(waiting.ad_account_id::text) end
             from waiting)::uuid
        into v_swept, v_cursor;
        v_picked := v_picked || coalesce(v_swept, '{}');
        update workers set sweep_cursor = v_cursor where workers.id = p_worker_id;
    end if;

    return query
    -- by key alone: with the conditions of a partial index beside it the planner would walk that index
    with locked as materialized (
        select c.id, c.claim_token, c.status from campaign_jobs as c
        where c.id = any (v_picked)
        for no key update skip locked
    ), claimed as (
        update campaign_jobs as c
        set claim_token = gen_random_uuid(), worker_id = p_worker_id, status = 'PROCESSING',
            lane = 0, started_at = coalesce(c.started_at, now()), updated_at = now()
        where c.id = any (array(
            select locked.id from locked
            where locked.claim_token is null and locked.status in ('PENDING', 'PROCESSING')))
        returning c.*
    ), told as (
        insert into job_events (campaign_job_id, team_id, kind)
        select claimed.id, claimed.team_id, 'job.started' from claimed
        where claimed.started_at = now()
    )
    select claimed.* from claimed;
end
$$;
