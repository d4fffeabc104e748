-- Two roles with least rights. Run as a superuser in Mojito's own database, or, where a server's provider gives
-- nobody such, as the database's owner with CREATEROLE (who becomes a member of mojito_owner):
--   psql "$ADMIN_URL" -v ON_ERROR_STOP=1 -f roles.sql
-- mojito_owner runs `mojito migrate` and nothing else; mojito_app is what API, workers and commands use.
-- May be run again at any time; what mojito_owner makes later is granted by itself.

begin;

do $$
begin
    if to_regrole('mojito_owner') is null then
        create role mojito_owner login;
    end if;
    if to_regrole('mojito_app') is null then
        create role mojito_app login;
    end if;
    -- an administrator who is no superuser can give tables to the owner only as its member
    if not pg_has_role(current_user, 'mojito_owner', 'usage') then
        execute format('grant mojito_owner to %I', current_user);
    end if;
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect, temporary on database %I to mojito_owner', current_database());
    execute format('grant connect on database %I to mojito_app', current_database());
end
$$;

revoke all on schema public from public;
grant usage, create on schema public to mojito_owner;
grant usage on schema public to mojito_app;

-- What is there already, in a database that was migrated by another role: it becomes the owner's.
do $$
declare
    v_statement text;
begin
    for v_statement in
        select format('alter %s %s owner to mojito_owner',
            case c.relkind when 'v' then 'view' when 'S' then 'sequence' else 'table' end, c.oid::regclass)
        from pg_class as c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'S')
          -- a sequence of an identity column goes with its table
          and not exists (select from pg_depend as d where d.objid = c.oid and d.deptype = 'i')
        union all
        select format('alter routine %s owner to mojito_owner', p.oid::regprocedure)
        from pg_proc as p
        where p.pronamespace = 'public'::regnamespace
          and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')
        union all
        select format('alter type %s owner to mojito_owner', t.oid::regtype)
        from pg_type as t
        where t.typnamespace = 'public'::regnamespace and t.typtype = 'e'
    loop
        execute v_statement;
    end loop;
end
$$;

grant select, insert, update, delete on all tables in schema public to mojito_app;
alter default privileges for role mojito_owner in schema public
    grant select, insert, update, delete on tables to mojito_app;
-- streams read the last number that an event was given; without this they stay silent
grant usage, select on all sequences in schema public to mojito_app;
alter default privileges for role mojito_owner in schema public
    grant usage, select on sequences to mojito_app;

-- Which server this is: open to everybody unless somebody has closed it, and only a superuser may open it again.
do $$
declare
    v_role text;
begin
    foreach v_role in array array['mojito_owner', 'mojito_app'] loop
        if not has_function_privilege(v_role, 'pg_control_system()', 'execute')
            and (select rolsuper from pg_roles where rolname = current_user)
        then
            execute format('grant execute on function pg_control_system() to %I', v_role);
        end if;
    end loop;
end
$$;

-- Functions are open to everybody unless a migration closes them; this one is, and retention needs it.
do $$
begin
    if to_regclass('audit_log') is not null then
        revoke update, delete on audit_log from mojito_app;
        grant execute on function forget_audit_entries(float8, integer) to mojito_app;
        revoke insert, update, delete on schema_migrations from mojito_app;
    end if;
end
$$;

commit;
