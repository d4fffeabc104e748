-- One batch of 500 no-op jobs: a durable claim that hands over the payload, and a durable completion.
\set number random(1, 9223372036854775807)
with picked as materialized (
    select id from jobs where status = 'PENDING' and due_at <= now()
    order by due_at limit 500 for update skip locked
), claimed as (
    update jobs
    set status = 'PROCESSING', claim_token = lpad(to_hex(:number::bigint), 32, '0')::uuid
    where id = any (array(select id from picked))
    returning id, payload
)
select coalesce(array_agg(id), '{}')::text as ids, string_agg(payload::text, '') as payloads
from claimed \gset
update jobs set status = 'SUCCESS', finished_at = now()
where id = any (:ids::uuid[]) and claim_token = lpad(to_hex(:number::bigint), 32, '0')::uuid;
