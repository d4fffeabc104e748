"""The registry of ad platforms."""
