-- name: TakeTokens :one
-- How many of the wanted tokens every bucket had, then what is left in each of them.
select take_tokens(@ids::uuid[], @rates::float8[], @capacities::float8[], @want::integer)::float8[] as told;

-- name: MendTokens :exec
-- After the clock of the database was set back: no bucket is emptier than empty.
with asked as materialized (
    select unnest(@ids::uuid[]) as id, unnest(@full_seconds::float8[]) as full_seconds
)
update rate_limits as r
set spent_until = clock_timestamp() + make_interval(secs => asked.full_seconds)
from asked
where r.id = asked.id
  and r.spent_until > clock_timestamp() + make_interval(secs => asked.full_seconds + 1);

-- name: DeleteIdleRateLimits :execrows
-- Buckets that are full again, in a small batch.
delete from rate_limits
where id = any (array(
    select r.id from rate_limits as r where r.spent_until < now() order by r.spent_until limit 1000
    for update skip locked))
  and spent_until < now();
