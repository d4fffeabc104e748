-- name: GetDatabaseIdentity :one
-- Which database this one says that it is. No row: nobody has written it yet.
select system_identifier, database_oid from database_identity;

-- name: CreateDatabaseIdentity :execrows
-- Unless there is one: that of a copy tells that it is a copy.
insert into database_identity (system_identifier, database_oid)
values (sqlc.narg(system_identifier)::bigint, @database_oid)
on conflict (only_row) do nothing;

-- name: WriteDatabaseIdentity :exec
-- From now on workers work here.
insert into database_identity (system_identifier, database_oid)
values (sqlc.narg(system_identifier)::bigint, @database_oid)
on conflict (only_row) do update
set system_identifier = excluded.system_identifier, database_oid = excluded.database_oid, written_at = now();
