-- migrate:up
-- A claim counts what its accounts have in one walk, and a large one does not look at requests at all.

-- Claims take turns under one advisory lock, taken in a statement before the ones that count, so that
-- what an earlier claim committed is seen. The head of the lanes is mostly within the limits of its
-- accounts and is taken as it is. Else a wider head is ranked; and when accounts that are full or
-- throttled fill that, a sweep over the accounts with waiting work follows, from a cursor that each
-- worker rotates: it stands at the last account that was served, and begins again after the end. A quarter
-- of the places of a batch, and the places of accounts in a quarter of the claims, go by age alone. One
-- claim has one token: with the job's id it names the claim of that job.
--
-- The answer is sent before the lock is let go, and a worker that is busy does not read what exceeds its
-- socket's buffer: every other claim would wait for it. So payloads go along as long as all of them are
-- small beside that buffer; the worker asks for the others afterwards, and with them for the ids of the
-- requests.
--
-- While an old snapshot keeps vacuum from taking dead entries away, each look at the head would walk all of
-- them. So a session remembers where it found each lane's first job and begins a second before that; once
-- a second, or after fifty times as long as that takes, it looks from the beginning again, for jobs that
-- became due or were committed behind that place.
create or replace function claim_campaign_jobs(
    p_worker_id uuid, p_want integer, p_payload_bytes bigint default 9223372036854775807)
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
    v_by_age boolean := random() < 0.25;
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
    v_last uuid;
    v_cursor uuid;
    v_is_from_start boolean;
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
        -- what these accounts would have then; one walk through the index, not a search for each of them
        select from (
            select taken.account_id, count(*) as jobs from (
                select unnest(v_accounts) as account_id
                union all
                select c.ad_account_id from campaign_jobs as c
                where c.ad_account_id = any (v_accounts) and c.claim_token is not null
            ) as taken group by taken.account_id
        ) as busy
        join ad_accounts as a on a.id = busy.account_id
        where a.throttled_until > now() or busy.jobs > a.max_running)
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
                row_number() over (partition by head.ad_account_id
                    order by case when v_by_age then 0 else head.lane end, head.due_at) as nth
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
        loop
            v_is_from_start := v_cursor = '00000000-0000-0000-0000-000000000000';
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
                order by a.id
            ), swept as (
                select due.id, rooms.id as account_id from rooms, lateral (
                    select found.id from (values (0), (1), (2), (3)) as lanes (lane)
                    cross join lateral (
                        select c.id, c.due_at from campaign_jobs as c
                        where c.ad_account_id = rooms.id and c.lane = lanes.lane
                          and c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
                          and c.due_at <= now() and c.id <> all (v_picked)
                        order by c.due_at limit greatest(rooms.room, 0)) as found
                    order by case when v_by_age then 0 else lanes.lane end, found.due_at
                    limit greatest(rooms.room, 0)) as due
                limit p_want - cardinality(v_picked)
            )
            select (select array_agg(swept.id) from swept),
                (select max(swept.account_id::text) from swept)::uuid,
                (select case when count(*) < 64 then null else max(waiting.ad_account_id::text) end
                 from waiting)::uuid
            into v_swept, v_last, v_cursor;
            v_picked := v_picked || coalesce(v_swept, '{}');
            if cardinality(v_picked) >= p_want then
                -- those behind the last one that was served are next
                v_cursor := v_last;
                exit;
            end if;
            exit when v_cursor is not null or v_is_from_start;
            v_cursor := '00000000-0000-0000-0000-000000000000';
        end loop;
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
    select c.id, c.team_id, c.kind, c.ad_account_id, c.platform_type, c.status,
        case when pg_column_size(r.payload)::bigint * cardinality(v_picked) <= p_payload_bytes
             then r.payload end,
        c.claim_token,
        c.rescues, c.waiting_reason, c.waiting_since, r.request_id, c.created_at, c.started_at,
        c.updated_at, a.updated_at, r.traceparent
    from claimed as c
    left join lateral (
        -- when even small payloads would be too many bytes nothing of the requests is looked at
        select q.payload, q.request_id, q.traceparent from campaign_requests as q
        where q.campaign_job_id = c.id
        -- a condition would be looked at behind the row
        limit case when p_payload_bytes / cardinality(v_picked) >= 512 then 1 else 0 end
    ) as r on true
    join ad_accounts as a on a.id = c.ad_account_id;
