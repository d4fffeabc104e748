-- migrate:up
-- A message to a webhook endpoint travels as a job. Nobody asked for a campaign by it, so it is no entry of
-- the audit log, where it stood as a campaign_job.created of nobody.

create or replace function audit_requests() returns trigger language plpgsql as $$
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

-- migrate:down
create or replace function audit_requests() returns trigger language plpgsql as $$
begin
    insert into audit_log (
        team_id, actor, action, object_type, object_id, request_id, after_hash)
    select r.team_id, coalesce('api_key:' || r.requested_by, 'unknown'), 'campaign_job.created',
        'campaign_job', r.campaign_job_id, r.request_id,
        coalesce(r.request_fingerprint, sha256(convert_to(r.payload::text, 'UTF8')))
    from written as r;
    return null;
end
$$;
