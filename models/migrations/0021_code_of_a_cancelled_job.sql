-- migrate:up
-- What a job that is cancelled tells as its code, read in the progress of its activation as `models/activation.py`
-- does. A function, so that ends of all other jobs cost no plan of it; volatile, so that whoever waited for the job
-- sees what its worker has written meanwhile.
create function code_of_cancelled_job(p_campaign_job_id uuid) returns text language plpgsql volatile as $$
begin
    return (
        select case
            when s.status = 'DONE' then 'campaign_active'
            when s.status = 'IN_DOUBT' or case
                when s.outcome @> '{"campaign_asked": false}'
                    then s.outcome ->> 'taken_back_by' is distinct from s.claim_token::text
                when s.outcome ? 'campaign_asked' then s.outcome @> '{"campaign_asked": true}'
                else s.outcome ->> 'left' in ('0', '1') end
                then 'activation_in_doubt' end
        from job_steps as s where s.campaign_job_id = p_campaign_job_id and s.name = 'activate');
end
$$;

-- migrate:down
drop function code_of_cancelled_job(uuid);
