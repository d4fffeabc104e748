-- migrate:up
-- Who may call, and the ad accounts that we hold credentials for.

create type account_status as enum ('ACTIVE', 'INACTIVE', 'REQUIRES_REAUTH', 'SUSPENDED');
create type account_mode as enum ('live', 'sandbox');

create table teams (
    id uuid primary key,
    name text not null,
    created_at timestamptz not null default now(),
    constraint teams_have_one_name_each unique (name)
);

create table api_keys (
    id uuid primary key,
    team_id uuid not null references teams (id),
    name text not null,
    -- SHA-256 of the whole key; a key has more than 128 random bits, so a slow hash would add nothing
    key_hash bytea not null,
    -- the first characters, so that a person can tell keys apart
    key_prefix text not null,
    mode account_mode not null,
    scopes text[] not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    constraint api_keys_are_unique unique (key_hash)
);

create table ad_accounts (
    id uuid primary key,
    name text not null,
    -- text that the registry of platforms knows, so that a new platform needs no migration
    platform_type text not null,
    platform_account_id text not null,
    credentials bytea not null,
    credentials_key_id text not null,
    credentials_version integer not null default 1,
    credentials_fingerprint text not null,
    credentials_updated_at timestamptz not null default now(),
    status account_status not null default 'ACTIVE',
    mode account_mode not null,
    max_running integer not null default 4,
    throttled_until timestamptz,
    owner_user_id uuid,
    team_id uuid references teams (id),
    additional_config jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint accounts_run_at_least_one_job check (max_running > 0)
);
create unique index ad_accounts_are_held_once on ad_accounts (platform_type, platform_account_id, team_id)
    nulls not distinct where deleted_at is null;
create index ad_accounts_by_team on ad_accounts (team_id, id);

create table media_assets (
    id uuid primary key,
    team_id uuid references teams (id),
    kind text not null,
    content_type text not null,
    size_bytes bigint not null,
    sha256 bytea not null,
    width integer,
    height integer,
    duration_seconds double precision,
    file_name text,
    -- where it came from: 'upload', 'url' or 'generated', and its address where there is one
    origin text not null,
    origin_url text,
    storage_key text not null,
    created_at timestamptz not null default now(),
    deleted_at timestamptz
);
create index media_assets_by_team on media_assets (team_id, id);

create table audit_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    team_id uuid,
    actor text not null,
    action text not null,
    object_type text not null,
    object_id uuid,
    request_id text,
    before_hash bytea,
    after_hash bytea,
    detail jsonb not null default '{}'
);

create function refuse_change_of_history() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger audit_log_is_append_only before update or delete on audit_log
    for each row execute function refuse_change_of_history();

-- migrate:down
drop table audit_log, media_assets, ad_accounts, api_keys, teams;
drop function refuse_change_of_history();
drop type account_mode, account_status;
