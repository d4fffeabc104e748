"""Meta as its callers see it."""
