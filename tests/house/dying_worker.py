"""Real worker processes that kill themselves at the boundary that the campaign's name asks for.

Each line of standard input is the id of one that begins; each line of standard output is that of one that
is dead. All are forks of what is loaded once: to load it takes a second of a processor, and dozens die.

`die <step> <moment>`: moment is `before` (the intent is written, nothing sent), `between` (the platform
has answered, nothing is written) or `after` (the outcome is written). Each job kills one worker.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from common.log import configure
from config.settings import read_settings
from mojito.wiring import open_worker
from workers.build_campaign import Build

_perform = Build._call
_one = Build._one
_after = Build._after


def _asked(build, step, moment):
    wanted = build._request.campaign.name.split()
    return wanted == ["die", step.name, moment]


def _die(build):
    """Once for each job: a file remembers."""
    grave = Path(os.environ["MOJITO_DATA_DIR"]) / f"died-{build._run.job.id}"
    if not grave.exists():
        grave.touch()
        os.kill(os.getpid(), signal.SIGKILL)


async def call(self, method, step, trial):
    if _asked(self, step, "before"):
        _die(self)
    done = await _perform(self, method, step, trial)
    if _asked(self, step, "between"):
        _die(self)
    return done


async def one(self, step):
    await _one(self, step)
    if _asked(self, step, "after") and step.name in self._done:
        _die(self)


async def after(self, step, finished):
    # a neighbour may have killed the worker right behind the outcome: then the next run dies here
    if _asked(self, step, "after") and step.name in self._run.ledger.outcomes:
        _die(self)
    await _after(self, step, finished)


Build._after = after
Build._call = call
Build._one = one


async def main():
    settings = read_settings(os.environ)
    configure(settings.log_format, settings.log_level)
    async with open_worker(settings) as worker:
        await worker.run()


def begin(worker_id):
    """The process id of a new worker."""
    process_id = os.fork()
    if process_id == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        os.environ["MOJITO_WORKER_ID"] = worker_id
        asyncio.run(main())
        os._exit(0)
    return process_id


def keep():
    """Until standard input ends; then all of them end."""
    running = {}

    def tell(*_):
        for process_id in list(running):
            if os.waitpid(process_id, os.WNOHANG)[0]:
                print(running.pop(process_id), flush=True)

    signal.signal(signal.SIGCHLD, tell)
    for line in sys.stdin:
        worker_id = line.strip()
        running[begin(worker_id)] = worker_id
        os.kill(os.getpid(), signal.SIGCHLD)  # it may have died before anybody knew of it
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for process_id in running:
        os.kill(process_id, signal.SIGTERM)
        os.waitpid(process_id, 0)


if __name__ == "__main__":
    keep()
