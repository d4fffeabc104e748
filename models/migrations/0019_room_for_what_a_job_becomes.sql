-- migrate:up
-- A job is written again when it is claimed and when it ends, each time with a new entry in its key's index.
-- Where a page is full a new one must be found, locked and logged beside it: a seventh of what claims and
-- ends cost. Rows and entries of new jobs get room for both beside them; those that are there stay as they are.
alter table campaign_jobs set (fillfactor = 45);
alter index campaign_jobs_pkey set (fillfactor = 40);

-- migrate:down
alter index campaign_jobs_pkey reset (fillfactor);
-- all of them, in the order in which they stood
alter table campaign_jobs
    reset (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold),
    set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
