"""PNGs made quick to decode: unpacked in one go, before Pillow sees them.

Pillow unpacks a PNG row by row and starts anew with each, which takes most of the time of a thumbnail. libdeflate unpacks all
rows at once in a third of that; what Pillow gets is the same file with its rows stored instead of packed, and it has only
their filters left to undo.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import deflate

MAX_ROWS_BYTES = 4096 * (1 + 4096 * 3)
"""Of all rows: the largest pictures that are made. They lie in memory twice for a moment, so that with the decoded picture
these take no more than a picture of `images.MAX_PIXELS` does; larger ones are left to Pillow alone."""

_CHANNELS: Mapping[int, int] = MappingProxyType({0: 1, 2: 3, 3: 1, 4: 2, 6: 4})
"""By the colour type, 11.2.1 of the PNG specification (https://www.w3.org/TR/png-3/), as all that is read here."""
_SIGNATURE_BYTES, _HEADER_BYTES = 8, 13
_HEADER = struct.Struct(">I4sIIBBBBB")
_CHUNK, _CRC_BYTES = struct.Struct(">I4s"), 4
_STORED, _MOST_STORED = struct.Struct("<BHH"), 0xFFFF
"""A block of bytes as they are, and how many it takes: 3.2.4 of RFC 1951."""


def with_stored_rows(data: bytes) -> bytes:
    """The same picture as a PNG that unpacks by being copied; `data` itself where it is no sound PNG, interlaced, or too large.

    Whether it is damaged is for Pillow to say. Needs about twice the bytes of the unpacked rows.
    """
    size = _rows_bytes(data)
    if not 0 < size <= MAX_ROWS_BYTES:
        return data
    begin, end, packed = _packed_rows(data)
    try:
        rows = deflate.zlib_decompress(packed, size)
    except deflate.DeflateError:
        return data
    if len(rows) != size:
        return data
    return b"".join([data[:begin], *_stored_chunk(rows), data[end:]])


def _rows_bytes(data: bytes) -> int:
    """Bytes of all rows with the filter's number before each; 0 where that cannot be known, or rows come in several passes."""
    if len(data) < _SIGNATURE_BYTES + _HEADER.size:
        return 0
    length, kind, width, height, depth, colour, packing, filtering, interlacing = _HEADER.unpack_from(
        data, _SIGNATURE_BYTES
    )
    channels = _CHANNELS.get(colour, 0)
    if (length, kind) != (_HEADER_BYTES, b"IHDR") or packing or filtering or interlacing or not channels:
        return 0
    return int(height * (1 + (width * channels * depth + 7) // 8))


def _packed_rows(data: bytes) -> tuple[int, int, bytes]:
    """Where the chunks with the rows begin and end, and what they hold together. They follow one another without a gap."""
    at = _SIGNATURE_BYTES
    begin, pieces = 0, []
    while at + _CHUNK.size <= len(data):
        length, kind = _CHUNK.unpack_from(data, at)
        if kind == b"IDAT":
            begin = begin or at
            pieces.append(memoryview(data)[at + _CHUNK.size : at + _CHUNK.size + length])
        elif pieces or kind == b"IEND":
            break
        at += _CHUNK.size + length + _CRC_BYTES
    return begin, at, b"".join(pieces)


def _stored_chunk(rows: bytearray) -> Iterator[bytes | memoryview]:
    """The pieces of one chunk with these rows, none of them copied."""
    blocks = range(0, len(rows), _MOST_STORED)
    length = 2 + len(rows) + len(blocks) * _STORED.size + 4
    yield length.to_bytes(4, "big")
    crc = 0
    for piece in _zlib_stream(rows, blocks):
        crc = deflate.crc32(piece, crc)
        yield piece
    yield crc.to_bytes(_CRC_BYTES, "big")


def _zlib_stream(rows: bytearray, blocks: range) -> Iterator[bytes | memoryview]:
    """The chunk's kind and its content: the rows as RFC 1950 and 1951 store them."""
    yield b"IDAT\x78\x01"
    for start in blocks:
        block = memoryview(rows)[start : start + _MOST_STORED]
        yield _STORED.pack(start == blocks[-1], len(block), len(block) ^ _MOST_STORED)
        yield block
    yield deflate.adler32(rows).to_bytes(4, "big")
