"""The audit of a store: every row has its bytes, every byte its row, the ledger agrees with the runs, the sums of votes
with the votes, and the votes with their chain.

It changes nothing and may run beside the app; what is being written at that moment can then show up as a file without
a row. Files are read piece by piece, so memory does not grow with their size.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from storage import facts, ledger_audit, tallies, vote_chain
from storage.anchors import Anchor, lost
from storage.blobs import EXTENSIONS, INCOMING, LEFTOVER_AFTER_S, is_blob_name
from storage.coming import SUFFIX, left_over
from storage.database import Store
from storage.engine import Database
from storage.freeing import freed
from storage.objects_audit import ObjectsThere
from storage.problems import Problem as Problem
from storage.problems import ProblemKind
from storage.rows import Row, fetch

_PIECE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class _Kept:
    """Bytes that a row speaks of."""

    sha256: str
    media_type: str | None
    """`None` where the row does not say."""
    size_bytes: int | None
    """`None` where the row does not say."""
    holder: str
    """The row, in words."""


_KEPT = """
    select sha256, media_type, size_bytes, 'image ' || image_id as holder from images
        where deleted_at is null
    union all select converted_sha256, converted_type, null, 'converted image ' || image_id from images
        where converted_sha256 is not null and deleted_at is null
    union all select sha256, media_type, size_bytes, kind || ' image of ' || image_id from derived_images
    union all select mask_sha256, null, null, 'mask of image ' || base_sha256 from masks
    union all select sha256, media_type, null, role || ' ' || position || ' of run ' || run_id from inputs
    union all select sha256, media_type, null, 'preview ' || partial_position || ' of run ' || run_id from partials
    union all select sha256, media_type, size_bytes, 'upload ' || name from uploads
    union all select unreadable_sha256, null, null, 'unreadable answer of run ' || run_id from runs
        where unreadable_sha256 is not null
