"""The literal request as a person reads it: method, whole address, headers, body. Keys and files stand there by name. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from playground.samples.literals import JSON, Leaf, quoted, source
from playground.samples.subject import Subject
from providers.adapter import Attachment, FilePart, SecretKey
from providers.bodies import NEW_ID
from providers.transport import USER_AGENT

_HASH_SHOWN = 12
_WAYS = {"data_uri": "as data URI", "base64": "as base64"}


@dataclass(frozen=True, slots=True)
class LiteralRequest:
    """One HTTP request."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str


def literal_request(subject: Subject) -> LiteralRequest:
    """The call as it goes out."""
    return LiteralRequest(subject.call.method, subject.url, tuple(_headers(subject).items()), _body(subject))


def _headers(subject: Subject) -> dict[str, str]:
    """Those that are set on purpose; the HTTP library adds length, host and connection."""
    call = subject.call
    headers = {"Accept": "text/event-stream" if call.is_stream else "application/json"}
    if subject.key_variable:
        headers["Authorization"] = f"{subject.scheme} ${subject.key_variable}"
    headers["Content-Type"] = "application/json" if call.json is not None else "multipart/form-data"
    return headers | dict(call.headers) | {"User-Agent": USER_AGENT}


def _body(subject: Subject) -> str:
    call = subject.call
    if call.json is not None:
        return source(call.json, JSON, lambda leaf: quoted(_leaf(leaf, subject)))
    fields = [f"{name}: {value}" for name, value in call.form]
    return "\n".join([*fields, *(f"{part.name}: <{_file(part)}>" for part in call.files)])


def _leaf(leaf: Leaf, subject: Subject) -> str:
    if isinstance(leaf, SecretKey):
        return f"${leaf.variable}"
    if isinstance(leaf, Attachment):
        way = "uploaded first, its address stands here" if subject.is_uploaded(leaf) else _WAYS[leaf.form]
        return f"<{_file(leaf)}, {way}>"
    return f"<{NEW_ID}>"


def _file(file: FilePart | Attachment) -> str:
    """`image-1.png, image/png, 1.2 MB, sha256 9f86d081884c…`."""
    return f"{file.filename}, {file.media_type}, {bytes_text(len(file.data))}, sha256 {file.sha256[:_HASH_SHOWN]}…"


def bytes_text(count: int) -> str:
    """`820 bytes`, `34 kB`, `1.2 MB`."""
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 999_500 else f"{count / 1e6:.1f} MB"
