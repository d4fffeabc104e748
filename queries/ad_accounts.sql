-- name: ListAccountsForRun :many
-- What workers need of the accounts of jobs that they have claimed, deleted ones included.
select * from ad_accounts where id = any (@ids::uuid[]);

-- name: ThrottleAccount :exec
-- Every worker on every machine leaves the account alone until then.
update ad_accounts
set throttled_until = greatest(throttled_until, now() + make_interval(secs => @delay_seconds::float8))
where id = @id;

-- name: RequireReauthorisation :execrows
-- Only if the credentials that failed are still the account's; 0 rows: they were replaced meanwhile.
update ad_accounts
set status = 'REQUIRES_REAUTH', updated_at = greatest(now(), updated_at + interval '1 microsecond')
where id = @id and credentials_version = @credentials_version
  and status in ('ACTIVE', 'REQUIRES_REAUTH');

-- name: CreateAdAccount :one
insert into ad_accounts (
    id, name, platform_type, platform_account_id, credentials, credentials_key_id,
    credentials_fingerprint, mode, max_running, owner_user_id, team_id, additional_config)
values (
    @id, @name, @platform_type, @platform_account_id, @credentials, @credentials_key_id,
    @credentials_fingerprint, @mode, @max_running, sqlc.narg(owner_user_id), @team_id,
    @additional_config)
returning *;

-- name: GetAdAccount :one
select * from ad_accounts where id = @id and team_id = @team_id and deleted_at is null;

-- name: GetAdAccountByPlatformId :one
select * from ad_accounts
where platform_type = @platform_type and platform_account_id = @platform_account_id
  and team_id = @team_id and deleted_at is null;

-- name: LockAdAccount :one
-- Nobody else changes the account, or makes a job of it, until the transaction ends.
select * from ad_accounts where id = @id and team_id = @team_id and deleted_at is null for update;

-- name: ListAdAccounts :many
-- Newest first; keys are made in the order of time.
select * from ad_accounts
where team_id = @team_id and deleted_at is null
  and (sqlc.narg(before_id)::uuid is null or id < sqlc.narg(before_id)::uuid)
  and (sqlc.narg(platform_type)::text is null or platform_type = sqlc.narg(platform_type)::text)
  and (sqlc.narg(status)::account_status is null or status = sqlc.narg(status)::account_status)
  and (sqlc.narg(mode)::account_mode is null or mode = sqlc.narg(mode)::account_mode)
order by id desc
limit @page_size;

-- name: UpdateAdAccount :one
-- Everything but the credentials. Each version is written at a moment of its own, which is its entity tag.
update ad_accounts
set name = @name, status = @status, max_running = @max_running,
    owner_user_id = sqlc.narg(owner_user_id), additional_config = @additional_config,
    updated_at = greatest(now(), updated_at + interval '1 microsecond')
where id = @id
returning *;

-- name: ReplaceCredentials :one
-- A new version; an account that waited for this becomes active again.
update ad_accounts
set credentials = @credentials, credentials_key_id = @credentials_key_id,
    credentials_fingerprint = @credentials_fingerprint, credentials_updated_at = now(),
    credentials_version = credentials_version + 1,
    status = case when status = 'REQUIRES_REAUTH' then 'ACTIVE'::account_status else status end,
    updated_at = greatest(now(), updated_at + interval '1 microsecond')
where id = @id
returning *;

-- name: DeleteAdAccount :exec
-- The row stays, for the jobs that name it.
update ad_accounts
set deleted_at = now(), updated_at = greatest(now(), updated_at + interval '1 microsecond')
where id = @id;

-- name: ListCredentialsKeyIds :many
-- Ids of the encryption keys that stored credentials need.
select distinct credentials_key_id from ad_accounts;

-- name: ListAdAccountsByIds :many
-- For answers that show accounts beside something else; deleted ones are left out.
select * from ad_accounts
where id = any (@ids::uuid[]) and team_id = @team_id and deleted_at is null;
