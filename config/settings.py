"""Everything two installations may differ in, read once from `MOJITO_*`."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from common.address_guard import PrivateTargets
from common.errors import ConfigurationError
from common.plain_words import plainly
from config.checks import grows_back, leads_somewhere
from config.secret_files import read_files
from config.values import Address, AtOnce, Days, Most, Origin, PerSecond, Port, Seconds, Token

PREFIX = "MOJITO_"
SECRETS = frozenset({"database_url", "metrics_token"})
"""May come from a file instead: MOJITO_DATABASE_URL_FILE."""

_ADDRESSES = {"sandbox_url", "meta_base_url", "meta_video_base_url"}
_LISTS = {"allowed_private_targets", "cors_origins"}
"""With commas between."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Defaults are for one machine with the sandbox. Times in seconds, sizes in bytes."""

    data_dir: Annotated[Path, Meta(description="Where an installation keeps its files.")] = Path(
        ".mojito"
    )
    database_url: Annotated[
        str | None,
        Meta(description="PostgreSQL 15 or newer; without it `up` runs one of its own."),
    ] = None
    host: Annotated[str, Meta(description="Address the API listens on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port of the API.")] = 8000
    sandbox_port: Annotated[Port, Meta(description="Port of the sandbox (HTTP).")] = 8100
    sandbox_grpc_port: Annotated[Port, Meta(description="Port of the sandbox (gRPC).")] = 8101
    sandbox_url: Annotated[
        Address | None,
        Meta(description="Where sandbox accounts are served; this machine by default."),
    ] = None
    sandbox_wait_seconds: Annotated[
        Seconds, Meta(description="No wait of a sandbox account is longer.")
    ] = 2.0
    encryption_keys_file: Annotated[
        Path | None,
        Meta(description="Lines id:base64 of 32 bytes; the first seals, all open."),
    ] = None
    allowed_private_targets: Annotated[
        tuple[str, ...],
        Meta(
            description="Networks, hosts or host:port, private, that media and webhooks may reach."
        ),
    ] = ()
    cors_origins: Annotated[
        tuple[Origin, ...],
        Meta(
            description="Origins (https://app.example.com) whose pages may ask; *: all; none: none."
        ),
    ] = ()
    meta_api_version: Annotated[
        str, Meta(pattern=r"^v\d+\.\d+$", description="Graph API version.")
    ] = "v26.0"
    meta_base_url: Annotated[Address, Meta(description="Graph API of live accounts.")] = (
        "https://graph.facebook.com"
    )
    meta_video_base_url: Annotated[Address, Meta(description="Video uploads of live accounts.")] = (
        "https://graph-video.facebook.com"
    )
    log_format: Annotated[
        Literal["auto", "json", "console"],
        Meta(description="auto: readable in a terminal, else JSON."),
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least that is logged.")
    ] = "info"
    worker_id: Annotated[
        UUID | None, Meta(description="Given by `up`, so that it can free a dead worker's jobs.")
    ] = None
    worker_concurrency: Annotated[
        int, Meta(ge=1, le=1000, description="Jobs that one worker runs at a time.")
    ] = 64
    worker_metrics_port: Annotated[
        Port | None, Meta(description="Port on MOJITO_HOST where a worker serves /metrics; off.")
    ] = None
    metrics_token: Annotated[
        Token | None, Meta(description="Bearer token that /metrics of the API asks for; open.")
    ] = None
    poll_seconds: Annotated[
        Seconds, Meta(description="How often workers look without being woken.")
    ] = 1.0
    worker_silence_seconds: Annotated[
        Seconds, Meta(description="A worker silent for so long is dead; its jobs are freed.")
    ] = 30.0
    worker_trust_seconds: Annotated[
        Seconds, Meta(description="A worker unheard for so long starts no further call.")
    ] = 20.0
    grace_seconds: Annotated[
        Seconds, Meta(description="How long what runs may go on after SIGTERM.")
    ] = 20.0
    call_deadline_seconds: Annotated[
        Seconds, Meta(description="The longest one call to a platform may take.")
    ] = 30.0
    list_lag_seconds: Annotated[
        Seconds,
        Meta(
            description="How long a platform's lists may lag behind its writes. The same on every worker."
        ),
    ] = 30.0
    sandbox_call_deadline_seconds: Annotated[
        Seconds, Meta(description="The same for sandbox accounts.")
    ] = 3.0
    sandbox_list_lag_seconds: Annotated[
        Seconds, Meta(description="The same for sandbox accounts.")
    ] = 1.0
    webhook_answer_seconds: Annotated[
        Seconds, Meta(description="How long a receiver of webhooks may take to answer.")
    ] = 12.0
    database_pool_size: Annotated[
        int, Meta(ge=1, le=200, description="Connections that one API process holds at most.")
    ] = 10
    max_upload_bytes: Annotated[int, Meta(ge=1024, description="Largest media file.")] = 1024**3
    rate_limit_key_per_second: Annotated[
        PerSecond, Meta(description="Requests a second of one key over all processes; 0: no limit.")
    ] = 1000.0
    rate_limit_key_burst: Annotated[
        AtOnce, Meta(description="Requests of one key at once, after a pause.")
    ] = 10_000
    rate_limit_team_per_second: Annotated[
        PerSecond, Meta(description="Requests a second of one team over all keys; 0: no limit.")
    ] = 2000.0
    rate_limit_team_burst: Annotated[
        AtOnce, Meta(description="Requests of one team at once, after a pause.")
    ] = 20_000
    max_open_jobs_per_account: Annotated[
        Most, Meta(description="Jobs of one account that may be open; 0: no limit.")
    ] = 100_000
    max_open_jobs_per_team: Annotated[
        Most, Meta(description="Jobs of one team that may be open; 0: no limit.")
    ] = 200_000
    max_open_streams_per_team: Annotated[
        Most,
        Meta(
            description="Event streams of a team in one API process, and as many held answers; 0: no limit.",
        ),
    ] = 2000
    retention_jobs_days: Annotated[
        Days, Meta(description="Jobs that ended so long ago are deleted; 0: never.")
    ] = 365.0
    retention_audit_days: Annotated[
        Days,
        Meta(description="Audit entries so old are deleted, none under 30 days; 0: never."),
    ] = 2555.0
    retention_deliveries_days: Annotated[
        Days,
        Meta(description="Webhook deliveries over for so long are deleted; 0: never."),
    ] = 30.0
    installation_dir: Annotated[
        Path | None,
        Meta(description="Given by `up`: /readyz then also asks for its processes and files."),
    ] = None
    pg_bin: Annotated[
        Path | None, Meta(description="Programs of PostgreSQL that `up` shall run.")
    ] = None
    pg_user: Annotated[
        str | None, Meta(description="Account that runs PostgreSQL when `up` runs as root.")
    ] = None
    python: Annotated[
        str | None, Meta(description="Python that ./mojito makes its environment with.")
    ] = None

    @property
    def sandbox_address(self) -> str:
        """Where the sandbox is spoken to."""
        return self.sandbox_url or f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def assets_dir(self) -> Path:
        """Where the bytes of assets are kept."""
        return self.data_dir / "assets"

    @property
    def keys_file(self) -> Path:
        """The encryption keys: the ones named, else the installation's own."""
        return self.encryption_keys_file or self.data_dir / "encryption-keys"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises ConfigurationError naming every variable that is unknown, malformed or at odds with another."""
    settings, faults = examine(environment)
    if faults:
        raise ConfigurationError("; ".join(faults))
    return settings


def examine(environment: Mapping[str, str]) -> tuple[Settings, list[str]]:
    """The settings as far as they can be read, and every fault; a faulty one has its default."""
    given = _given(environment)
    values, faults = read_files({n: path for n, path in given.items() if _is_file_of_secret(n)})
    values |= {name: value for name, value in given.items() if not _is_file_of_secret(name)}
    for name in _LISTS & values.keys():
        items = str(values[name]).split(",")
        values[name] = [item.strip() for item in items if item.strip()]
    for name in list(values):
        if fault := _fault(name, values[name]):
            faults.append(fault)
            del values[name]
    settings = msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    return settings, faults + _contradictions(settings)


def source_of(name: str, environment: Mapping[str, str]) -> str:
    """Where the value of a setting comes from: `default`, `environment`, or `file` and its path."""
    given = _given(environment)
    if name in given:
        return "environment"
    if name in SECRETS and f"{name}_file" in given:
        return f"file {given[f'{name}_file']}"
    return "default"


def database_url(settings: Settings) -> str:
    """The database, or what to do to have one."""
    if settings.database_url is None:
        raise ConfigurationError(
            "MOJITO_DATABASE_URL is not set. Name a PostgreSQL server, or run `./mojito up`, which "
            'brings one along (then, in a second terminal: eval "$(./mojito env)").'
        )
    return settings.database_url


def _is_file_of_secret(name: str) -> bool:
    return name.endswith("_file") and name.removesuffix("_file") in SECRETS


def _given(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value != ""
    }


def _contradictions(settings: Settings) -> list[str]:
    """What cannot be seen in one value alone."""
    found: list[str] = []
    # a worker must have stopped trusting itself before others give it up for dead
    if settings.worker_trust_seconds >= settings.worker_silence_seconds:
        found.append("MOJITO_WORKER_TRUST_SECONDS must be less than MOJITO_WORKER_SILENCE_SECONDS")
    for whose in ("KEY", "TEAM"):
        name = f"rate_limit_{whose.lower()}"
        if not grows_back(
            getattr(settings, f"{name}_per_second"), getattr(settings, f"{name}_burst")
        ):
            name = f"{PREFIX}{name.upper()}"
            found.append(
                f"{name}_PER_SECOND lets {name}_BURST grow back in no 30 years; 0: no limit"
            )
    try:
        PrivateTargets(settings.allowed_private_targets)
    except ConfigurationError as error:
        found.append(f"MOJITO_ALLOWED_PRIVATE_TARGETS: {error.message}")
    return found


def _fault(name: str, value: object) -> str | None:
    if name not in Settings.__struct_fields__:
        return f"{PREFIX}{name.upper()} is not a setting (config/example.env lists them all)"
    try:
        read = msgspec.convert({name: value}, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        return f"{PREFIX}{name.upper()}: {plainly(str(error).split(' - at ')[0])}"
    found: object = getattr(read, name)
    if isinstance(found, float) and not math.isfinite(found):
        return f"{PREFIX}{name.upper()}: {value} is no number to reckon with"
    if name in _ADDRESSES and not leads_somewhere(str(found)):
        return f"{PREFIX}{name.upper()}: not the address of a server, like https://host:8443"
    return None


def _decode(kind: type, value: object) -> object:
    if kind is not Path:
        raise NotImplementedError(kind)
    try:
        return Path(str(value)).expanduser()
    except RuntimeError:
        raise ValueError(f"{value}: there is no such user") from None
