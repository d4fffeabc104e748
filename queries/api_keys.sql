-- name: CreateApiKey :one
insert into api_keys (id, team_id, name, key_hash, key_prefix, mode, scopes, expires_at, rate_per_second,
    rate_burst)
values (@id, @team_id, @name, @key_hash, @key_prefix, @mode, @scopes, sqlc.narg(expires_at),
    sqlc.narg(rate_per_second), sqlc.narg(rate_burst))
returning *;

-- name: GetApiKeyByHash :one
-- Only a key that has not been revoked.
select * from api_keys where key_hash = @key_hash and revoked_at is null;

-- name: ListApiKeys :many
-- Oldest first, revoked ones included.
select api_keys.id, api_keys.name, teams.name as team, api_keys.key_prefix, api_keys.mode, api_keys.scopes,
    api_keys.created_at, api_keys.expires_at, api_keys.revoked_at, api_keys.rate_per_second, api_keys.rate_burst
from api_keys join teams on teams.id = api_keys.team_id
where sqlc.narg(team)::text is null or teams.name = sqlc.narg(team)::text
order by api_keys.id;

-- name: GetUsableApiKey :one
-- A key as its holder may see it. No row: it was revoked or is over.
select api_keys.id, api_keys.name, api_keys.team_id, teams.name as team, api_keys.key_prefix, api_keys.mode,
    api_keys.scopes, api_keys.created_at, api_keys.expires_at
from api_keys join teams on teams.id = api_keys.team_id
where api_keys.id = @id and revoked_at is null and (expires_at is null or expires_at > now());

-- name: RevokeApiKey :one
-- Whose key it was. No row: there is no such key, or it was revoked before.
update api_keys set revoked_at = now() where id = @id and revoked_at is null
returning team_id;

-- name: ListUsableApiKeys :many
-- Which of these keys are neither revoked nor expired.
select id from api_keys
where id = any (@ids::uuid[]) and revoked_at is null and (expires_at is null or expires_at > now());
