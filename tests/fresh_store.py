"""A new store in a moment: most tests begin with one, and making its schema step by step is tried elsewhere."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from storage.blobs_elsewhere import Elsewhere
from storage.database import Store
from storage.objects_folder import FolderObjects


def fresh(data_dir: Path) -> Path:
    """The folder as the first start of the app leaves it; one with anything in it stays as it is."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not any(data_dir.iterdir()):
        for path in _made_once().iterdir():
            if path.is_file():
                shutil.copy(path, data_dir / path.name)
    return data_dir


def home_of_images(data_dir: Path) -> Elsewhere | None:
    """Where a test's images are kept: in the data folder, or in an object store beside it where `DIPTYCH_TEST_IMAGES=file` asks
    for that, so that any test can be run as such an app would be.
    """
    if os.environ.get("DIPTYCH_TEST_IMAGES") != "file":
        return None
    return Elsewhere(FolderObjects(data_dir.with_name(f"{data_dir.name} images")), 10**9)


def database_of(_data_dir: Path) -> str | None:
    """The address of the database that holds a folder's rows, for processes that open it too; `None`: a file of the folder."""
    return None


@cache
def _made_once() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Store.open(folder).close()
    return folder
