"""`mojito work` or `mojito serve` that fail when they are told of the first thing that they have written."""

import sys

from mojito.main import main
from routes.metrics import ApiMetrics
from workers.metrics import WorkerMetrics


def breaks(*_):
    raise ZeroDivisionError


if __name__ == "__main__":
    WorkerMetrics.moved = breaks
    ApiMetrics.flushed = breaks
    sys.exit(main())
