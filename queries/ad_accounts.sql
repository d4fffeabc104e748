-- name: ListAccountsForRun :many
-- What workers need of the accounts of jobs that they have claimed, deleted ones included.
select * from ad_accounts where id = any (@ids::uuid[]);

-- name: ListNewestAccounts :many
-- Those whose jobs are likely to come next; keys are made in the order of time.
select * from ad_accounts where deleted_at is null order by id desc limit @most::integer;

-- name: ThrottleAccount :exec
-- Every worker on every machine leaves the account alone until then.
update ad_accounts
set throttled_until = greatest(throttled_until, now() + make_interval(secs => @delay_seconds::float8))
where id = @id;

-- name: LockAccountOfJob :one
-- Nobody else changes the account until the transaction ends.
select * from ad_accounts where id = @id for no key update;

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

-- name: KeepAdAccount :one
-- Nobody changes or removes the account until the transaction ends, which others may share.
select * from ad_accounts where id = @id and team_id = @team_id and deleted_at is null for key share;

-- name: GetLastAccountToLookAt :one
-- Of those that a filtered page looks at, newest first, so many of which come before it. No row: there are
-- not so many.
select id from ad_accounts
where team_id = @team_id::uuid
  and id < coalesce(sqlc.narg(before_id)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
order by id desc
limit 1 offset @before_it::integer;

-- name: ListAdAccounts :many
-- Newest first; keys are made in the order of time. `from_id` is the last that is looked at.
select * from ad_accounts
where team_id = @team_id::uuid and deleted_at is null
  and id < coalesce(sqlc.narg(before_id)::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  and id >= coalesce(sqlc.narg(from_id)::uuid, '00000000-0000-0000-0000-000000000000')
  and (sqlc.narg(platform_type)::text is null or platform_type = sqlc.narg(platform_type)::text)
  and (sqlc.narg(status)::account_status is null or status = sqlc.narg(status)::account_status)
  and (sqlc.narg(mode)::account_mode is null or mode = sqlc.narg(mode)::account_mode)
  and (sqlc.narg(owner_user_id)::uuid is null or owner_user_id = sqlc.narg(owner_user_id)::uuid)
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
    -- of these credentials nothing is known yet; what was learnt of the account itself stays
    verified_at = null, token_expires_at = null, data_access_expires_at = null,
    updated_at = greatest(now(), updated_at + interval '1 microsecond')
where id = @id
returning *;

-- name: KeepVerification :one
-- What was learnt with credentials that still are the account's. One that waited for a working token
-- becomes active again, under a new version: refusals of before, still on their way, no longer count.
-- What could not be learnt this time stays as it was known.
update ad_accounts
set status = case when status = 'REQUIRES_REAUTH' and @is_well::boolean then 'ACTIVE'::account_status
        else status end,
    credentials_version = credentials_version
        + case when status = 'REQUIRES_REAUTH' and @is_well::boolean then 1 else 0 end,
    verified_at = now(), token_expires_at = sqlc.narg(token_expires_at),
    data_access_expires_at = sqlc.narg(data_access_expires_at),
    currency = coalesce(sqlc.narg(currency)::text, currency),
    timezone_name = coalesce(sqlc.narg(timezone_name)::text, timezone_name),
    minimum_budgets = coalesce(sqlc.narg(minimum_budgets)::jsonb, minimum_budgets),
    updated_at = greatest(now(), updated_at + interval '1 microsecond')
where id = @id
returning *;

-- name: KeepLeastBudgets :exec
-- What a worker was told before it made anything, with credentials that still are the account's; what
-- verifying has told meanwhile stays.
update ad_accounts
set currency = coalesce(sqlc.narg(currency)::text, currency), minimum_budgets = @minimum_budgets::jsonb,
    updated_at = greatest(now(), updated_at + interval '1 microsecond')
where id = @id and credentials_version = @credentials_version and minimum_budgets is null;

-- name: ListAccountsOfTeams :many
-- For those who run the installation: of every team, or of one; oldest first.
select a.id, t.name as team, a.name, a.platform_type, a.platform_account_id, a.mode, a.status,
    a.currency, a.verified_at, a.token_expires_at, a.created_at
from ad_accounts as a join teams as t on t.id = a.team_id
where a.deleted_at is null and (sqlc.narg(team)::text is null or t.name = sqlc.narg(team)::text)
order by a.id;

-- name: DeleteAdAccount :exec
-- The row stays, for the jobs that name it.
update ad_accounts
set deleted_at = now(), updated_at = greatest(now(), updated_at + interval '1 microsecond')
where id = @id;

-- name: ListAdAccountsByIds :many
-- For answers that show accounts beside something else; deleted ones are left out.
select * from ad_accounts
where id = any (@ids::uuid[]) and team_id = @team_id and deleted_at is null;
