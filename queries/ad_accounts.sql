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
update ad_accounts set status = 'REQUIRES_REAUTH', updated_at = now()
where id = @id and credentials_version = @credentials_version
  and status in ('ACTIVE', 'REQUIRES_REAUTH');
