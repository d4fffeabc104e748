"""Sends a request file, uploads what it names first, and watches its campaign being built."""

import argparse
import hashlib
import shlex
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from common.errors import ConfigurationError, Invalid
from common.not_json import why_not_json
from common.plain_words import counted
from common.repeated_names import repeated_names
from config.settings import Settings
from mojito.installation import Installation, api_address
from mojito.job_display import Display, display_for, problem_lines
from mojito.printing import plain, print_json, print_lines

EXAMPLES = """examples:
  mojito submit examples/meta_link_ad.json --watch
  mojito submit campaign.json --validate-only
  mojito submit campaign.json --idempotency-key spring-2026 --json

An entry of media may be {"file": "hero.png"}, relative to the request file: it is uploaded first,
unless the same bytes are stored already. Sent again with the same --idempotency-key, a request
never makes a second campaign.

exit codes: 0 SUCCESS, or accepted without --watch; 1 FAILED, or nothing could be sent;
2 refused, or wrong usage; 3 PARTIAL_SUCCESS; 4 CANCELLED"""

PLATFORM_ROUTES = {"META": "/ads/meta"}
EXIT_CODES = {"SUCCESS": 0, "FAILED": 1, "PARTIAL_SUCCESS": 3, "CANCELLED": 4}
POLL_SECONDS = 0.3
MOST_TRIES = 5
LONGEST_SILENCE_SECONDS = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to send, where, and how to show it."""
    parser.epilog = EXAMPLES
    parser.add_argument("file", type=Path, help="the request, as JSON")
    parser.add_argument("--watch", action="store_true", help="show every step until the end")
    parser.add_argument("--json", action="store_true", help="print the job alone, for programs")
    parser.add_argument(
        "--validate-only", action="store_true", help="check it and show the steps; make no job"
    )
    parser.add_argument("--idempotency-key", help="yours; otherwise a new one is made")
    parser.add_argument(
        "--platform", choices=sorted(PLATFORM_ROUTES), default="META", help="default: META"
    )
    parser.add_argument("--url", help="the API; default: the installation in the data folder")
    parser.add_argument(
        "--key-file", type=Path, help="file with an API key; default: dev-key in the data folder"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Sends it; the exit code."""
    request = _read_request(arguments.file)
    key = _idempotency_key(arguments.idempotency_key)
    with _client(arguments, Installation(settings.data_dir), settings) as client:
        api = Api(client)
        request = _with_uploads(api, request, arguments.file.parent)
        route, title = PLATFORM_ROUTES[arguments.platform], _title(request)
        if arguments.validate_only:
            return _show(api.post(route, request, validate_only="true"), arguments, title)
        job = api.post(route, request, key=key)
        if not arguments.watch:
            return _show(job, arguments, title)
        return _watch(api, job, arguments, title)


def _idempotency_key(given: str | None) -> str:
    """The one given, else a new one. Raises Invalid for what no header can carry."""
    if given is not None and not (given.isascii() and given.isprintable()):
        raise Invalid("--idempotency-key: letters, digits and signs of ASCII only")
    return given or str(uuid4())


class Refused(Invalid):
    """What the API answered instead, ready to be read."""


class Unanswered(ConfigurationError):
    """Whether it was carried out nobody knows here."""


