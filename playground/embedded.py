"""How a picture was made, written into a copy of it, and read back from any file.

The settings stand as JSON in an XMP packet, as PNG, JPEG and WebP all have it; pixels and all other bytes stay as they are. The
original is never touched: what is written is a copy for somebody to keep. Content credentials in it then belong to another
file, which whoever checks them is told. Nothing is parsed but our own JSON between our own marks, within a limit.
"""

from __future__ import annotations

import html
import re
import struct
import zlib
from dataclasses import dataclass

import orjson

from playground.version import VERSION
from storage.records import Run, StoredImage

MAX_SETTINGS_BYTES = 200_000
_MOST_JPEG_BYTES = 60_000
"""A segment of a JPEG ends at 65,533 bytes."""
_OPEN, _CLOSE = b"<diptych:settings>", b"</diptych:settings>"
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:diptych="urn:diptych:settings:1">{}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)
_PNG_START = b"\x89PNG\r\n\x1a\n"
_XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
_HAS_XMP = 0x04
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class CannotHold(ValueError):
    """The format has no place for settings; the message can be shown."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a file says of how it was made. Text of whoever made the file: compare it, show it, trust it with nothing."""

    run_id: str
    image_id: str
    sha256: str
    """Of the original."""
    offer: str
    prompt: str
    asked: dict[str, object]


def settings_document(run: Run, image: StoredImage) -> dict[str, object]:
    """What is embedded, and what a sidecar holds: how the image was made, without a key, an owner or an end user's id."""
    asked = {name: value for name, value in run.asked.items() if name not in ("prompt", "user") and value is not None}
    return {
        "diptych": 1,
        "product_version": VERSION,
        "run_id": run.run_id,
        "image_id": image.image_id,
        "sha256": image.sha256,
        "offer": run.offer,
        "operation": run.operation,
        "prompt": run.prompt,
        "asked": asked,
        "seed": image.seed,
        "revised_prompt": image.revised_prompt,
        "created_at": image.created_at,
    }


def with_settings(data: bytes, media_type: str, document: dict[str, object]) -> bytes:
    """A copy of the picture with the settings in it.

    Raises:
        CannotHold: a format without XMP here, or a file whose parts are not where its format says.
    """
    write = {"image/png": _in_png, "image/jpeg": _in_jpeg, "image/webp": _in_webp}.get(media_type)
    if write is None:
        raise CannotHold("This format has no place for settings. Take them as a file beside the picture.")
    try:
        return write(data, document)
    except (struct.error, IndexError, ValueError) as error:
        raise CannotHold("The settings could not be put into this file. Take them as a file beside it.") from error


def settings_in(data: bytes) -> Settings | None:
    """The settings in a file, or `None` where there are none, or none that can be read."""
    start = data.find(_OPEN)
    end = data.find(_CLOSE, start, start + MAX_SETTINGS_BYTES) if start >= 0 else -1
    if end < 0:
        return None
    try:
        found = orjson.loads(html.unescape(data[start + len(_OPEN) : end].decode()))
    except (ValueError, RecursionError):
        return None
    return _checked(found)


def _checked(found: object) -> Settings | None:
    if not isinstance(found, dict):
        return None
    run_id, image_id, sha256 = (found.get(name) for name in ("run_id", "image_id", "sha256"))
    offer, prompt, asked = found.get("offer"), found.get("prompt"), found.get("asked")
    if not (isinstance(run_id, str) and isinstance(image_id, str) and isinstance(sha256, str)):
        return None
    if not (_ID.fullmatch(run_id) and _ID.fullmatch(image_id) and _SHA256.fullmatch(sha256)):
        return None
    if not (isinstance(offer, str) and isinstance(prompt, str) and isinstance(asked, dict)):
        return None
    return Settings(run_id, image_id, sha256, offer[:300], prompt, asked)


def _packet(document: dict[str, object], most_bytes: int) -> bytes:
    """The packet; where it would be too long, without the long words, which the ids still lead to."""
    for without in ((), ("revised_prompt",), ("revised_prompt", "asked"), ("revised_prompt", "asked", "prompt")):
        left = document | {name: {} if name == "asked" else "" for name in without}
        text = html.escape(orjson.dumps(left).decode(), quote=False)
        packet = _PACKET.format(f"{_OPEN.decode()}{text}{_CLOSE.decode()}").encode()
        if len(packet) <= most_bytes:
            return packet
    raise ValueError("the settings are too long")


def _in_png(data: bytes, document: dict[str, object]) -> bytes:
    if not data.startswith(_PNG_START) or data[12:16] != b"IHDR":
        raise ValueError("no PNG")
    at = 33  # behind the header: signature 8, then length, name, 13 bytes and sum
    content = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + _packet(document, MAX_SETTINGS_BYTES)
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    return data[:at] + chunk + data[at:]


def _in_jpeg(data: bytes, document: dict[str, object]) -> bytes:
    if not data.startswith(b"\xff\xd8"):
        raise ValueError("no JPEG")
    at = 2
    while data[at : at + 2] in (b"\xff\xe0", b"\xff\xe1"):  # JFIF and EXIF come first
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    content = _XMP_IN_JPEG + _packet(document, _MOST_JPEG_BYTES)
    return data[:at] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + data[at:]


def _in_webp(data: bytes, document: dict[str, object]) -> bytes:
    chunks = _webp_chunks(data)
    packet = _packet(document, MAX_SETTINGS_BYTES)
    if chunks[0][0] != b"VP8X":
        chunks.insert(0, (b"VP8X", _webp_header(*chunks[0])))
    head = chunks[0][1]
    chunks[0] = (b"VP8X", bytes([head[0] | _HAS_XMP]) + head[1:])
    kept = [(name, content) for name, content in chunks if name != b"XMP "]
    body = b"".join(_webp_chunk(name, content) for name, content in [*kept, (b"XMP ", packet)])
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _webp_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("no WebP")
    chunks, at = [], 12
    while at + 8 <= len(data):
        (size,) = struct.unpack("<I", data[at + 4 : at + 8])
        chunks.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    if not chunks:
        raise ValueError("no chunks")
    return chunks


def _webp_chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _webp_header(name: bytes, content: bytes) -> bytes:
    """The header of a file with metadata, from the picture of one without."""
    if name == b"VP8L":
        bits = int.from_bytes(content[1:5], "little")
        width, height, has_alpha = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bits >> 28 & 1
    elif name == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack("<HH", content[6:10]))
        has_alpha = 0
    else:
        raise ValueError("an unknown WebP")
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes([0x10 if has_alpha else 0, 0, 0, 0]) + sides
