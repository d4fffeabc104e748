"""DBOS drains no-op workflows from a queue: `python bench/peers/dbos_drain.py URL drain --processes 1`.

Its queue is polled as often as it may be, and takes as much at once as a worker may run; with more than
one worker this limit keeps the first from taking everything, as its documentation advises.
"""

import logging
import signal

import sqlalchemy
from dbos import DBOS, DBOSClient, EnqueueOptions
from dbos_settings import database, settings
from measuring import PAYLOAD_TEXT, Gate, Peer, measure_drain

QUEUE = "bench"
WORKER_CONCURRENCY = 1000
POLLING_SECONDS = 0.01
CONNECTIONS = 30


@DBOS.workflow(name="noop")
def noop(payload: str) -> None:
    """The workflow."""
    del payload


async def fill(url: str, jobs: int) -> None:
    """Makes its tables, and enqueues in one transaction, the bulk that its client offers."""
    DBOS(config=settings(url, CONNECTIONS))
    DBOS.launch()
    DBOS.destroy()
    client = DBOSClient(system_database_url=database(url))
    client.register_queue(
        QUEUE, worker_concurrency=WORKER_CONCURRENCY, polling_interval_sec=POLLING_SECONDS
    )
    options: EnqueueOptions = {"queue_name": QUEUE, "workflow_name": "noop", "app_version": "1"}
    engine = sqlalchemy.create_engine(database(url))
    with engine.begin() as connection:
        for _ in range(jobs):
            client.enqueue_in_transaction(connection, options, PAYLOAD_TEXT)
    client.destroy()


def work(url: str, gate: Gate) -> None:
    """One executor; listens to nothing before the gate opens."""
    DBOS(config=settings(url, CONNECTIONS))
    logging.disable()
    gate.wait()
    DBOS.launch()
    signal.pause()


PEER = Peer(
    package="dbos",
    fill=fill,
    work=work,
    left="select exists (select 1 from dbos.workflow_status where status in ('ENQUEUED', 'PENDING'))",
    done="select count(*) from dbos.workflow_status where status = 'SUCCESS'",
    jobs=2_000,
    settings={"worker_concurrency": WORKER_CONCURRENCY, "polling_seconds": POLLING_SECONDS},
)

if __name__ == "__main__":
    measure_drain(PEER)
