-- migrate:up
-- The audit log covers every request for a campaign and every read of credentials; nothing of it can be
-- changed, and only what is old can go, by one function.

-- A message to a webhook endpoint travels as a job, too; nobody asked for a campaign by it.
create function audit_requests() returns trigger language plpgsql as $$
begin
    insert into audit_log (
        team_id, actor, action, object_type, object_id, request_id, after_hash)
    select r.team_id, coalesce('api_key:' || r.requested_by, 'unknown'), 'campaign_job.created',
        'campaign_job', r.campaign_job_id, r.request_id,
        coalesce(r.request_fingerprint, sha256(convert_to(r.payload::text, 'UTF8')))
    from written as r
    where not (r.team_id is null and r.requested_by is null and r.payload ? 'webhook_delivery_id');
    return null;
end
$$;
-- by statement: requests that are written together cost one call
create trigger requests_are_audited after insert on campaign_requests
    referencing new table as written for each statement execute function audit_requests();

-- Whatever anybody sets or calls, thirty days of history stay.
create or replace function refuse_change_of_history() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and current_setting('mojito.forgets_history', true) = 'on' then
        if old.at < now() - interval '30 days' then
            return old;
        end if;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger audit_log_is_not_truncated before truncate on audit_log
    for each statement execute function refuse_change_of_history();

-- The one way to let old history go, in small batches from its beginning. Runs with its owner's rights, so
-- that a role which may only insert and select can be given this and nothing more.
create function forget_audit_entries(p_older_than_days float8, p_most integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    v_gone integer;
begin
    perform set_config('mojito.forgets_history', 'on', true);
    delete from audit_log where id in (
        select oldest.id from (select a.id, a.at from audit_log as a order by a.id limit p_most) as oldest
        where oldest.at < now() - make_interval(secs => greatest(p_older_than_days, 30) * 86400));
    get diagnostics v_gone = row_count;
    perform set_config('mojito.forgets_history', '', true);
    return v_gone;
end
$$;
revoke all on function forget_audit_entries(float8, integer) from public;

-- The least id that a job made so many days ago can have: the first 48 bits of an id are its time.
create function oldest_kept_id(p_days float8) returns uuid language sql stable as $$
    select (lpad(to_hex(((extract(epoch from now()) - p_days * 86400) * 1000)::bigint), 12, '0')
        || repeat('0', 20))::uuid
$$;

-- migrate:down
drop function oldest_kept_id(float8);
drop function forget_audit_entries(float8, integer);
drop trigger audit_log_is_not_truncated on audit_log;
create or replace function refuse_change_of_history() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;
drop trigger requests_are_audited on campaign_requests;
drop function audit_requests();
