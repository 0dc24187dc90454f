"""Hostile ZIP files, written by hand where the library would not: each bends a good archive, or is none at all."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

END = b"PK\5\6"
ENTRY = b"PK\1\2"
MANIFEST = b"manifest.json"


def entry(
    name: bytes,
    size: int,
    packed: int,
    at: int,
    *,
    crc: int = 0,
    method: int = 8,
    extra: bytes = b"",
    flags: int = 0,
    needs: int = 20,
) -> bytes:
    """A line of a table of contents. `needs`: the version of ZIP it is to be read by."""
    sizes = (packed, size, len(name), len(extra))
    head = struct.pack("<HHHHHHIIIHHHHHII", 20, needs, flags, method, 0, 33, crc, *sizes, 0, 0, 0, 0, at)
    return ENTRY + head + name + extra


def local(name: bytes, data: bytes, size: int, *, crc: int = 0, method: int = 8) -> bytes:
    """A file as it lies in the archive."""
    head = struct.pack("<HHHHHIIIHH", 20, 0, method, 0, 33, crc, len(data), size, len(name), 0)
    return b"PK\3\4" + head + name + data


def closed(body: bytes, listed: bytes, count: int, *, at: int | None = None, size: int | None = None) -> bytes:
    """Files, their table of contents and its end, which may lie."""
    where, length = len(body) if at is None else at, len(listed) if size is None else size
    return body + listed + END + struct.pack("<HHHHIIH", 0, 0, count & 0xFFFF, count & 0xFFFF, length, where, 0)


def overlapping(count: int = 3000) -> bytes:
    """Every name stands for the same ten megabytes."""
    zeros = bytes(10_000_000)
    packed, crc = zlib.compress(zeros, 9)[2:-4], zlib.crc32(zeros)
    names = [f"blobs/{n % 256:02x}/{n % 256:02x}{n:062x}.png".encode() for n in range(count)]
    lines = b"".join(entry(name, len(zeros), len(packed), 0, crc=crc) for name in names)
    return closed(local(names[0], packed, len(zeros), crc=crc), lines, count)


def many_entries(count: int) -> bytes:
    """A table of contents of many empty files, whose end says there is one."""
    return closed(b"", b"".join(entry(b"%0128x" % n, 0, 0, 0) for n in range(count)), 1)


def nested() -> bytes:
    """An archive in an archive in an archive, each a thousand times smaller."""
    inner = zlib.compress(bytes(2_000_000), 9)
    for _ in range(3):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
            for number in range(5):
                file.writestr(f"{number}.zip", inner)
        inner = out.getvalue()
    return inner


def zip64(data: bytes, listed: int, at: int) -> bytes:
    """The archive with a second end, for large ones, that says something else."""
    cut = data.rfind(END)
    large = b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, listed, at)
    where = b"PK\6\7" + struct.pack("<IQI", 0, cut, 1)
    return data[:cut] + large + where + data[cut:]


def listed_as(data: bytes, **said: Any) -> bytes:
    """The archive, whose table of contents says something else of its manifest."""
    begin, last = data.find(ENTRY), data.rfind(ENTRY)
    crc, packed, size = struct.unpack("<III", data[last + 16 : last + 28])
    said = {
        "packed": packed,
        "at": struct.unpack("<I", data[last + 42 : last + 46])[0],
        "name": MANIFEST,
        "crc": crc,
    } | said
    return closed(data[:begin], data[begin:last] + entry(size=size, **said), data.count(ENTRY))


def no_stream(data: bytes) -> bytes:
    """The archive, whose manifest begins as nothing that is packed begins."""
    at = data.rfind(b"PK\3\4") + 30 + len(MANIFEST)
    return data[:at] + b"\xff" + data[at + 1 :]


def ends_in_mid_stream(data: bytes) -> bytes:
    """The archive, whose manifest lies in the comment at its end and is said to go on beyond it."""
    begun = local(MANIFEST, zlib.compress(b"{}" * 99)[2:6], 198)
    listed = listed_as(data, at=len(data), packed=99)
    return listed[:-2] + struct.pack("<H", len(begun)) + begun


BENT: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda data: b"",
    "one byte": lambda data: b"P",
    "an end alone": lambda data: END + bytes(18),
    "an end that is cut": lambda data: data[: data.rfind(END) + 10],
    "a table of contents that is cut": lambda data: data[: data.find(ENTRY) + 30],
    "a table of contents beyond the file": lambda data: closed(data[: data.find(ENTRY)], b"", 9, at=2**31, size=2**31),
    "a table of contents before the file": lambda data: closed(b"", data[data.find(ENTRY) : data.rfind(END)], 9, size=2**20),
    "an end of 64 bits that lies": lambda data: zip64(data, 2**63, 0),
    "an end of 64 bits far away": lambda data: zip64(data, 100, 2**64 - 1),
    "files over each other": lambda data: overlapping(),
    "archives in archives": lambda data: nested(),
    "many files": lambda data: many_entries(70_000),
    "names of devices": lambda data: data.replace(b"rows/tags.jsonl", b"rows/CON.jsonl\0"),
    "a name that reads backwards": lambda data: data.replace(b"rows/tags.jsonl", "rows/\u202etags.j".encode() + b"on"),
    "a name in other letters": lambda data: data.replace(b"rows/tags.jsonl", "rows/t\u0430gs.json".encode()),
    "a way out in two bytes": lambda data: data.replace(b"rows/tags.jsonl", b"rows/\xc0\xae\xc0\xae/x.js"),
    "headers that differ": lambda data: data.replace(b"rows/tags.jsonl", b"rows/runs.jsonl", 1),
    "a name that is no text": lambda data: listed_as(data, name=b"\xff" + MANIFEST, flags=0x800),
    "a version to come": lambda data: listed_as(data, needs=99),
    "a patched file": lambda data: listed_as(data, flags=0x20),
    "a file under strong encryption": lambda data: listed_as(data, flags=0x40),
    "a place before the file": lambda data: closed(
        data[: data.find(ENTRY)], data[data.find(ENTRY) : data.rfind(END)], 9, at=data.find(ENTRY) + 2**20
    ),
    "a place beyond 64 bits": lambda data: listed_as(
        data, at=2**32 - 1, extra=struct.pack("<HHQ", 1, 8, 2**64 - 1)
    ),
    "no stream": no_stream,
    "a stream that ends with the file": ends_in_mid_stream,
    "wrong sums": lambda data: data.replace(b"\x89PNG", b"\x89PNX"),
}  # fmt: skip
