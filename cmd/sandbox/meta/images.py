"""Images: known by a hash of their content, so that the same bytes are the same image."""

import base64
import binascii
import hashlib
import io
from collections.abc import Callable
from typing import Any

from PIL import Image

from sandbox.meta.asking import Ask, Result
from sandbox.meta.errors import MetaError, missing, parameter
from sandbox.meta.wire import names
from sandbox.objects import Record

LARGEST_BYTES = 30 * 1024 * 1024
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "BMP": "bmp", "TIFF": "tif"}
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def upload(ask: Ask) -> Result:
    """One image or several; each is told by its name with hash, address and size."""
    sent = [(file.name, file.content) for file in ask.sent.files]
    if "bytes" in ask.params:
        sent.append((str(ask.params.get("name", "bytes")), _decoded(ask.params["bytes"])))
    if not sent:
        raise parameter("filename", "An image file, or its bytes, must be given", 1487242)
    kept = [(name, *_keep(ask, name, content)) for name, content in sent]
    changed = next((record.id for _, record, is_new in kept if is_new), None)
    answer = {"images": {name: _answer(ask, record) for name, record, _ in kept}}
    return Result(answer, "created" if changed else "none", changed or kept[-1][1].id)


def wanted(ask: Ask) -> list[Record]:
    """All images, or those with the given hashes or name."""
    found = ask.children(ask.account.id, "image")
    hashes = names(ask.params.get("hashes"))
    name = ask.params.get("name")
    return [
        image
        for image in found
        if (not hashes or image.id in hashes) and (name is None or image.name == name)
    ]


def delete(ask: Ask) -> Result:
    """By its hash."""
    image = ask.image(str(ask.params.get("hash")))
    if image is None:
        raise missing(str(ask.params.get("hash")), "delete")
    image.status = "DELETED"
    ask.save(image)
    return Result({"success": True}, "changed", image.id)


def address(ask: Ask, image: Record) -> str:
    """Where its bytes can be fetched."""
    extension = image.fields["extension"]
    return f"{ask.sent.base}/meta/files/images/{image.account}/{image.id}.{extension}"


def owner(account: str, image_hash: str) -> str:
    """Under which name its bytes are kept."""
    return f"image:{account}:{image_hash}"


def _keep(ask: Ask, name: str, content: bytes) -> tuple[Record, bool]:
    image_hash = hashlib.md5(content, usedforsecurity=False).hexdigest()
    same = ask.image(image_hash)
    if same is not None:
        same.status = "ACTIVE"
        ask.save(same)
        return same, False
    extension, width, height = _measured(content)
    ask.state.pieces.add(owner(ask.account.id, image_hash), 0, content)
    fields = {"hash": image_hash, "width": width, "height": height, "extension": extension}
    return ask.add("image", name, fields, object_id=image_hash), True


def _measured(content: bytes) -> tuple[str, int, int]:
    """Extension, width and height. Raises what the platform says of unusable images."""
    if len(content) > LARGEST_BYTES:
        raise _broken("The image is larger than 30 MB.")
    try:
        image = Image.open(io.BytesIO(content), formats=list(EXTENSIONS))
    except _UNREADABLE:
        raise MetaError(
            100,
            "Invalid parameter",
            subcode=1487411,
            user_title="FileTypeNotSupported",
            user_message="The type of the file is not supported.",
            blame=[["filename"]],
        ) from None
    try:
        with image:
            image.load()
            return EXTENSIONS[str(image.format)], image.width, image.height
    except _UNREADABLE:
        raise _broken("The file is cut off or broken.") from None


def _broken(why: str) -> MetaError:
    return MetaError(
        100,
        "Invalid parameter",
        subcode=1487197,
        user_title="Error processing image",
        user_message=f"There was a problem with the image for the ad. {why}",
        blame=[["filename"]],
    )


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text).partition("base64,")[2] or str(text), validate=True)
    except (binascii.Error, ValueError):
        raise parameter("bytes", "The bytes of the image are not base64", 1487242) from None


def _answer(ask: Ask, image: Record) -> dict[str, Any]:
    return {
        "hash": image.id,
        "url": address(ask, image),
        "name": image.name,
        "width": image.fields["width"],
        "height": image.fields["height"],
    }


FIELDS: dict[str, Callable[[Ask, Record], Any]] = {
    "hash": lambda _, image: image.id,
    "url": address,
    "url_128": address,
    "permalink_url": address,
    "original_width": lambda _, image: image.fields["width"],
    "original_height": lambda _, image: image.fields["height"],
}
"""What is computed rather than kept."""
