-- name: TakeTokens :one
-- How many of the wanted tokens every bucket had, then what is left in each of them.
select take_tokens(@ids::uuid[], @rates::float8[], @capacities::float8[], @want::integer)::float8[] as told;

-- name: DeleteIdleRateLimits :execrows
-- Buckets that are full again, in a small batch.
delete from rate_limits
where id = any (array(
    select r.id from rate_limits as r where r.spent_until < now() order by r.spent_until limit 1000
    for update skip locked))
  and spent_until < now();
