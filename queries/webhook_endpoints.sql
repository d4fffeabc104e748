-- name: CreateWebhookEndpoint :one
-- With the account by which the queue knows it; the sealed secret lies there.
with held as (
    insert into ad_accounts (id, name, platform_type, platform_account_id, credentials,
        credentials_key_id, credentials_fingerprint, mode, max_running)
    values (@id::uuid, 'webhook endpoint', 'WEBHOOK', (@id::uuid)::text, @credentials::bytea,
        @credentials_key_id::text, @credentials_fingerprint::text, @mode::account_mode, @max_running::integer)
    returning id
)
insert into webhook_endpoints (id, team_id, mode, url, events)
select held.id, @team_id::uuid, @mode::account_mode, @url::text, @events::text[] from held
returning *;

-- name: CountWebhookEndpoints :one
-- Behind LockTeam: else two who count at one time both add theirs.
select count(*) from webhook_endpoints where team_id = @team_id and deleted_at is null;

-- name: GetWebhookEndpointAt :one
-- Behind LockTeam, as above: which one posts to the address.
select id from webhook_endpoints
where team_id = @team_id and mode = @mode and url = @url and deleted_at is null
order by id
limit 1;

-- name: ListWebhookEndpoints :many
-- Newest first; keys are made in the order of time.
select * from webhook_endpoints
where team_id = @team_id and deleted_at is null
  and (sqlc.narg(before_id)::uuid is null or id < sqlc.narg(before_id)::uuid)
  and (sqlc.narg(mode)::account_mode is null or mode = sqlc.narg(mode)::account_mode)
order by id desc
limit @page_size;

-- name: GetWebhookEndpoint :one
select * from webhook_endpoints where id = @id and team_id = @team_id and deleted_at is null;

-- name: LockWebhookEndpoint :one
-- Nobody else changes it until the transaction ends; events of jobs do not wait for that.
select * from webhook_endpoints where id = @id and team_id = @team_id and deleted_at is null
for no key update;

-- name: UpdateWebhookEndpoint :one
-- Enabling forgets that it has failed, and for how long; so does another address, which has not failed.
with freed as (
    update ad_accounts as a set max_running = @most_at_once::integer
    from webhook_endpoints as before
    where before.id = @id::uuid and a.id = before.id
      and (before.url <> @url::text or (before.disabled_at is not null and @is_enabled::boolean))
)
update webhook_endpoints
set url = @url::text, events = @events, updated_at = now(),
    disabled_at = case when @is_enabled::boolean then null else coalesce(disabled_at, now()) end,
    disabled_reason = case when @is_enabled::boolean then null else coalesce(disabled_reason, 'by_caller') end,
    failing_since = case when url = @url::text and not (@is_enabled::boolean and disabled_at is not null)
        then failing_since end
where webhook_endpoints.id = @id::uuid
returning *;

-- name: DeleteWebhookEndpoint :exec
-- The rows stay for the deliveries that name them; nothing is sent any more.
with gone as (
    update webhook_endpoints set deleted_at = now(), updated_at = now() where id = @id::uuid
)
update ad_accounts set deleted_at = now(), updated_at = now() where id = @id::uuid;

-- name: GetWebhookSecrets :one
-- Sealed, and when they were read.
select credentials, now()::timestamptz as read_at from ad_accounts where id = @id;

-- name: ReplaceWebhookSecrets :one
-- The secret before stays good for a day.
with kept as (
    update ad_accounts
    set credentials = @credentials::bytea, credentials_key_id = @credentials_key_id::text,
        credentials_fingerprint = @credentials_fingerprint::text, credentials_updated_at = now(),
        credentials_version = credentials_version + 1, updated_at = now()
    where id = @id::uuid
)
update webhook_endpoints
set previous_secret_until = now() + interval '24 hours', updated_at = now()
where webhook_endpoints.id = @id::uuid
returning *;

-- name: DisableWebhookEndpoint :one
-- No row: it is disabled already, has another address than the one that did not receive, or nothing was
-- received there for less than so many hours.
update webhook_endpoints
set disabled_at = now(), disabled_reason = @reason, updated_at = now()
where id = @id and disabled_at is null and url = @url
  and (sqlc.narg(failing_hours)::integer is null
       or failing_since < now() - make_interval(hours => sqlc.narg(failing_hours)::integer))
returning *;
