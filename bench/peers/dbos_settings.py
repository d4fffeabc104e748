"""What DBOS is told in every process."""

import os

from dbos import DBOSConfig


def database(url: str) -> str:
    """The URL as its database layer wants it."""
    return url.replace("postgresql://", "postgresql+psycopg://")


def settings(url: str, connections: int) -> DBOSConfig:
    """One executor with an id of its own; all of them run the same version of the application."""
    return {
        "name": "bench",
        "system_database_url": database(url),
        "application_version": "1",
        "executor_id": str(os.getpid()),
        "log_level": "ERROR",
        "sys_db_pool_size": connections,
    }
