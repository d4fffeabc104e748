"""Real worker processes that kill themselves at the boundary that the campaign's name asks for.

Each line of standard input is the id of one that begins; each line of standard output is that of one that
is dead. All are forks of what is loaded once: to load it takes a second of a processor, and dozens die.

`die <step> <moment>`: moment is `before` (the intent is written, nothing sent), `between` (the platform
has answered, nothing is written) or `after` (the outcome is written). Each job kills one worker.
"""

import asyncio
import os
import select
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
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        os.environ["MOJITO_WORKER_ID"] = worker_id
        asyncio.run(main())
        os._exit(0)
    return process_id


def keep():
    """Until standard input ends; then all of them end.

    Nothing is done where a signal is handled: a second death would come in between.
    """
    running = {}
    died = woken_by_deaths()
    ordered = sys.stdin.fileno()
    while True:
        ready, _, _ = select.select([died, ordered], [], [])
        if died in ready:
            os.read(died, 4096)
            tell_the_dead(running)
        if ordered in ready:
            if not (line := sys.stdin.buffer.raw.readline()):
                break
            worker_id = line.decode().strip()
            running[begin(worker_id)] = worker_id
            tell_the_dead(running)  # it may have died before anybody knew of it
    for process_id in running:
        os.kill(process_id, signal.SIGTERM)
        os.waitpid(process_id, 0)


def woken_by_deaths():
    """What can be read after each."""
    died, awake = os.pipe()
    os.set_blocking(awake, False)
    signal.set_wakeup_fd(awake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return died


def tell_the_dead(running):
    for process_id in list(running):
        if os.waitpid(process_id, os.WNOHANG)[0]:
            print(running.pop(process_id), flush=True)


if __name__ == "__main__":
    keep()
