-- migrate:up
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
