-- name: FreeAllClaims :execrows
-- Whoever held them before the restore writes nothing more.
update campaign_jobs set claim_token = null, worker_id = null, due_at = now() where claim_token is not null;

-- name: DoubtBegunSteps :execrows
-- Steps of these campaigns that were begun and are not done: a later try, which was forgotten, may have
-- done them. One that failed stays failed; its looks say that a retry of the job must look for it. Of an
-- activation it is kept over its next try that the campaign may be ACTIVE.
update job_steps as s
set status = case when s.status = 'FAILED' then s.status else 'IN_DOUBT'::step_status end,
    looks = case when s.status = 'FAILED' then 1 else 0 end, intent_at = now(),
    outcome = case when s.kind = 'activate' then coalesce(s.outcome, '{}') || '{"campaign_asked": true}'
        else s.outcome end
where s.campaign_job_id = any (@campaign_job_ids::uuid[]) and s.status <> 'DONE';

-- name: ListUnfinishedRequestsAfter :many
-- Campaigns that go on, or would when somebody asks for a retry, in the order of their ids.
select j.id, j.platform_type, j.status in ('PENDING', 'PROCESSING') as is_open, r.payload
from campaign_jobs as j join campaign_requests as r on r.campaign_job_id = j.id
where j.kind = 'BUILD_CAMPAIGN' and j.status <> 'SUCCESS' and j.id > @after_id
order by j.id limit @most::integer;

-- name: DoubtForgottenSteps :execrows
-- Steps that may have been begun after the backup. Those that have a row keep it. What their calls were given
-- is forgotten, too: whoever looks reckons with its own deadline.
insert into job_steps (
    campaign_job_id, name, position, kind, status, claim_token, intent_at, started_at, call_seconds, outcome)
select told.campaign_job_id, told.name, told.position, told.kind, 'IN_DOUBT', gen_random_uuid(), now(), now(), 0,
    case when told.kind = 'activate' then '{"campaign_asked": true}'::jsonb end
from (
    select unnest(@campaign_job_ids::uuid[]) as campaign_job_id,
        jsonb_array_elements_text((@names::text)::jsonb) as name,
        unnest(@positions::integer[]) as position, unnest(@kinds::text[]) as kind
) as told
on conflict (campaign_job_id, name) do nothing;
