"""A multipart/form-data body as its parts (RFC 7578), found by their boundary: fast on parts of many megabytes."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from providers.demo.wire_errors import WireError


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form."""

    name: str
    filename: str | None
    """`None` for a plain text field."""
    content_type: str
    content: bytes


def form_parts(content_type: str, body: bytes) -> list[Part]:
    """The parts of `body` in their order.

    Raises:
        WireError: 400, when the type names no boundary or the body does not keep to it.
    """
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if header.get_content_type() != "multipart/form-data" or not isinstance(boundary, str) or not boundary:
        raise WireError(400, "Could not parse multipart form: no boundary in its content type.")
    # Splitting at the delimiter runs in C and copies each part once; the e-mail parser would decode and scan by line.
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise WireError(400, "Could not parse multipart form: the body ends before its closing boundary.")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, separator, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not separator:
        raise WireError(400, "Could not parse multipart form: a part has no headers.")
    headers = HeaderParser().parsestr(head.decode("utf-8", "replace"))
    name = headers.get_param("name", header="content-disposition")
    if not isinstance(name, str):
        raise WireError(400, "Could not parse multipart form: a part has no name.")
    return Part(name=name, filename=headers.get_filename(), content_type=headers.get_content_type(), content=content)
