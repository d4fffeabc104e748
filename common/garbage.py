"""Collects cyclic garbage less often: a server makes many short-lived objects and few cycles."""

import gc

YOUNG_OBJECTS = 20_000
"""Net new containers before the young generation is looked at; 700 is Python's own default, which a
batch of jobs reaches many times while all of its objects are still in use."""


def collect_seldom() -> None:
    """For the whole process; what exists now is not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
