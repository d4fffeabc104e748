-- name: CreateAuditEntry :exec
-- Who did what to which object; hashes of how it looked before and after, never a secret.
insert into audit_log (
    team_id, actor, action, object_type, object_id, request_id, before_hash, after_hash, detail)
values (
    @team_id, @actor, @action, @object_type, @object_id, sqlc.narg(request_id), sqlc.narg(before_hash),
    sqlc.narg(after_hash), @detail);
