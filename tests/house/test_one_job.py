"""One request through the house, from the door to the platform and back."""

from tests.house.webhooks import hurry


async def test_a_request_becomes_a_campaign_with_the_ids_that_the_job_shows(house):
    job_id = await house.submit(house.request(ads=2))

    before = await house.job(job_id)
    async with house.working():
        job = await house.finished(job_id)

    assert before["status"] == "PENDING"
    assert job["status"] == "SUCCESS", job
    assert job["progress"] == {"done": 7, "total": 7}
    made = {o["id"]: o for o in await house.sandbox.objects(house.account["id"])}
    ids = job["platform_ids"]
    campaign, (ad_set,) = made[ids["campaign"]], ids["ad_sets"]
    assert campaign["kind"] == "campaign"
    assert made[ad_set["id"]]["parent_id"] == campaign["id"]
    for ad in ad_set["ads"]:
        assert made[ad["id"]]["parent_id"] == ad_set["id"]
        assert made[ad["creative"]]["kind"] == "creative"
    assert len([o for o in made.values() if o["kind"] == "ad"]) == 2
    assert job["platform_campaign_id"] == ids["campaign"]


async def test_everything_is_paused_and_nothing_is_sent_before_a_worker_runs(house):
    job_id = await house.submit(house.request())
    before = await house.sandbox.calls()

    async with house.working():
        await house.finished(job_id)

    assert before == []
    statuses = {
        o["status"]
        for o in await house.sandbox.objects(house.account["id"])
        if o["kind"] in ("campaign", "ad_set", "ad")
    }
    assert statuses == {"PAUSED"}


async def test_activation_comes_last_children_first(house):
    job_id = await house.submit(house.request(ads=2, activate=True))

    # a call that a busy machine cuts off would be made again
    async with house.working(sandbox_call_deadline_seconds=60.0):
        job = await house.finished(job_id)

    assert job["status"] == "SUCCESS"
    changed = [c["object_id"] for c in await house.sandbox.calls() if c["effect"] == "changed"]
    ids = job["platform_ids"]
    ads = {ad["id"] for ad in ids["ad_sets"][0]["ads"]}
    assert set(changed[:2]) == ads
    assert changed[2:] == [ids["ad_sets"][0]["id"], ids["campaign"]]


async def test_a_video_is_waited_for_without_a_worker_and_gets_a_thumbnail(house):
    job_id = await house.submit(house.request(video=True))

    # nobody looks again before the clock was moved
    async with house.working(sandbox_wait_seconds=600.0, sandbox_call_deadline_seconds=60.0):
        waiting = await house.waiting(job_id, "media_processing")
        claimed = await house.pool.fetchval("select claim_token from campaign_jobs")
        await house.sandbox.advance(10)
        await hurry(house)
        job = await house.finished(job_id)

    assert waiting["status"] == "PROCESSING"
    assert claimed is None
    assert job["status"] == "SUCCESS"
    (creative,) = await house.sandbox.objects(house.account["id"], "creative")
    video_data = creative["fields"]["object_story_spec"]["video_data"]
    assert video_data["video_id"] == job["platform_ids"]["media"]["clip"]
    assert video_data["image_url"].startswith("http")


async def test_two_accounts_at_once_use_their_own_tokens(house):
    other = await house.sandbox.account()
    other_id = await house.add(other)
    first = await house.submit(house.request())
    second_body = house.request(ad_account_id=other_id)
    second_body["ad_sets"][0]["ads"][0]["creative"]["page_id"] = other["page_id"]
    second = await house.submit(second_body)

    async with house.working():
        jobs = [await house.finished(first), await house.finished(second)]

    assert [job["status"] for job in jobs] == ["SUCCESS", "SUCCESS"]
    for account in (house.account, other):
        assert len(await house.sandbox.objects(account["id"], "campaign")) == 1


async def test_no_token_reaches_an_answer_the_calls_or_the_database(house, capfd):
    job_id = await house.submit(house.request())

    async with house.working():
        job = await house.finished(job_id)

    token = house.account["access_token"]
    account = (await house.client.get(f"/ad_accounts/{house.account_id}")).text
    calls = str(await house.sandbox.calls())
    tables = ("ad_accounts", "campaign_jobs", "job_steps", "job_events", "audit_log", "api_keys")
    rows = [
        row
        for table in tables
        for row in await house.pool.fetch(f"select t::text from {table} as t")  # noqa: S608 - named above
    ]
    dump = "".join(str(row) for row in rows)
    printed = "".join(capfd.readouterr())
    assert dump
    for text in (str(job), account, calls, dump, printed):
        assert token not in text
        assert token.encode().hex() not in text
