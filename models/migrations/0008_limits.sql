-- migrate:up
-- How much of their rate keys and teams have spent. A row that lies in the past means the same as no row.

-- Unlogged: a crash of the server forgives what was spent. Room in the page and no second index, so that
-- taking is a heap-only update.
create unlogged table rate_limits (
    -- of a key, or of a team
    id uuid primary key,
    -- when all that was taken will have grown back
    spent_until timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000);

-- A rate of its own for a key; without one the setting's. A rate of 0: no limit but the team's.
alter table api_keys
    add column rate_per_second float8,
    add column rate_burst integer,
    add constraint rates_are_whole check (
        (rate_per_second is null) = (rate_burst is null) and rate_per_second >= 0 and rate_burst >= 1);

-- Takes up to p_want tokens from all of these buckets together: as many as the emptiest has. Answers how
-- many that were, then what is left in each, broken tokens too. Rows are locked in the order given, for
-- the length of the statement; the clock is read when they are, so nothing grows twice.
create function take_tokens(
    p_ids uuid[], p_rates float8[], p_capacities float8[], p_want integer
) returns float8[] language plpgsql as $$
declare
    v_now timestamptz;
    v_spent timestamptz[] := '{}';
    v_one timestamptz;
    v_left float8[] := '{}';
    v_granted integer := p_want;
begin
    for v_nth in 1 .. cardinality(p_ids) loop
        loop
            select spent_until into v_one from rate_limits where id = p_ids[v_nth] for update;
            exit when found;
            insert into rate_limits (id, spent_until) values (p_ids[v_nth], now()) on conflict do nothing;
        end loop;
        v_spent := v_spent || v_one;
    end loop;

    v_now := clock_timestamp();
    for v_nth in 1 .. cardinality(p_ids) loop
        v_left := v_left || greatest(0, p_capacities[v_nth]
            - greatest(0, extract(epoch from v_spent[v_nth] - v_now)::float8) * p_rates[v_nth]);
        v_granted := least(v_granted, floor(v_left[v_nth])::integer);
    end loop;

    if v_granted > 0 then
        for v_nth in 1 .. cardinality(p_ids) loop
            v_left[v_nth] := v_left[v_nth] - v_granted;
            update rate_limits
            set spent_until = v_now
                + make_interval(secs => (p_capacities[v_nth] - v_left[v_nth]) / p_rates[v_nth])
            where id = p_ids[v_nth];
        end loop;
    end if;
    return array[v_granted::float8] || v_left;
end
$$;

-- migrate:down
alter table api_keys drop constraint rates_are_whole, drop column rate_per_second, drop column rate_burst;
drop function take_tokens(uuid[], float8[], float8[], integer);
drop table rate_limits;
