-- name: CreateAuditEntry :exec
-- Who did what to which object; hashes of how it looked before and after, never a secret.
insert into audit_log (
    team_id, actor, action, object_type, object_id, request_id, before_hash, after_hash, detail)
values (
    @team_id, @actor, @action, @object_type, @object_id, sqlc.narg(request_id), sqlc.narg(before_hash),
    sqlc.narg(after_hash), @detail);

-- name: LockCredentialReads :exec
-- Until the transaction ends no other one writes down what this actor opened: behind this statement everything
-- is seen that an earlier try has committed, whose answer never came.
select pg_advisory_xact_lock(hashtextextended(@actor::text, 0));

-- name: CreateCredentialReads :exec
-- A worker process opened the credentials of these accounts. Those that have an entry of it behind this number
-- already get no other.
insert into audit_log (team_id, actor, action, object_type, object_id, detail)
select a.team_id, @actor::text, 'ad_account.credentials_read', 'ad_account', a.id,
    jsonb_build_object('credentials_version', a.credentials_version)
from ad_accounts as a
where a.id = any (@ids::uuid[]) and not exists (
    select from audit_log as known
    where known.id > @after_number::bigint and known.actor = @actor::text
      and known.action = 'ad_account.credentials_read' and known.object_id = a.id
);

-- name: GetLastAuditNumber :one
select max(id)::bigint as last from audit_log;

-- name: ListAuditEntries :many
-- In the order of their numbers, of those after one number and up to another: the log may be longer than one
-- statement can look through.
select a.id, a.at, a.team_id, t.name as team, a.actor, a.action, a.object_type, a.object_id, a.request_id,
    a.before_hash, a.after_hash, a.detail
from audit_log as a left join teams as t on t.id = a.team_id
where a.id > @after_id and a.id <= @up_to_id
  and (sqlc.narg(since)::timestamptz is null or a.at >= sqlc.narg(since)::timestamptz)
  and (sqlc.narg(before)::timestamptz is null or a.at < sqlc.narg(before)::timestamptz)
  and a.at < now() - make_interval(secs => @held_back_seconds::float8)
  and (sqlc.narg(team)::text is null or t.name = sqlc.narg(team)::text)
order by a.id
limit @page_size;

-- name: CountHeldBackAuditEntries :one
-- Among the last million: there is no index of times, and no minute has so many.
select count(*) from audit_log
where id > (select max(newest.id) from audit_log as newest) - 1000000
  and at >= now() - make_interval(secs => @held_back_seconds::float8);