class Api:
    """The calls that submitting needs. What is sent twice has the effect of being sent once."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def post(
        self, route: str, body: Any, *, key: str | None = None, **query: str
    ) -> dict[str, Any]:
        """Makes a job, or the plan of one. With a key it may be sent again; who gets no answer is told it."""
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        rest = {"content": msgspec.json.encode(body), "headers": headers, "params": query or None}
        try:
            return _read(self._send("POST", route, may_repeat=key is not None, **rest))
        except Unanswered as error:
            if key is None:
                raise
            again = f"it may be accepted: repeat it with --idempotency-key {shlex.quote(key)}"
            raise Unanswered(f"{error.message}\n{again}") from error

    def get(self, route: str, **query: str) -> dict[str, Any]:
        """Reads something."""
        return _read(self._send("GET", route, may_repeat=True, params=query or None))

    def is_kept(self, asset_id: str) -> bool:
        """Whether the bytes of an asset are still there, without reading them."""
        try:
            with self._client.stream("GET", f"/assets/{asset_id}/content") as answer:
                return answer.status_code == 200
        except httpx.TransportError:
            return False

    def upload(self, path: Path) -> str:
        """The id of a new asset."""
        with path.open("rb") as file:
            return _read(self._send("POST", "/assets", files={"file": (path.name, file)}))["id"]

    def _send(
        self, method: str, route: str, *, may_repeat: bool = False, **rest: Any
    ) -> httpx.Response:
        """Tries again while nobody listens: a starting or restarting API is a matter of seconds. What was
        sent and broke off is sent again only where that does no harm."""
        is_sent = False
        for remaining in reversed(range(MOST_TRIES)):
            try:
                return self._client.request(method, route, **rest)
            except httpx.ConnectError as error:
                if remaining == 0:
                    failure = Unanswered if is_sent else ConfigurationError
                    raise failure(_nobody(self._client.base_url)) from error
            except httpx.TransportError as error:
                is_sent = True
                if remaining == 0 or not may_repeat or isinstance(error, httpx.TimeoutException):
                    raise Unanswered(
                        f"{self._client.base_url} broke off: {type(error).__name__}"
                    ) from error
            time.sleep(POLL_SECONDS)
        raise AssertionError("the last try returns or raises")


def _nobody(url: httpx.URL) -> str:
    return f"nobody answers at {url}; start `./mojito up`, or name another API with --url"


def _read(answer: httpx.Response) -> dict[str, Any]:
    """The body of a good answer. Raises Refused with everything that is wrong with the request,
    ConfigurationError where it may be right and another moment is better."""
    try:
        body = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = None
    if not isinstance(body, dict):
        failure = Unanswered if answer.is_server_error else ConfigurationError
        raise failure(
            f"{answer.request.url.copy_with(query=None)} is no Mojito: "
            f"it answered {answer.status_code} without a JSON object"
        )
    if answer.is_server_error:
        raise Unanswered("\n".join(problem_lines(body)))
    if answer.status_code == 429:
        raise ConfigurationError("\n".join(problem_lines(body)))
    if not answer.is_success:
        raise Refused("\n".join(problem_lines(body)))
    return body


def _read_request(path: Path) -> dict[str, Any]:
    try:
        body = path.read_bytes()
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from None
    try:
        request = msgspec.json.decode(body)
        repeated = next(repeated_names(body), None)
    except msgspec.ValidationError:  # JSON that asks for no type is wrong in no other way
        raise Invalid(f"{path} has a number of more digits than can be kept") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} is not JSON: {why_not_json(body, error)}") from None
    except RecursionError:
        raise Invalid(f"{path} is nested too deeply") from None
    if not isinstance(request, dict):
        raise Invalid(f"{path} is not a JSON object")
    if repeated is not None:
        raise Invalid(f"{path} names {repeated} more than once; which value is meant nobody knows")
    return request


def _client(
    arguments: argparse.Namespace, installation: Installation, settings: Settings
) -> httpx.Client:
    address = _address(arguments.url, installation, settings)
    key = _key(arguments.key_file, installation)
    try:
        return httpx.Client(
            base_url=f"{address}/api/v1",
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(60.0, connect=5.0),
            trust_env=arguments.url is not None,
        )
    except httpx.InvalidURL as error:
        raise Invalid(f"{address} is no address of an API: {error}") from None


def _address(url: str | None, installation: Installation, settings: Settings) -> str:
    """The one given, else where the installation in the data folder listens."""
    if url is not None:
        return url.rstrip("/").removesuffix("/api/v1")
    written = installation.read_json(installation.environment_file)
    environment: dict[str, str] = written if isinstance(written, dict) else {}
    host = environment.get("MOJITO_HOST", settings.host)
    port = environment.get("MOJITO_PORT", str(settings.port))
    return api_address(host, port)


def _key(path: Path | None, installation: Installation) -> str:
    try:
        key = (path or installation.key_file).read_text().strip()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path or installation.key_file} holds no API key") from None
    except OSError as error:
        raise ConfigurationError(
            f"no API key: cannot read {path or installation.key_file} ({error.strerror}); "
            "start `./mojito up`, or name a file with --key-file"
        ) from None
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(f"{path or installation.key_file} holds no API key")
    return key


def _with_uploads(api: Api, request: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The request with every local file replaced by an asset."""
    media = request.get("media")
    if not isinstance(media, dict):
        return request
    entries: dict[str, Any] = {**media}
    for name, entry in entries.items():
        if isinstance(entry, dict) and set(entry) == {"file"}:
            entries[name] = {"asset_id": _asset(api, folder / str(entry["file"]))}
    return {**request, "media": entries}


def _asset(api: Api, path: Path) -> str:
    """The oldest asset with the file's bytes, so that a repeated request has the same body."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Invalid(f"media: cannot read {path}: {error.strerror}") from None
    stored = _oldest(api, digest)
    if stored is not None and api.is_kept(stored):
        return stored
    return api.upload(path)


def _oldest(api: Api, digest: str) -> str | None:
    """It stands on the last page; pages may be empty and lead on."""
    query, found = {"sha256": digest, "limit": "200"}, None
    while True:
        page = api.get("/assets", **query)
        if page["data"]:
            found = page["data"][-1]["id"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


def _show(answer: dict[str, Any], arguments: argparse.Namespace, title: str) -> int:
    if arguments.json:
        print_json(answer)
    elif arguments.validate_only:
        names = [f"  {step['name']}" for step in answer["steps"]]
        print_lines([f"acceptable; {title} would take {counted(len(names), 'step')}:", *names])
    else:
        print_lines([f"accepted: campaign job {answer['id']} ({title}), {answer['status']}"])
    return 0


def _watch(api: Api, job: dict[str, Any], arguments: argparse.Namespace, title: str) -> int:
    display = Display.silent() if arguments.json else display_for(sys.stdout, title)
    try:
        job = _follow(api, job, display)
    except KeyboardInterrupt:
        sys.stderr.write(
            f"not watched any more; campaign job {job['id']} ({plain(title)}) goes on\n"
        )
        raise
    if arguments.json:
        print_json(job)
    return EXIT_CODES[job["status"]]


def _follow(api: Api, job: dict[str, Any], display: Display) -> dict[str, Any]:
    """Shows the job until it has ended; an API that is away for a moment is waited for."""
    heard = time.monotonic()
    while True:
        display.show(job)
        if job["status"] in EXIT_CODES:
            display.end(job)
            return job
        time.sleep(POLL_SECONDS)
        try:
            job, heard = api.get(f"/campaign_jobs/{job['id']}"), time.monotonic()
        except ConfigurationError:
            if time.monotonic() - heard > LONGEST_SILENCE_SECONDS:
                raise


def _title(request: dict[str, Any]) -> str:
    """What the caller calls it, without which a person cannot tell jobs apart."""
    campaign = request.get("campaign")
    name = campaign.get("name") if isinstance(campaign, dict) else None
    return str(name or "(no name)")
