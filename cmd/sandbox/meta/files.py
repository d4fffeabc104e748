"""The bytes of images, videos and thumbnails at the addresses that the Graph API tells."""

import colorsys
import io
from functools import lru_cache

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from PIL import Image

from sandbox.meta import images, uploads, videos
from sandbox.meta.asking import PLATFORM
from sandbox.state import State

LONGEST_SIDE = 1280


def file_routes(state: State) -> list[HTTPRouteHandler]:
    """They ask for no token, as the platform's own servers of files do not."""
    return [*_uploaded(state), *_drawn(state)]


def _uploaded(state: State) -> list[HTTPRouteHandler]:
    @get("/meta/files/images/{account:str}/{name:str}", sync_to_thread=False)
    def image(account: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        """As it was uploaded."""
        image_hash, _, extension = name.partition(".")
        content = state.pieces.read(images.owner(account, image_hash))
        kinds = {"jpg": "jpeg", "tif": "tiff"}
        return _file(content, f"image/{kinds.get(extension, extension)}")

    @get("/meta/files/videos/{name:str}", sync_to_thread=False)
    def video(name: FromPath[str]) -> Response[bytes]:
        """As it was uploaded."""
        return _file(state.pieces.read(uploads.owner(name.partition(".")[0])), "video/mp4")

    return [image, video]


def _drawn(state: State) -> list[HTTPRouteHandler]:
    @get("/meta/files/thumbnails/{name:str}", sync_to_thread=False)
    def thumbnail(name: FromPath[str]) -> Response[bytes]:
        """A picture of the video's shape."""
        video_id, _, number = name.removesuffix(".jpg").partition("-")
        found = state.objects.get(PLATFORM, video_id)
        is_there = found is not None and found.kind == "video" and found.fields["is_video"]
        if found is None or not is_there or number not in map(str, range(videos.THUMBNAILS)):
            return _file(b"", "image/jpeg")
        shape = found.fields["width"], found.fields["height"]
        return _file(_picture(video_id, int(number), *shape), "image/jpeg")

    @get("/meta/files/placeholder.png", sync_to_thread=False)
    def placeholder() -> Response[bytes]:
        """While a video is encoded."""
        return _file(_plain(228, 119, (200, 200, 200), "PNG"), "image/png")

    return [thumbnail, placeholder]


def _file(content: bytes, media_type: str) -> Response[bytes]:
    return Response(content, media_type=media_type, status_code=200 if content else 404)


@lru_cache(maxsize=64)
def _picture(video_id: str, number: int, width: int, height: int) -> bytes:
    """Another colour for each frame of each video."""
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    hue = (int(video_id) * 7 + number * 31) % 100 / 100
    red, green, blue = (int(255 * part) for part in colorsys.hsv_to_rgb(hue, 0.6, 0.8))
    size = max(int(width * scale), 1), max(int(height * scale), 1)
    return _plain(*size, (red, green, blue), "JPEG")


def _plain(width: int, height: int, colour: tuple[int, int, int], form: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(content, form)
    return content.getvalue()
