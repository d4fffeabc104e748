"""What stands around the routes is tested around the whole application."""

from tests.routes.conftest import api, assets, caller, keyring, meta_address, pool, verifier

__all__ = ["api", "assets", "caller", "keyring", "meta_address", "pool", "verifier"]
