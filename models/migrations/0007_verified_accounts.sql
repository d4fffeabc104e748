-- migrate:up
-- What the platform itself told of an account when its credentials were last verified.

alter table ad_accounts
    add column verified_at timestamptz,
    add column token_expires_at timestamptz,
    add column data_access_expires_at timestamptz,
    add column currency text,
    add column timezone_name text,
    -- in the smallest unit of the currency, by what is paid for
    add column minimum_budgets jsonb;

-- migrate:down
alter table ad_accounts
    drop column verified_at,
    drop column token_expires_at,
    drop column data_access_expires_at,
    drop column currency,
    drop column timezone_name,
    drop column minimum_budgets;
