-- name: CreateMediaAsset :one
insert into media_assets (
    id, team_id, kind, content_type, size_bytes, sha256, width, height, duration_seconds, file_name,
    origin, origin_url, storage_key)
values (
    @id, sqlc.narg(team_id), @kind, @content_type, @size_bytes, @sha256, sqlc.narg(width),
    sqlc.narg(height), sqlc.narg(duration_seconds), sqlc.narg(file_name), @origin,
    sqlc.narg(origin_url), @storage_key)
returning *;

-- name: GetMediaAsset :one
-- Of this team alone; a job without a team finds assets without one.
select * from media_assets
where id = @id and team_id is not distinct from sqlc.narg(team_id) and deleted_at is null;

-- name: GetLastAssetToLookAt :one
-- Of those that a filtered page looks at, newest first, so many of which come before it. No row: there are
-- not so many.
select id from media_assets
where team_id = @team_id::uuid
  and id < coalesce(sqlc.narg(before_id)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
order by id desc
limit 1 offset @before_it::integer;

-- name: ListMediaAssets :many
-- Newest first; keys are made in the order of time. `from_id` is the last that is looked at.
select * from media_assets
where team_id = @team_id::uuid and deleted_at is null
  and id < coalesce(sqlc.narg(before_id)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  and id >= coalesce(sqlc.narg(from_id)::uuid, '00000000-0000-0000-0000-000000000000')
  and (sqlc.narg(kind)::text is null or kind = sqlc.narg(kind)::text)
  and (sqlc.narg(sha256)::bytea is null or sha256 = sqlc.narg(sha256)::bytea)
order by id desc
limit @page_size;

-- name: ListKindsOfAssets :many
-- Which of these assets the team has, and what each of them is.
select id, kind, content_type, size_bytes from media_assets
where id = any (@ids::uuid[]) and team_id = @team_id::uuid and deleted_at is null;
