-- migrate:up
-- Moves of jobs and outcomes of steps cost the server less.

-- What became of a step has room beside its intent: the row stays in its page and no index is written.
alter table job_steps set (fillfactor = 45);

-- A trigger before an update locks each row once more than the update does, whatever its condition; one
-- after it has seen both rows by then, and refuses the same moves.
drop trigger jobs_move_legally on campaign_jobs;
create trigger jobs_move_legally after update of status on campaign_jobs
    for each row when (
        new.status <> old.status and not (
            (old.status = 'PENDING' and new.status in ('PROCESSING', 'CANCELLED'))
            or (old.status = 'PROCESSING'
                and new.status in ('SUCCESS', 'PARTIAL_SUCCESS', 'FAILED', 'CANCELLED'))
            or (old.status in ('FAILED', 'PARTIAL_SUCCESS', 'CANCELLED') and new.status = 'PENDING')
        ))
    execute function refuse_illegal_move();

-- migrate:down
-- all of them, in the order in which they stood
alter table job_steps
    reset (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold),
    set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
drop trigger jobs_move_legally on campaign_jobs;
create trigger jobs_move_legally before update of status on campaign_jobs
    for each row when (
        new.status <> old.status and not (
            (old.status = 'PENDING' and new.status in ('PROCESSING', 'CANCELLED'))
            or (old.status = 'PROCESSING'
                and new.status in ('SUCCESS', 'PARTIAL_SUCCESS', 'FAILED', 'CANCELLED'))
            or (old.status in ('FAILED', 'PARTIAL_SUCCESS', 'CANCELLED') and new.status = 'PENDING')
        ))
    execute function refuse_illegal_move();
