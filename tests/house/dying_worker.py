"""A real worker process that kills itself at the boundary that the campaign's name asks for.

`die <step> <moment>`: moment is `before` (the intent is written, nothing sent), `between` (the platform
has answered, nothing is written) or `after` (the outcome is written). Each job kills one worker.
"""

import asyncio
import os
import signal
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


if __name__ == "__main__":
    asyncio.run(main())
