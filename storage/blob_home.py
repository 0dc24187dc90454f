"""Where the images of a data folder have their home: the folder itself, or the object store that its file `IMAGES-AT` names.

Who opens the folder with another home than it has is refused, because images would be missing at the one and strays at the
other. The first time a store is named, all images that are in the folder begin to go there.
"""

from __future__ import annotations

import logging
from pathlib import Path

from storage.blobs import BlobFolder
from storage.blobs_elsewhere import LOCK, SPOOL, BlobsElsewhere, Elsewhere
from storage.errors import ImagesAway, ImagesElsewhere
from storage.files import write_durably

log = logging.getLogger(__name__)

NAME = "IMAGES-AT"
"""File of the data folder that names the object store of its images."""
ELSEWHERE = (NAME, SPOOL, LOCK)
"""What is in the data folder beside the blobs, where they are kept elsewhere."""


def open_blobs(data_dir: Path, elsewhere: Elsewhere | None) -> BlobFolder:
    """The blobs of a data folder. A store that does not answer now is told of by `away` and holds up nothing.

    Raises:
        ImagesElsewhere: they are kept at another place.
        OSError: the folder cannot be written.
    """
    root, known = data_dir / "blobs", home_of(data_dir)
    if known != (elsewhere.objects.url if elsewhere else None) and known is not None:
        raise ImagesElsewhere(
            f"The images of the data folder {str(data_dir)!r} are kept at {known}. Set DIPTYCH_BLOBS_URL to it. To move them, "
            f"copy what is there to the new place (for the folder itself: to {str(root)!r}), then write its address into "
            f"the file {NAME} of the data folder, or delete that file where they are in the folder."
        )
    if elsewhere is None:
        return BlobFolder(root)
    try:
        elsewhere.objects.prepare(is_first=known is None)
    except ImagesAway as error:
        log.warning("%s New images wait on this disk until it can be used.", error)
    blobs = BlobsElsewhere(root, elsewhere)
    if known is None:
        blobs.adopt()
        _remember(data_dir, elsewhere.objects.url)
    blobs.start()
    return blobs


def home_of(data_dir: Path) -> str | None:
    """The object store of the folder's images; `None` where they are in the folder."""
    try:
        return (data_dir / NAME).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def _remember(data_dir: Path, url: str) -> None:
    write_durably(data_dir / NAME, f"{url}\n".encode(), temporary_in=data_dir)