"""

_LEDGER_RULES: tuple[tuple[ProblemKind, str, str], ...] = (
    (
        "ledger_missing",
        "the run has no line in the ledger, so its cost is counted nowhere",
        "select run_id from runs where run_id not in (select run_id from ledger) order by seq",
    ),
    (
        "ledger_unsettled",
        "the run is over but its money is still reserved",
        """select distinct r.seq, r.run_id from runs as r join ledger as l on l.run_id = r.run_id
        where r.state not in ('queued', 'sending', 'waiting', 'downloading') and l.state = 'reserved' order by r.seq""",
    ),
    (
        "ledger_unreserved",
        "the run is still open but its money is no longer reserved",
        """select distinct r.seq, r.run_id from runs as r join ledger as l on l.run_id = r.run_id
        where r.state in ('queued', 'sending', 'waiting', 'downloading') and l.state != 'reserved' order by r.seq""",
    ),
)


def verify(store: Store, *, reads_objects: bool = False) -> list[Problem]:
    """All that is wrong with a store, empty when nothing is. Of images in an object store names and sizes are looked at; every
    byte with `reads_objects`.

    Raises:
        StoreError: the database cannot be read at all.
    """
    # Files first: what is put there afterwards has its row later still, and is then not taken for a stray.
    files, sizes = _check_files(store)
    there = ObjectsThere.of(store.blobs, reads_them=reads_objects)
    rows, kept, going = store.read(lambda db: (list(_check_rows(store, db)), _kept(db), freed(db)))
    # What was deleted for ever and is about to go: whoever is killed in between leaves no stray.
    known = {each.sha256 for each in kept} | going | {one.sha256 for one in left_over(store.blobs)}
    return [
        *rows,
        *(problem for problem in files if not _is_of(problem, going)),
        *(problem for each in kept if (problem := _check_kept(store, each, sizes, there))),
        *there.problems_of_others(known),
        *(
            Problem("blob_unknown", sha256, "no row speaks of these bytes; a crash may have come between the two")
            for sha256 in sizes
            if sha256 not in known
        ),
        *_check_thumbnails(store, known),
    ]


def check_anchor(store: Store, anchor: Anchor) -> list[Problem]:
    """What of the votes that the anchor knew is missing; empty when nothing is."""
    missing = store.read(lambda db: lost(db, anchor))
    if missing is None:
        return []
    parts = [f"{_span(missing.votes)} of the anchor's {anchor.at.votes:,} votes are missing or not what they were"]
    if missing.others[1]:
        parts.append(f"so are {_span(missing.others)} notes of votes taken back or parted from their voters")
    advice = "the database was put back from an older copy, shortened, or is another one; put back a newer backup"
    return [Problem("anchor_differs", "votes", f"{', '.join(parts)}: {advice}")]


def _span(at_least_and_most: tuple[int, int]) -> str:
    least, most = at_least_and_most
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _is_of(problem: Problem, going: set[str]) -> bool:
    """Whether it is a file that was moved away to be deleted."""
    return problem.kind == "temporary_file" and problem.subject.rsplit("/", 1)[-1].split(".", 1)[0] in going


def kept_hashes(db: Database) -> set[str]:
    """SHA-256 of all bytes that rows speak of."""
    return {each.sha256 for each in _kept(db)}


def _check_rows(store: Store, db: Database) -> Iterator[Problem]:
    for subject, message in store.damage(db):
        yield Problem("database" if subject == "database" else "foreign_key", subject, message)
    for kind, message, sql in _LEDGER_RULES:
        for row in fetch(db, sql):
            yield Problem(kind, str(row["run_id"]), message)
    for subject, message in ledger_audit.differences(db):
        yield Problem("ledger_sum_differs", subject, message)
    yield from _check_tallies(db)
    for broken in vote_chain.breaks(db):
        yield Problem(*broken)
    for run_id in facts.differing_facts(db):
        yield Problem("facts_differ", run_id, "lists find and sort the run by figures that are not its own")


def _check_tallies(db: Database) -> Iterator[Problem]:
    held, true = tallies.held(db), tallies.recounted(db)
    for key in sorted(held.keys() | true.keys(), key=str):
        if held.get(key, 0) != true.get(key, 0):
            words = (
                f"the sum says {held.get(key, 0)} votes, the votes themselves {true.get(key, 0)}; boards show the sum"
            )
            yield Problem("tally_differs", " ".join(map(str, key)), words)


def _kept(db: Database) -> list[_Kept]:
    def kept(row: Row) -> _Kept:
        return _Kept(row["sha256"], row["media_type"], row["size_bytes"], row["holder"])

    return [kept(row) for row in fetch(db, _KEPT)]


def _check_files(store: Store) -> tuple[list[Problem], dict[str, int]]:
    """Problems of the blob folder, and the size of each blob by its name, damaged ones included."""
    problems: list[Problem] = []
    sizes: dict[str, int] = {}
    for path in _files_below(store.blobs.root):
        if _is_temporary(path, store.blobs.root):
            problems += _temporary(store, path)
        elif path.is_symlink() or not is_blob_name(path):
            problems.append(_stray(store, path))
        else:
            try:
                sha256, sizes[path.stem] = _hash_file(path)
            except FileNotFoundError:  # deleted since it was listed
                continue
            if sha256 != path.stem:
                problems.append(
                    Problem(
                        "blob_damaged", path.stem, f"the file {_name(store, path)} has other bytes than its name says"
                    )
                )
    return problems, sizes


def _check_kept(store: Store, kept: _Kept, sizes: dict[str, int], objects: ObjectsThere) -> Problem | None:
    problem = objects.problem_of(kept.sha256, kept.media_type, kept.size_bytes, kept.holder)
    # Where there is an object, a copy on this disk may be there or not.
    if problem or (objects.has(kept.sha256) and kept.sha256 not in sizes):
        return problem
    if kept.media_type is None:
        there = kept.sha256 in sizes
    elif kept.media_type not in EXTENSIONS:
        return Problem(
            "blob_missing", kept.sha256, f"{kept.holder} has media type {kept.media_type!r}, never kept here"
        )
    else:
        there = _has_file(store, kept.sha256, kept.media_type)
    if not there:
        return Problem("blob_missing", kept.sha256, f"the bytes of {kept.holder} are not there")
    size = sizes.get(kept.sha256, kept.size_bytes)
    if kept.size_bytes is not None and size != kept.size_bytes:
        return Problem("size_differs", kept.sha256, f"{kept.holder} has {kept.size_bytes} bytes, its file {size}")
    return None


def _has_file(store: Store, sha256: str, media_type: str) -> bool:
    try:
        return store.blobs.path(sha256, media_type).is_file()
    except ValueError:  # 64 characters, as the schema asks, but no hash
        return False


def _check_thumbnails(store: Store, known: set[str]) -> Iterator[Problem]:
    for path in _files_below(store.thumbs.root):
        if _is_temporary(path, store.thumbs.root):
            yield from _temporary(store, path)
        elif path.is_symlink() or not is_blob_name(path) or path.suffix != ".webp":
            yield _stray(store, path)
        elif path.stem not in known:
            yield Problem("thumbnail_unknown", path.stem, "a thumbnail of an image that no row speaks of")


def _files_below(root: Path) -> Iterator[Path]:
    """Every file below a folder, by name; one folder's names at a time are held in memory."""
    for path in sorted(root.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _files_below(path)
        else:
            yield path


def _hash_file(path: Path) -> tuple[str, int]:
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


def _is_temporary(path: Path, root: Path) -> bool:
    return path.parent == root / INCOMING or path.suffix in (".tmp", ".part")


def _temporary(store: Store, path: Path) -> list[Problem]:
    """A young one is being written, or a crash left it a moment ago: the next start after an hour deletes it. A name of an
    image on its way waits for the next start, whenever that is.
    """
    try:
        age_s = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return []
    if age_s < LEFTOVER_AFTER_S or path.suffix == SUFFIX:
        return []
    message = "a file that was never finished: a crash left it, and the next start deletes it"
    return [Problem("temporary_file", _name(store, path), message)]


def _stray(store: Store, path: Path) -> Problem:
    return Problem("stray_file", _name(store, path), "this file is none of ours")


def _name(store: Store, path: Path) -> str:
    return path.relative_to(store.data_dir).as_posix()
