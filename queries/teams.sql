-- name: EnsureTeam :one
-- The team of that name, made when it does not exist yet.
insert into teams (id, name) values (@id, @name)
on conflict (name) do update set name = excluded.name
returning *;

-- name: LockTeam :one
-- Whoever asks for it waits until the transaction ends; rows that belong to the team are made meanwhile.
select id from teams where id = @id for no key update;
