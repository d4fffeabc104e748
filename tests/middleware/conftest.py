"""What stands around the routes is tested around the whole application."""

from tests.routes.conftest import api, assets, caller, keyring, pool

__all__ = ["api", "assets", "caller", "keyring", "pool"]
