"""The OpenAPI document as the application serves it."""

from typing import Any

import pytest
from litestar import Litestar

from tests.routes.conftest import api, assets, keyring, meta_address, pool, verifier

__all__ = ["api", "assets", "keyring", "meta_address", "pool", "verifier"]


@pytest.fixture
async def document(api: Any) -> dict[str, Any]:
    return (await api.client.get("/api/v1/openapi.json")).json()


@pytest.fixture
async def app(api: Any) -> Litestar:
    return api.app
