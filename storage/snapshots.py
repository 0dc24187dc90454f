"""A copy of the store somewhere else, taken again and again while the store is in use, and put back into an empty folder.

A snapshot is files named by their SHA-256 (the rows as one database, the votes as JSON lines, each image once) and one
`manifest.json` that lists them. The manifest is written last, so what it lists is there; whoever reads it checks every
hash. A shelf holds one snapshot; what a newer one no longer lists is deleted, so what is deleted here goes there too.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from storage.anchors import anchor_of_copy
from storage.connections import connect_untouching, of_copy
from storage.database import Store
from storage.errors import SnapshotFailed
from storage.files import make_folder, replace_durably, sync_folder
from storage.manifest import MANIFEST, FileName, Manifest, read_manifest
from storage.opening import DATABASE_NAME, MARKER_NAME, prepare_folder
from storage.rows import fetch
from storage.tallies import SIDES
from storage.verify import kept_hashes

KNOWN_NAME = "SNAPSHOT"
"""File of the data folder that names the snapshot the store goes on from."""
ASIDE = "aside/"
"""Where the manifest of a snapshot that somebody else wrote meanwhile is moved, with what it lists left in its place."""
RESTORING = ".restoring"
_BATCH_FILES = 100
_PIECE_BYTES = 2**20

_VOTES = " ".join(
    [
        "select v.*,",
        SIDES,
        ", b.board, b.is_demo, b.category, b.prompt_id, b.source, b.probability, b.created_at",
        "from votes as v join battles as b on b.battle_id = v.battle_id order by v.seq",
    ]
)


class Shelf(Protocol):
    """Where snapshots are kept. Every method blocks, and raises SnapshotFailed with a sentence that can be shown."""

    def names(self) -> set[str]:
        """All files there; none where nothing was ever written."""

    def read(self, name: str) -> bytes | None:
        """A small file, or `None` when it is not there."""

    def fetch(self, names: Sequence[str], folder: Path) -> None:
        """Writes each file to its name below the folder."""

    def put(self, files: Mapping[str, Path | bytes]) -> None:
        """Writes files, which replace those of the same name; all of them are there when it returns."""

    def delete(self, names: Sequence[str]) -> None:
        """Deletes files."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of taking a snapshot."""

    manifest: Manifest
    new_files: int
    """Files that went up; 0 when nothing had changed since the last one."""
    aside: str | None = None
    """Where the manifest lies that somebody else had written meanwhile."""


def take(store: Store, shelf: Shelf, *, made_at: str, version: str) -> Taken:
    """Brings the shelf up to date with the store, which goes on meanwhile. Only what is new goes up. Blocking.

    Raises:
        SnapshotFailed: the shelf refused; what was there before can still be put back.
        StoreError: the rows could not be copied.
    """
    with _folder_in(store.data_dir) as folder:
        copy = folder / DATABASE_NAME
        store.backup(copy)
        there = _manifest_of(shelf)
        is_ours = there is not None and there.snapshot_id == known_snapshot(store.data_dir)
        rows = _named("database", "sqlite3", copy)
        if there is not None and is_ours and there.database == rows:
            return Taken(there, 0)
        votes, blobs = _read_copy(copy, folder, store)
        votes_at = anchor_of_copy(copy)
        manifest = Manifest(secrets.token_hex(16), made_at, version, rows, votes[0], blobs, votes_at)
        aside = _put_aside(shelf, there) if there is not None and not is_ours else None
        names = shelf.names()
        new: dict[str, Path | bytes] = {
            str(name): store.data_dir / str(name) for name in blobs if str(name) not in names
        }
        # The rows come after the bytes they speak of, the manifest after everything it lists.
        new |= {str(rows): copy, str(votes[0]): votes[1]}
        for batch in _batches(new):
            shelf.put(batch)
        _refuse_unwhole(shelf, manifest)
        shelf.put({MANIFEST: manifest.text()})
        remember(store.data_dir, manifest.snapshot_id)
        _prune(shelf, manifest)
        return Taken(manifest, len(new), aside)


