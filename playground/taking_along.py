"""An image to take along as its owner prefers: as it came, with its settings inside a copy, or a file of them beside it."""

from __future__ import annotations

import asyncio
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import orjson

from playground import preferences
from playground.embedded import settings_document, with_settings
from playground.services import Services
from storage import history, runs
from storage.blobs import EXTENSIONS
from storage.engine import Database
from storage.records import RunView, StoredImage


@dataclass(frozen=True, slots=True)
class Copy:
    """Bytes made for a download."""

    data: bytes
    media_type: str
    ending: str


async def copy_of(services: Services, owner: str, path: Path) -> Copy | None:
    """What to send in the place of a file of the owner's; `None`: the file as it is.

    So where nothing is to be written into files, and for what no run of theirs made.
    """
    wanted = (await preferences.of_owner(services, owner)).metadata
    if wanted == "none":
        return None
    found = await asyncio.to_thread(_made_by, services, owner, path.stem)
    if found is None:
        return None
    view, image = found
    document = settings_document(view.run, image)
    data = await asyncio.to_thread(path.read_bytes)
    if wanted == "embedded":
        try:
            copy = await asyncio.to_thread(with_settings, data, image.media_type, document)
        except ValueError:
            # A format without a place for them; a file beside it holds them all the same.
            return _beside(data, path, document)
        return Copy(copy, image.media_type, EXTENSIONS[image.media_type])
    return _beside(data, path, document)


def _beside(data: bytes, path: Path, document: dict[str, object]) -> Copy:
    packed = io.BytesIO()
    name = f"diptych-{path.name[:12]}"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{name}{path.suffix}", data)
        archive.writestr(f"{name}.json", orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return Copy(packed.getvalue(), "application/zip", "zip")


def _made_by(services: Services, owner: str, sha256: str) -> tuple[RunView, StoredImage] | None:
    def read(db: Database) -> tuple[RunView, StoredImage] | None:
        maker = history.maker_of(db, sha256, owner, services.now())
        view = runs.get(db, maker[0], owner) if maker else None
        image = next((one for one in view.all_images if maker and one.image_id == maker[1]), None) if view else None
        return (view, image) if view and image else None

    return services.store.read(read)
