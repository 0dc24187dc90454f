"""What the environment says of the object store that images are kept in, if any. Loads neither the store nor its client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playground.addresses import SettingsError
from playground.secrets import Secret
from storage.blob_places import BlobPlace, read_place

VARIABLES = (
    (
        "DIPTYCH_BLOBS_URL",
        "`blobs/` in the data folder",
        "Object store that images are kept in: `s3://bucket/folder` (needs `requirements-scale.txt`; keys and another address "
        "than Amazon's by `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL_S3`), `hf://buckets/owner/name` (by "
        "`HF_TOKEN`) or `file:///folder`, another disk. See [deploy](docs/deploy.md).",
    ),
    (
        "DIPTYCH_BLOBS_CACHE_MB",
        "`5000`",
        "Most that copies of images in such a store take of the data folder, in megabytes; what waits to go up comes on top.",
    ),
    (
        "DIPTYCH_BLOBS_REDIRECT",
        "`off`",
        "`on`: an image opened by itself in the browser comes from the store, by an address that is good for a minute.",
    ),
)
"""Name, default and meaning of each."""


@dataclass(frozen=True, slots=True)
class ImageStore:
    """An object store for images, as the operator named it."""

    place: BlobPlace
    cache_mb: int
    redirects: bool
    token: Secret | None
    """For the Hub."""
    endpoint: str | None
    """Another Hub than the public one."""
    aws_secret: Secret | None
    """Read here only so that it is never printed; the client of S3 finds it by itself."""

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """What must never be printed."""
        return tuple(secret for secret in (self.token, self.aws_secret) if secret)


def read_image_store(
    environ: Mapping[str, str], *, cache_mb: int, redirects: bool, endpoint: str | None
) -> ImageStore | None:
    """The store that is named, if one is. Raises: SettingsError."""
    text = environ.get("DIPTYCH_BLOBS_URL", "").strip()
    if not text:
        return None
    try:
        place = read_place(text)
    except ValueError as error:
        # Not quoted: somebody may have put a key into it.
        raise SettingsError(f"DIPTYCH_BLOBS_URL {error}.", "DIPTYCH_BLOBS_URL") from None
    token, aws_secret = (environ.get(name, "").strip() for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY"))
    return ImageStore(
        place,
        cache_mb,
        redirects,
        Secret(token) if token else None,
        endpoint,
        Secret(aws_secret) if aws_secret else None,
    )
