-- migrate:up
-- The trace that a request belongs to goes with its job.
alter table campaign_requests add column traceparent text;

-- migrate:down
alter table campaign_requests drop column traceparent;
