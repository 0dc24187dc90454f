"""Neutral copies of two images: same canvas, same encoder, no metadata, same number of bytes. Pure and blocking.

What differs between the two files is the picture and nothing else: a format, a size in pixels or in bytes, or a note of
origin would tell the maker before the vote.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from playground.image_hygiene import UploadRefused, bare_image

MAX_SIDE_PX = 2048
"""Longest side of a copy; more than a window shows of half its width, even on a dense screen."""
QUALITY = 90
STEP_BYTES = 65_536
"""Both files are filled up to a whole number of these."""
SURROUND = (128, 128, 128)
"""Middle grey beside an image that does not fill the canvas: neutral on a light and on a dark page."""
BACKDROP = "white"
"""What shows through transparent parts."""

Size = tuple[int, int]


class UnfitImage(UploadRefused):
    """One of the two images cannot be shown; `position` says which: 0 or 1."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def blind_pair(first: bytes, second: bytes) -> tuple[bytes, bytes]:
    """Two WebP files of equal length and canvas, in the order given.

    Raises:
        UnfitImage: one of the two cannot be read as an image.
    """
    pictures = [_picture(data, position) for position, data in enumerate((first, second))]
    canvas = common_canvas([picture.size for picture in pictures])
    streams = [_vp8(_on_canvas(picture, canvas)) for picture in pictures]
    room = max(len(stream) for stream in streams) + _FRAME_BYTES
    length = -(-room // STEP_BYTES) * STEP_BYTES
    return _file(streams[0], canvas, length), _file(streams[1], canvas, length)


def common_canvas(sizes: Sequence[Size]) -> Size:
    """Width and height in pixels that every image can fill without being enlarged, at most `MAX_SIDE_PX` a side."""
    width, height = min(size[0] for size in sizes), min(size[1] for size in sizes)
    scale = min(1.0, MAX_SIDE_PX / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def canvas_of(data: bytes) -> Size:
    """Width and height in pixels of a file made here, from its first 30 bytes."""
    return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1


def _picture(data: bytes, position: int) -> Image.Image:
    """The image on the backdrop, as RGB."""
    try:
        picture = bare_image(data, f"Image {'AB'[position]}")
    except UploadRefused as error:
        raise UnfitImage(str(error), position) from None
    if picture.mode != "RGBA":
        return picture
    flat = Image.new("RGB", picture.size, BACKDROP)
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat


def _on_canvas(picture: Image.Image, canvas: Size) -> Image.Image:
    scale = min(canvas[0] / picture.width, canvas[1] / picture.height)
    size = (min(canvas[0], round(picture.width * scale)), min(canvas[1], round(picture.height * scale)))
    fitted = picture.resize((max(1, size[0]), max(1, size[1])), Image.Resampling.LANCZOS)
    board = Image.new("RGB", canvas, SURROUND)
    board.paste(fitted, ((canvas[0] - fitted.width) // 2, (canvas[1] - fitted.height) // 2))
    return board


def _vp8(picture: Image.Image) -> bytes:
    """The image's `VP8 ` chunk, with its header, out of the plain file that the encoder writes."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=QUALITY, method=4)
    data = buffer.getvalue()
    if data[12:16] != b"VP8 ":
        raise RuntimeError(f"the WebP encoder wrote {data[12:16]!r} first; expected a plain lossy file")
    length = int.from_bytes(data[16:20], "little")
    return data[12 : 20 + length + length % 2]


_FRAME_BYTES = 12 + 18 + 8
"""RIFF header, `VP8X` chunk and the header of the filling chunk."""


def _file(stream: bytes, canvas: Size, length: int) -> bytes:
    """An extended WebP file of exactly `length` bytes; a `JUNK` chunk, which readers skip, fills it up.

    Source: WebP container specification, "Extended File Format" and "Unknown Chunks", read 2026-11.
    """
    extended = bytes(4) + (canvas[0] - 1).to_bytes(3, "little") + (canvas[1] - 1).to_bytes(3, "little")
    filling = bytes(length - _FRAME_BYTES - len(stream))
    chunks = _chunk(b"VP8X", extended) + stream + _chunk(b"JUNK", filling)
    return b"RIFF" + (length - 8).to_bytes(4, "little") + b"WEBP" + chunks


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "little") + content
