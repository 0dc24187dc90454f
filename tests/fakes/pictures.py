"""Image bytes for fake providers: real files of an exact size, no two alike, made in milliseconds.

A PNG is put together by hand, because encoding 3840x2160 pixels for each answer is slow: the first row
holds the colour of this picture, all other rows say "as the row above" and are compressed once per size.
Each file carries a provenance note where C2PA data sits in real ones, so that a program which shows it,
or lets it reach a blind vote, is caught.
"""

import io
import zlib
from functools import lru_cache
from typing import Literal

from PIL import Image

Format = Literal["png", "jpeg", "webp"]

_ADLER_BASE = 65521
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def picture(
    size: tuple[int, int], image_format: Format, *, number: int, alpha: bool = False, quality: int = 100
) -> bytes:
    """A gradient whose colour and provenance follow from `number`, so different numbers give different bytes.

    With `alpha` a part of it is clear and a part opaque (never with jpeg). `quality` is for jpeg and webp.
    """
    note = f"c2pa: made by OpenAI, picture {number}".encode()
    if image_format == "png":
        return _png(size, number=number, alpha=alpha, note=note)
    drawn = _drawn(size, number=number, alpha=alpha)
    stream = io.BytesIO()
    if image_format == "jpeg":
        drawn.save(stream, "JPEG", quality=max(1, min(95, quality)))
        data = stream.getvalue()
        return data[:2] + b"\xff\xeb" + (len(note) + 2).to_bytes(2, "big") + note + data[2:]
    drawn.save(stream, "WEBP", quality=quality, method=0, xmp=b"<x:xmpmeta/>")
    data = stream.getvalue() + b"C2PA" + len(note).to_bytes(4, "little") + note + bytes(len(note) % 2)
    return data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]


@lru_cache(maxsize=1)
def bomb_png(side: int = 30_000) -> bytes:
    """A valid black one-bit PNG of `side` x `side` pixels in about 100 kB, made without holding the pixels."""
    row = bytes(1 + -(-side // 8))
    per_block = next(rows for rows in (100, 50, 10, 1) if side % rows == 0)
    rows = row * per_block
    block = _deflated(rows, level=9)
    checksum = 1
    for _ in range(side // per_block):
        checksum = zlib.adler32(rows, checksum)
    stream = b"\x78\x01" + block * (side // per_block) + b"\x03\x00" + checksum.to_bytes(4, "big")
    return _png_file((side, side), bit_depth=1, colour_type=0, stream=stream)


def _png(size: tuple[int, int], *, number: int, alpha: bool, note: bytes) -> bytes:
    width, height = size
    red, blue = _colour(number)
    channels = 4 if alpha else 3
    row = bytearray(width * channels)
    row[0::channels] = bytes((red + x * 96 // width) % 256 for x in range(width))
    row[2::channels] = bytes([blue]) * width
    if alpha:
        row[3::channels] = bytes(x * 255 // max(1, width - 1) for x in range(width))
    first = b"\x00" + bytes(row)
    rest, rest_checksum, rest_length = _rows_below(width, height, channels)
    checksum = _joined_adler(zlib.adler32(first), rest_checksum, rest_length)
    stream = b"\x78\x01" + _deflated(first, level=6) + rest + checksum.to_bytes(4, "big")
    return _png_file(size, bit_depth=8, colour_type=6 if alpha else 2, stream=stream, note=note)


@lru_cache(maxsize=64)
def _rows_below(width: int, height: int, channels: int) -> tuple[bytes, int, int]:
    """All rows but the first as finished deflate blocks, their Adler-32 and their raw length."""
    same = b"\x02" + bytes(width * channels)
    greener = b"\x02" + (b"\x00\x01\x00\x00"[:channels]) * width
    step = height // 255 + 1
    raw = b"".join(greener if y % step == 0 else same for y in range(1, height))
    packer = zlib.compressobj(1, wbits=-15)
    return packer.compress(raw) + packer.flush(zlib.Z_FINISH), zlib.adler32(raw), len(raw)


def _png_file(size: tuple[int, int], *, bit_depth: int, colour_type: int, stream: bytes, note: bytes = b"") -> bytes:
    header = size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big") + bytes([bit_depth, colour_type, 0, 0, 0])
    provenance = _chunk(b"caBX", note) if note else b""
    return _PNG_MAGIC + _chunk(b"IHDR", header) + provenance + _chunk(b"IDAT", stream) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def _deflated(raw: bytes, *, level: int) -> bytes:
    """Complete deflate blocks, ending on a byte and referring to nothing before them."""
    packer = zlib.compressobj(level, wbits=-15)
    return packer.compress(raw) + packer.flush(zlib.Z_FULL_FLUSH)


def _joined_adler(first: int, second: int, second_length: int) -> int:
    """The Adler-32 of two byte strings in a row, from the checksum of each."""
    low = ((first & 0xFFFF) + (second & 0xFFFF) - 1) % _ADLER_BASE
    high = ((first >> 16) + (second >> 16) + second_length * ((first & 0xFFFF) - 1)) % _ADLER_BASE
    return high << 16 | low


def _drawn(size: tuple[int, int], *, number: int, alpha: bool) -> Image.Image:
    red, blue = _colour(number)
    gradient = _gradient(size)
    bands = [Image.new("L", size, red), gradient, Image.new("L", size, blue)]
    if not alpha:
        return Image.merge("RGB", bands)
    half_clear = gradient.point([0] * 128 + [255] * 128)
    return Image.merge("RGBA", [*bands, half_clear])


@lru_cache(maxsize=8)
def _gradient(size: tuple[int, int]) -> Image.Image:
    return Image.linear_gradient("L").resize(size)


def _colour(number: int) -> tuple[int, int]:
    """Red and blue: neighbouring numbers look different, and 65,536 numbers all are."""
    return number * 97 % 256, (number * 57 + number // 256) % 256
