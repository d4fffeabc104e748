"""Kinds of values that settings hold, with their bounds."""

from typing import Annotated

from msgspec import Meta

type Port = Annotated[int, Meta(ge=1, le=65535)]
type Origin = Annotated[str, Meta(pattern=r"^(\*|https?://[a-z0-9.:\[\]-]+)$")]
type Token = Annotated[str, Meta(min_length=16)]
type Address = Annotated[str, Meta(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")]
type Days = Annotated[float, Meta(ge=0, le=1_000_000)]
type Seconds = Annotated[float, Meta(gt=0, le=1_000_000)]
type Most = Annotated[int, Meta(ge=0, le=2**31 - 1)]
type PerSecond = Annotated[float, Meta(ge=0, le=1_000_000_000)]
type AtOnce = Annotated[int, Meta(ge=1, le=2**31 - 1)]
