"""The frames of a GIF, counted by walking its blocks without decoding one.

Tests hold it against Pillow's own files.
"""

from __future__ import annotations

MAX_FRAMES = 10_000
"""Where counting stops. A few bytes make a frame, so a small file can claim millions."""

_HEADER_BYTES = 13
_DESCRIPTOR_BYTES = 10
_EXTENSION, _IMAGE = 0x21, 0x2C


def count_frames(data: bytes) -> int:
    """Frames of the GIF `data`, at least 1 and at most `MAX_FRAMES`; those behind a damaged place do not count."""
    frames = 0
    at = _HEADER_BYTES + colour_table_bytes(data, _HEADER_BYTES - 3)
    while at < len(data) and frames < MAX_FRAMES:
        if data[at] == _EXTENSION:
            at = _after_sub_blocks(data, at + 2)
        elif data[at] == _IMAGE:
            frames += 1
            # The descriptor, a colour table of its own, one byte for the code size, then the pixels.
            at = _after_sub_blocks(data, at + _DESCRIPTOR_BYTES + colour_table_bytes(data, at + 9) + 1)
        else:
            break  # the trailer, or damage
    return max(frames, 1)


def colour_table_bytes(data: bytes, flags_at: int) -> int:
    """How long the colour table is of which the flags at that place tell; 0 where there is none, or no such place."""
    flags = data[flags_at] if flags_at < len(data) else 0
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(data: bytes, at: int) -> int:
    while at < len(data) and data[at] != 0:
        at += data[at] + 1
    return at + 1
