"""A client made from the document by a public generator builds a campaign on a started installation."""

import importlib
import json
import subprocess
import sys
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from tests.mojito.test_up import Up, started_up, until
from tests.routes.meta_requests import meta_request

NAME = "generated_mojito_client"
# the generator reads no */*; bytes are what an asset's content is
CONFIGURATION = {"content_type_overrides": {"*/*": "application/octet-stream"}, "post_hooks": []}
FINISHED = ("SUCCESS", "PARTIAL_SUCCESS", "FAILED", "CANCELLED")


@pytest.fixture(scope="module")
def installation() -> Generator[Up]:
    with started_up("client") as up:
        yield up


class Generated:
    """The generated package; every public name of it by its dotted path."""

    def __init__(self, up: Up) -> None:
        self.up = up
        self.client = self["client.AuthenticatedClient"](
            base_url=f"http://127.0.0.1:{up.port}",
            token=up.key,
            raise_on_unexpected_status=True,
            timeout=httpx.Timeout(60),
            httpx_args={"trust_env": False},
        )

    def __getitem__(self, path: str) -> Any:
        module, _, name = path.rpartition(".")
        return getattr(importlib.import_module(f"{NAME}.{module}"), name)

    def call(self, path: str, *arguments: Any, **options: Any) -> Any:
        return self[f"api.{path}.sync_detailed"](*arguments, client=self.client, **options)


@pytest.fixture(scope="module")
def generated(installation: Up) -> Generator[Generated]:
    folder = installation.folder
    address = f"http://127.0.0.1:{installation.port}/api/v1/openapi.json"
    document = httpx.get(address, trust_env=False, timeout=60).content
    (folder / "openapi.json").write_bytes(document)
    (folder / "configuration.json").write_text(json.dumps(CONFIGURATION))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    options = ["--meta", "none", "--config", "configuration.json", "--output-path", NAME]
    done = subprocess.run(
        [*command, "--path", "openapi.json", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "arning" not in said, said
    sys.path.insert(0, str(folder))
    made = Generated(installation)
    with made.client:
        yield made
    sys.path.remove(str(folder))


def test_a_generated_client_builds_a_campaign(generated):
    account = generated.up.accounts["META"]
    body = meta_request(
        platform_account_id=account["platform_account_id"],
        media={"hero": {"asset_id": generated.up.accounts["assets"]["image"]}},
    )
    request = generated["models.MetaCampaignRequest"].from_dict(body)

    accepted = generated.call("ads_meta.build_on_meta", body=request, idempotency_key="generated")
    job_id = accepted.parsed.campaign_job_id
    ended = until(
        lambda: (
            (job := generated.call("campaign_jobs.get_job", job_id).parsed)
            and job.status.value in FINISHED
            and job
        )
    )

    assert accepted.status_code == 202
    assert ended.status.value == "SUCCESS"
    assert ended.platform_campaign_id
    assert {step.status.value for step in ended.steps} == {"DONE"}


def test_a_generated_client_edits_an_account_under_its_version(generated):
    account_id = generated.up.accounts["META"]["ad_account_id"]
    patch = generated["models.AccountPatch"].from_dict({"name": "Edited"})

    read = generated.call("ad_accounts.get_account", account_id)
    tag = read.headers["etag"]
    first = generated.call("ad_accounts.patch_account", account_id, body=patch, if_match=tag)
    second = generated.call("ad_accounts.patch_account", account_id, body=patch, if_match=tag)

    assert first.parsed.name == "Edited"
    assert second.status_code == 412
    assert second.parsed.code == "precondition_failed"


def test_a_generated_client_lists_jobs_with_their_accounts(generated):
    words = generated["models.ListJobsExpandItem"]

    page = generated.call("campaign_jobs.list_jobs", limit=1, expand=list(words))

    assert page.status_code == 200
    assert all(job.ad_account.id == job.ad_account_id for job in page.parsed.data)
    assert page.parsed.livemode is False
