"""The registry of ad platforms."""

from workers.platforms.meta import Meta

PLATFORMS = {"META": Meta}
