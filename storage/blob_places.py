"""Where images may be kept other than in the data folder, and how such a place is written. Loads no client of any of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from storage.hub_places import PLACE

_S3 = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<folder>(?:/[A-Za-z0-9_][\w.=-]{0,95})*)", re.ASCII
)
_FORMS = "s3://bucket/folder, hf://buckets/owner/name/folder or file:///folder"


@dataclass(frozen=True, slots=True)
class BlobPlace:
    """A place for images. It holds no key: those are found by each store's own client, or given beside it."""

    kind: Literal["s3", "hf", "file"]
    root: str
    """The bucket's name, the bucket's owner and name, or the folder."""
    folder: str = ""
    """Below the bucket, without slashes at its ends."""

    @property
    def path(self) -> Path:
        """Of a folder."""
        return Path(self.root)

    @property
    def url(self) -> str:
        """As it is written in the setting, and shown."""
        if self.kind == "file":
            return self.path.as_uri()
        start = f"s3://{self.root}" if self.kind == "s3" else f"hf://buckets/{self.root}"
        return f"{start}/{self.folder}" if self.folder else start


def read_place(text: str) -> BlobPlace:
    """The place that is written so.

    Raises:
        ValueError: it is none of the three forms; the message says what is expected and quotes nothing, as it may hold a
            key.
    """
    text = text.strip().rstrip("/")
    if found := _S3.fullmatch(text):
        return BlobPlace("s3", found["bucket"], found["folder"].strip("/"))
    if (found := PLACE.fullmatch(text)) and found["kind"] == "buckets":
        return BlobPlace("hf", found["id"], found["folder"].strip("/"))
    parts = urlsplit(text)
    if parts.scheme == "file" and not (parts.netloc or parts.query or parts.fragment) and len(parts.path) > 1:
        return BlobPlace("file", str(Path(unquote(parts.path)).absolute()))
    raise ValueError(f"must be {_FORMS}, without any key in it")
