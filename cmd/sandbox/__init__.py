"""A program that answers like the ad platforms, with state."""
