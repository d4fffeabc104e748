-- migrate:up
-- Which database this is, in its own words. A copy of it says the same, and is another one: workers make nothing
-- there. `mojito migrate` writes the row where there is none, `mojito restored` writes it anew.

create table database_identity (
    only_row boolean primary key default true,
    system_identifier bigint,
    database_oid bigint not null,
    written_at timestamptz not null default now(),
    constraint database_identity_is_one_row check (only_row)
);

comment on column database_identity.system_identifier is
    'of the server and its physical standbys; null where the server did not tell it';

-- migrate:down
drop table database_identity;
