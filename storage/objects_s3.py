"""An S3 bucket as an object store, by fsspec and s3fs. The one file that knows them. fsspec is always there; it loads s3fs,
which comes with `requirements-scale.txt`, when the first bucket is opened.

Keys, region and another endpoint than Amazon's are found as every AWS client finds them (`AWS_ACCESS_KEY_ID`,
`AWS_ENDPOINT_URL_S3`, `~/.aws`, the machine's role). An object is put in one call, so nobody ever sees half of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec

from storage.blob_places import BlobPlace
from storage.errors import ImagesAway, Why
from storage.objects import StoredObject

CONNECT_S, SILENT_S, CALL_S = 4.0, 15.0, 60.0
"""Longest wait for a connection, for the next byte, and for a whole call."""
_REFUSED = (401, 403)
_FULL_STATUS, _FULL_CODES = (
    (402, 413, 507),
    ("QuotaExceeded", "EntityTooLarge", "XMinioStorageFull", "InsufficientStorage"),
)
_EXISTS, _NOT_KNOWN = 412, 501


class S3Objects:
    """Objects of a bucket below a folder."""

    def __init__(self, place: BlobPlace) -> None:
        self.url = place.url
        self._bucket = place.root
        self._below = f"{place.folder}/" if place.folder else ""
        # Retries are ours: a call that fails is told of at once.
        config = {
            "connect_timeout": CONNECT_S,
            "read_timeout": SILENT_S,
            "retries": {"total_max_attempts": 1},
            "signature_version": "s3v4",
        }
        self._files: Any = fsspec.filesystem(
            "s3", skip_instance_cache=True, use_listings_cache=False, max_concurrency=1, config_kwargs=config
        )
        self._files.retries = 1
        self._is_conditional = True

    def prepare(self, *, is_first: bool) -> None:
        """Nothing: the bucket is its owner's to make, and the first call says whether it is there."""

    def head(self, name: str) -> StoredObject | None:
        """See `ObjectStore`."""
        try:
            found = self._call("head_object", Key=self._below + name)
        except FileNotFoundError:
            return None
        return StoredObject(name, found["ContentLength"], found["LastModified"].timestamp())

    def under(self, stem: str) -> list[StoredObject]:
        """See `ObjectStore`."""
        return self._page(self._call("list_objects_v2", Prefix=f"{self._below}{stem}."))

    def get(self, name: str) -> bytes | None:
        """See `ObjectStore`."""
        try:
            with self._told():
                return bytes(self._files.cat_file(f"{self._bucket}/{self._below}{name}", timeout=CALL_S))
        except FileNotFoundError:
            return None

    def put(self, name: str, data: bytes, media_type: str, *, replace: bool = False) -> None:
        """See `ObjectStore`."""
        only = {"IfNoneMatch": "*"} if self._is_conditional and not replace else {}
        try:
            self._put(name, data, media_type, only)
        except ImagesAway as error:
            status = _status(error.__cause__)
            if only and status == _EXISTS:
                return
            if not only or status != _NOT_KNOWN:
                raise
            # A store of another make. Under a name by hash only the same bytes can be put.
            self._is_conditional = False
            self._put(name, data, media_type, {})

    def delete(self, name: str) -> None:
        """See `ObjectStore`."""
        self._call("delete_object", Key=self._below + name)

    def all(self) -> Iterator[StoredObject]:
        """See `ObjectStore`."""
        more: dict[str, str] = {}
        while True:
            found = self._call("list_objects_v2", Prefix=self._below, **more)
            yield from self._page(found)
            if not found.get("IsTruncated"):
                return
            more = {"ContinuationToken": found["NextContinuationToken"]}

    def signed_address(self, name: str, media_type: str, for_s: int) -> str | None:
        """See `ObjectStore`. Asks nobody: it is computed from the key."""
        with self._told():
            return str(
                self._files.url(
                    f"{self._bucket}/{self._below}{name}",
                    expires=for_s,
                    ResponseContentType=media_type,
                    ResponseContentDisposition="inline",
                    ResponseCacheControl="private, no-store",
                )
            )

    def _put(self, name: str, data: bytes, media_type: str, only: dict[str, str]) -> None:
        try:
            self._call("put_object", Key=self._below + name, Body=data, ContentType=media_type, **only)
        except FileNotFoundError as error:
            raise self._away(error) from error

    def _page(self, found: dict[str, Any]) -> list[StoredObject]:
        return [
            StoredObject(row["Key"].removeprefix(self._below), row["Size"], row["LastModified"].timestamp())
            for row in found.get("Contents", ())
        ]

    def _call(self, method: str, **more: object) -> dict[str, Any]:
        """Raises: ImagesAway; FileNotFoundError where the object is not there."""
        with self._told():
            found: dict[str, Any] = self._files.call_s3(method, Bucket=self._bucket, timeout=CALL_S, **more)
            return found

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raises: ImagesAway; FileNotFoundError where the object is not there, and its bucket is.

        What s3fs, its client, their HTTP library and the event loop below raise has no base in common; whatever it is, the
        object was not had, and the image waits or is not shown.
        """
        try:
            yield
        except FileNotFoundError as error:
            if _code(error) == "NoSuchBucket":
                raise ImagesAway(f"There is no bucket {self._bucket!r} at the object store.", why="refuses") from error
            raise
        except Exception as error:
            raise self._away(error) from error

    def _away(self, error: Exception) -> ImagesAway:
        """Names the place and the store's own word, which holds no key."""
        status, code = _status(error), _code(error)
        if status in _REFUSED or type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
            words = f"The object store {self.url} refuses ({code or type(error).__name__}): key missing or without that right."
        elif status is not None:
            words = f"The object store {self.url} refuses for now: {code or 'no reason given'} (status {status})."
        else:
            words = f"The object store {self.url} gives no answer ({type(error).__name__})."
        return ImagesAway(words, why=_why(error))


def _why(error: Exception) -> Why:
    status, code = _status(error), _code(error)
    if status in _FULL_STATUS or code in _FULL_CODES:
        return "full"
    is_keyless = type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError")
    return "refuses" if is_keyless or status in (*_REFUSED, 404) else "silent"


def _status(error: BaseException | None) -> int | None:
    """The HTTP status behind an error of s3fs, which keeps the client's own as its cause."""
    for each in (error, getattr(error, "__cause__", None)):
        response = getattr(each, "response", None)
        if isinstance(response, dict):
            found = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            return found if isinstance(found, int) else None
    return None


def _code(error: BaseException | None) -> str:
    for each in (error, getattr(error, "__cause__", None)):
        response = getattr(each, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))[:64]
    return ""
