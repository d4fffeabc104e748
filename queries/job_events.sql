-- name: ListEventsAfter :many
-- The facts of one job in order, after the one with this number.
select * from job_events
where campaign_job_id = @campaign_job_id and id > @after_id
order by id
limit @page_size;
