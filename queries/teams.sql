-- name: EnsureTeam :one
-- The team of that name, made when it does not exist yet.
insert into teams (id, name) values (@id, @name)
on conflict (name) do update set name = excluded.name
returning *;
