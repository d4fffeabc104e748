"""Reads request bodies that are too large for memory: the one file of a multipart form, as it arrives."""

from collections.abc import AsyncGenerator, AsyncIterator

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from common.errors import CallerError, Invalid, TooLarge
from common.json_pointer import escaped
from routes.body import whole
from routes.parts import ApiRequest

FIELD = "file"
ROOM_AROUND_FILE = 64 * 1024
"""Bytes that boundaries and headers of a form may take."""


def refuse_length(request: ApiRequest, max_bytes: int) -> None:
    """Raises TooLarge before anything is read, when the request says how large it is."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > max_bytes:
        raise too_large(max_bytes)


async def limited(request: ApiRequest, max_bytes: int) -> AsyncGenerator[bytes]:
    """The body as it arrives. Raises TooLarge as soon as it is, CallerError when its sender hangs up."""
    received = 0
    with whole():
        async for chunk in request.stream():
            received += len(chunk)
            if received > max_bytes:
                raise too_large(max_bytes)
            if chunk:
                yield chunk


def too_large(max_bytes: int) -> TooLarge:
    """The refusal, with the limit in it."""
    return TooLarge(f"The body is larger than {max_bytes:,} bytes.", code="body_too_large")


class UploadedFile:
    """The file of a form whose only field is called `file`."""

    def __init__(self, request: ApiRequest, max_bytes: int) -> None:
        """Raises CallerError when the form has no boundary, TooLarge when it says that it is."""
        _, options = request.content_type
        boundary = options.get("boundary", "")
        refuse_length(request, max_bytes + ROOM_AROUND_FILE)
        try:
            self._parser = PushMultipartParser(boundary, strict=True)
        except (MultipartError, UnicodeError):
            raise _broken() from None
        self._max_bytes = max_bytes
        self._body = limited(request, max_bytes + ROOM_AROUND_FILE)
        self._found = False
        self._early = b""
        self.file_name: str | None = None

    async def open(self) -> None:
        """Reads as far as the file's name. Raises CallerError."""
        while not self._found:
            chunk = await anext(self._body, b"")
            self._early += b"".join(self._parse(chunk))
            if not chunk or self._parser.closed:
                break
        if not self._found:
            raise Invalid(
                f"The form has no field {FIELD!r} with a file.",
                code="file_missing",
                errors=[_violation(FIELD, "missing", "Send one file in this field.")],
            )

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the file. Raises CallerError, also for what stands behind the file."""
        received = len(self._early)
        if self._early:
            yield self._early
        while chunk := await anext(self._body, b""):
            for part in self._parse(chunk):
                received += len(part)
                yield part
            if received > self._max_bytes:
                raise too_large(self._max_bytes)
        self._parse(b"")

    def _parse(self, chunk: bytes) -> list[bytes]:
        """The file's bytes in this chunk; no chunk is the end, which must have been announced."""
        if not chunk and self._parser.closed:
            return []
        try:
            events = list(self._parser.parse(chunk))
        except MultipartError:
            raise _broken() from None
        for event in events:
            if isinstance(event, MultipartSegment):
                self._begin(event)
        return [bytes(event) for event in events if isinstance(event, bytes | bytearray)]

    def _begin(self, segment: MultipartSegment) -> None:
        name = segment.name or ""
        if name != FIELD:
            raise _refused(name, "unknown_field", f"The form's only field is {FIELD!r}.")
        if self._found:
            raise _refused(name, "repeated_field", "One file may be sent at a time.")
        self._found = True
        self.file_name = segment.filename


def _broken() -> CallerError:
    return CallerError("The body is no whole multipart form.", code="not_multipart")


def _refused(name: str, code: str, message: str) -> Invalid:
    return Invalid(message, code="invalid_request", errors=[_violation(name, code, message)])


def _violation(name: str, code: str, message: str) -> dict[str, str]:
    return {"pointer": f"/{escaped(name)}", "code": code, "message": message}
