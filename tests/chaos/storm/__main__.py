"""`python -m tests.chaos.storm --jobs 1000 --seed 7`: a storm of any length, told and judged."""

import argparse
import asyncio
import sys

from tests.chaos.storm.run import new_seed, storm

parser = argparse.ArgumentParser(prog="python -m tests.chaos.storm")
parser.add_argument("--jobs", type=int, default=1000)
parser.add_argument("--seed", type=int, default=None)
parser.add_argument("--keep-logs", action="store_true")
arguments = parser.parse_args()
seed = new_seed() if arguments.seed is None else arguments.seed
sys.stdout.write(f"seed {seed}\n")
sys.stdout.flush()
report = asyncio.run(storm(seed, arguments.jobs, keep_logs=arguments.keep_logs))
sys.stdout.write(f"{report}\n")
sys.exit(1 if report.wrong else 0)