end
$$;

-- migrate:down
-- Claims take turns under one advisory lock, taken in a statement before the ones that count, so that
-- what an earlier claim committed is seen. The head of the lanes is mostly within the limits of its
-- accounts and is taken as it is. Else a wider head is ranked; and when accounts that are full or
-- throttled fill that, a sweep over the accounts with waiting work follows, from a cursor that each
-- worker rotates: it stands at the last account that was served, and begins again after the end. A quarter
-- of the places of a batch, and the places of accounts in a quarter of the claims, go by age alone. One
-- claim has one token: with the job's id it names the claim of that job.
--
-- The answer is sent before the lock is let go, and a worker that is busy does not read what exceeds its
-- socket's buffer: every other claim would wait for it. So payloads go along as long as all of them are
-- small beside that buffer; the worker asks for the others afterwards, and with them for the ids of the
-- requests.
--
-- While an old snapshot keeps vacuum from taking dead entries away, each look at the head would walk all of
-- them. So a session remembers where it found each lane's first job and begins a second before that; once
-- a second, or after fifty times as long as that takes, it looks from the beginning again, for jobs that
-- became due or were committed behind that place.
create or replace function claim_campaign_jobs(
    p_worker_id uuid, p_want integer, p_payload_bytes bigint default 9223372036854775807)
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
    v_by_age boolean := random() < 0.25;
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
    v_last uuid;
    v_cursor uuid;
    v_is_from_start boolean;
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
                row_number() over (partition by head.ad_account_id
                    order by case when v_by_age then 0 else head.lane end, head.due_at) as nth
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
        loop
            v_is_from_start := v_cursor = '00000000-0000-0000-0000-000000000000';
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
                order by a.id
            ), swept as (
                select due.id, rooms.id as account_id from rooms, lateral (
                    select found.id from (values (0), (1), (2), (3)) as lanes (lane)
                    cross join lateral (
                        select c.id, c.due_at from campaign_jobs as c
                        where c.ad_account_id = rooms.id and c.lane = lanes.lane
                          and c.claim_token is null and c.status in ('PENDING', 'PROCESSING')
                          and c.due_at <= now() and c.id <> all (v_picked)
                        order by c.due_at limit greatest(rooms.room, 0)) as found
                    order by case when v_by_age then 0 else lanes.lane end, found.due_at
                    limit greatest(rooms.room, 0)) as due
                limit p_want - cardinality(v_picked)
            )
            select (select array_agg(swept.id) from swept),
                (select max(swept.account_id::text) from swept)::uuid,
                (select case when count(*) < 64 then null else max(waiting.ad_account_id::text) end
                 from waiting)::uuid
            into v_swept, v_last, v_cursor;
            v_picked := v_picked || coalesce(v_swept, '{}');
            if cardinality(v_picked) >= p_want then
                -- those behind the last one that was served are next
                v_cursor := v_last;
                exit;
            end if;
            exit when v_cursor is not null or v_is_from_start;
            v_cursor := '00000000-0000-0000-0000-000000000000';
        end loop;
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
    select c.id, c.team_id, c.kind, c.ad_account_id, c.platform_type, c.status,
        case when pg_column_size(r.payload)::bigint * cardinality(v_picked) <= p_payload_bytes
             then r.payload end,
        c.claim_token,
        c.rescues, c.waiting_reason, c.waiting_since, r.request_id, c.created_at, c.started_at,
        c.updated_at, a.updated_at, r.traceparent
    from claimed as c
    left join lateral (
        -- when even small payloads would be too many bytes nothing of the requests is looked at
        select q.payload, q.request_id, q.traceparent from campaign_requests as q
        where q.campaign_job_id = c.id and p_payload_bytes / cardinality(v_picked) >= 512
    ) as r on true
    join ad_accounts as a on a.id = c.ad_account_id;
end
$$;
