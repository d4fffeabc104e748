-- Fifty jobs of four steps: the intent of each step is durable before its outcome, which is durable too.
select array_agg(gen_random_uuid())::text as ids from generate_series(1, 50) \gset
insert into steps (job_id, name, status) select unnest(:ids::uuid[]), 'step[0]', 'RUNNING';
update steps set status = 'DONE', outcome = '{"id": "1"}', finished_at = now()
where job_id = any (:ids::uuid[]) and name = 'step[0]';
insert into steps (job_id, name, status) select unnest(:ids::uuid[]), 'step[1]', 'RUNNING';
update steps set status = 'DONE', outcome = '{"id": "1"}', finished_at = now()
where job_id = any (:ids::uuid[]) and name = 'step[1]';
insert into steps (job_id, name, status) select unnest(:ids::uuid[]), 'step[2]', 'RUNNING';
update steps set status = 'DONE', outcome = '{"id": "1"}', finished_at = now()
where job_id = any (:ids::uuid[]) and name = 'step[2]';
insert into steps (job_id, name, status) select unnest(:ids::uuid[]), 'step[3]', 'RUNNING';
update steps set status = 'DONE', outcome = '{"id": "1"}', finished_at = now()
where job_id = any (:ids::uuid[]) and name = 'step[3]';
