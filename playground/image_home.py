"""The way to the object store that images are kept in."""

from __future__ import annotations

from importlib.util import find_spec

from playground.addresses import SettingsError
from playground.image_store import ImageStore
from storage.blobs_elsewhere import Elsewhere
from storage.objects import ObjectStore
from storage.objects_folder import FolderObjects
from storage.objects_hub import bucket_at
from storage.objects_s3 import S3Objects

_MB = 1_000_000


def elsewhere_of(store: ImageStore | None) -> Elsewhere | None:
    """The way to the store; `None` where images are kept in the data folder. Asks nobody.

    Raises:
        SettingsError: what it needs is not installed.
    """
    return Elsewhere(_objects(store), store.cache_mb * _MB) if store else None


def _objects(store: ImageStore) -> ObjectStore:
    if store.place.kind == "file":
        return FolderObjects(store.place.path)
    if store.place.kind == "hf":
        return bucket_at(store.place, store.token.reveal() if store.token else None, store.endpoint)
    if find_spec("s3fs") is None:
        raise SettingsError(
            "DIPTYCH_BLOBS_URL names an S3 bucket, but the package s3fs is not installed. Run pip install -r "
            "requirements-scale.txt, or leave DIPTYCH_BLOBS_URL out.",
            "DIPTYCH_BLOBS_URL",
        )
    return S3Objects(store.place)
