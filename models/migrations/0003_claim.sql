-- migrate:up
-- Claiming: exact account limits, lanes, fairness by age, one possible plan.

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

-- migrate:down
drop function claim_campaign_jobs(uuid, integer);
