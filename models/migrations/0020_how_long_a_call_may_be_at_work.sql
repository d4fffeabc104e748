-- migrate:up
-- Whoever looks for what a call may have made waits as long as that call was given, not as it would give its own.
-- What a worker of before begins, or has begun, does not say it: ten minutes are longer than anybody's calls take.
alter table job_steps add column call_seconds integer not null default 600;

-- migrate:down
alter table job_steps drop column call_seconds;
