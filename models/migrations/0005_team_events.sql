-- migrate:up
-- Whoever watches all jobs of a team reads its facts from a number on.
create index events_of_a_team on job_events (team_id, id) where team_id is not null;

-- A figure that changes whenever the job's row or one of its steps is written: versions of rows only grow.
create function job_mark(p_campaign_job_id uuid)
returns bigint
language sql
stable
as $$
    select coalesce((select j.xmin::text::bigint from campaign_jobs as j where j.id = p_campaign_job_id), 0)
        + coalesce((select sum(s.xmin::text::bigint) from job_steps as s
                    where s.campaign_job_id = p_campaign_job_id), 0)
$$;

-- The transactions that may have taken numbers of events and cannot be seen yet: a lock on the table is
-- held from before the first number is taken until after the rows can be seen.
create function job_event_writers()
returns text[]
language sql
volatile
as $$
    select coalesce(array_agg(distinct l.virtualtransaction), '{}') from pg_locks as l
    where l.locktype = 'relation' and l.mode = 'RowExclusiveLock' and l.granted
      and l.relation = 'job_events'::regclass
      and l.database = (select d.oid from pg_database as d where d.datname = current_database())
$$;

-- migrate:down
drop function job_event_writers();
drop function job_mark(uuid);
drop index events_of_a_team;
