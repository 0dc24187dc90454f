"""The contract of a wire format: build a call, read an answer. Pure on both sides; sending is `transport`'s work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from providers.catalog import ModelSpec, Offer
from providers.errors import ProviderError
from providers.types import Answered, FieldHandling, GeneratedImage, ImageRequest, ImageResult, PartialImage


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a multipart body."""

    name: str
    filename: str
    media_type: str
    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One HTTP request, without address and key. Has either a JSON body or form parts."""

    method: str
    path: str
    """Below the provider's base URL, with a leading slash."""
    json: Mapping[str, object] | None = None
    form: tuple[tuple[str, str], ...] = ()
    files: tuple[FilePart, ...] = ()
    is_stream: bool = False
    """Whether the answer comes as server-sent events."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: status, headers with lower-case names, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


StreamItem = PartialImage | GeneratedImage | Answered
"""What one server-sent event can hold. A finished image is followed by its `Answered`."""


class Adapter(Protocol):
    """One wire format."""

    def build(self, request: ImageRequest, offer: Offer, spec: ModelSpec) -> tuple[HttpCall, tuple[FieldHandling, ...]]:
        """The call, and what became of each asked field. Never raises for bad values; `checks` reports those."""
        ...

    def parse(self, reply: Reply) -> ImageResult:
        """The images of a 2xx answer. Raises: MalformedReply, or the error the body reports."""
        ...

    def parse_event(self, event: str, data: bytes, headers: Mapping[str, str]) -> tuple[StreamItem, ...]:
        """What one server-sent event says; empty for one that says nothing. Raises: ProviderError."""
        ...

    def parse_error(self, reply: Reply) -> ProviderError:
        """The error of a non-2xx answer: status first, then the provider's code, words last."""
        ...


def call_document(call: HttpCall) -> dict[str, object]:
    """The call's body as JSON that can be shown and stored: files by name, type, size and SHA-256."""
    if call.json is not None:
        return dict(call.json)
    parts: list[dict[str, object]] = [{"name": name, "value": value} for name, value in call.form]
    parts += [
        {
            "name": part.name,
            "filename": part.filename,
            "content_type": part.media_type,
            "bytes": len(part.data),
            "sha256": part.sha256,
        }
        for part in call.files
    ]
    return {"multipart": parts}