def restore(data_dir: Path, shelf: Shelf) -> Manifest | None:
    """Puts the shelf's snapshot into a folder that holds no data yet; `None` where there is no snapshot. Blocking.

    Raises:
        SnapshotFailed: the folder holds data, or the snapshot is not whole, or not as it was written, or cannot be had.
            The folder is as it was.
    """
    prepare_folder(data_dir)
    _clear_cut_restore(data_dir)
    if holds_data(data_dir):
        raise SnapshotFailed(f"The data folder {str(data_dir)!r} holds data already, so no snapshot is put over it.")
    manifest = _manifest_of(shelf)
    if manifest is None:
        return None
    folder = data_dir / RESTORING
    make_folder(folder)
    try:
        names = [manifest.database, *manifest.blobs]
        shelf.fetch([str(name) for name in names], folder)
        for name in names:
            _check(folder / str(name), name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _move_in(folder, data_dir, manifest)
    return manifest


def holds_data(data_dir: Path) -> bool:
    """Whether the folder is, or once was, that of a store."""
    database = data_dir / DATABASE_NAME
    return (
        (database.exists() and database.stat().st_size > 0)
        or (data_dir / MARKER_NAME).exists()
        or any(file.is_file() for file in (data_dir / "blobs").glob("??/*"))
    )


def known_snapshot(data_dir: Path) -> str | None:
    """The snapshot that the store goes on from: the last one it wrote, or was made from."""
    try:
        return (data_dir / KNOWN_NAME).read_text(encoding="ascii").strip() or None
    except (FileNotFoundError, UnicodeDecodeError):
        return None


def remember(data_dir: Path, snapshot_id: str) -> None:
    """From now on the store goes on from this snapshot."""
    part = data_dir / f".{KNOWN_NAME}.{secrets.token_hex(8)}"
    part.write_text(f"{snapshot_id}\n", encoding="ascii")
    replace_durably(part, data_dir / KNOWN_NAME)


def _manifest_of(shelf: Shelf) -> Manifest | None:
    text = shelf.read(MANIFEST)
    return read_manifest(text) if text is not None else None


def _read_copy(copy: Path, folder: Path, store: Store) -> tuple[tuple[FileName, Path], tuple[FileName, ...]]:
    """The votes as a file, and the files that the rows speak of. From the copy, so that all three are of one moment."""
    with closing(connect_untouching(copy)) as conn:
        db = of_copy(conn)
        votes = folder / "votes.jsonl"
        with votes.open("wb") as file:
            for row in fetch(db, _VOTES):
                sides = {"competitor_a": row["offer_a"], "competitor_b": row["offer_b"]}
                file.write(orjson.dumps(sides | row, option=orjson.OPT_APPEND_NEWLINE))
        spoken_of = kept_hashes(db)
    blobs = tuple(
        FileName("blobs", sha256, path.suffix[1:], path.stat().st_size)
        for sha256, path in store.blobs.only_here()
        if sha256 in spoken_of
    )
    return (_named("votes", "jsonl", votes), votes), blobs


def _named(kind: str, extension: str, path: Path) -> FileName:
    return FileName(kind, _sha256(path), extension, path.stat().st_size)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()


def _check(path: Path, name: FileName) -> None:
    """Raises: SnapshotFailed when the file is not the one that was written."""
    if not path.is_file():
        raise SnapshotFailed(f"The snapshot is not whole: {name} is missing. Nothing was put back.")
    if path.stat().st_size != name.size_bytes or _sha256(path) != name.sha256:
        raise SnapshotFailed(f"The snapshot is damaged: {name} is not what was written. Nothing was put back.")


def _move_in(folder: Path, data_dir: Path, manifest: Manifest) -> None:
    """The database last: as long as it is missing, `_clear_cut_restore` knows that the rest is of no store."""
    remember(data_dir, manifest.snapshot_id)
    if (folder / "blobs").is_dir():
        shutil.rmtree(data_dir / "blobs", ignore_errors=True)
        (folder / "blobs").replace(data_dir / "blobs")
    replace_durably(folder / str(manifest.database), data_dir / DATABASE_NAME)
    shutil.rmtree(folder, ignore_errors=True)
    sync_folder(data_dir)


def _clear_cut_restore(data_dir: Path) -> None:
    """Removes what a restore left that was cut off."""
    folder = data_dir / RESTORING
    if not folder.is_dir():
        return
    if not (data_dir / DATABASE_NAME).exists():
        shutil.rmtree(data_dir / "blobs", ignore_errors=True)
        (data_dir / KNOWN_NAME).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _refuse_unwhole(shelf: Shelf, manifest: Manifest) -> None:
    """Somebody else who writes there may have deleted what this store had not listed yet."""
    missing = sorted(set(manifest.names()) - shelf.names())
    if missing:
        raise SnapshotFailed(
            f"{len(missing)} files of the snapshot are not there, {missing[0]} first. It was not ended."
        )


def _put_aside(shelf: Shelf, there: Manifest) -> str:
    """Keeps a snapshot that this store does not come from: what it lists stays as long as its manifest does."""
    name = f"{ASIDE}{there.made_at.replace(':', '-')}-{there.snapshot_id}.json"
    shelf.put({name: there.text()})
    return name


def _prune(shelf: Shelf, manifest: Manifest) -> None:
    """Deletes what neither this snapshot nor one that was put aside lists; files of other names are not ours."""
    names = shelf.names()
    listed = set(manifest.names())
    for name in names:
        if name.startswith(ASIDE):
            text = shelf.read(name)
            listed |= set(read_manifest(text).names()) if text is not None else set()
    unlisted = sorted(name for name in names if FileName.read(name, 0) is not None and name not in listed)
    for at in range(0, len(unlisted), _BATCH_FILES):
        shelf.delete(unlisted[at : at + _BATCH_FILES])


def _batches(files: Mapping[str, Path | bytes]) -> Iterator[dict[str, Path | bytes]]:
    names = list(files)
    for at in range(0, len(names), _BATCH_FILES):
        yield {name: files[name] for name in names[at : at + _BATCH_FILES]}


@contextmanager
def _folder_in(data_dir: Path) -> Iterator[Path]:
    """A folder for the copy while it goes up; what a crash left of an earlier one is removed."""
    for left in data_dir.glob(".snapshot-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=data_dir, prefix=".snapshot-") as folder:
        yield Path(folder)
