"""The commands `verify`, `backup` and `restore`: whether the store is whole, a copy of its rows, and the way back."""

from __future__ import annotations

import argparse
from pathlib import Path

from arena.elo_audit import stale_days
from providers.checks import Problem
from storage.anchors import Anchor, anchor_of_copy, read_anchor, write_anchor
from storage.blobs import BlobFolder
from storage.freeing import sweep_freed
from storage.moving import NotEmpty
from storage.restoring import NotBackup, restore
from storage.verify import check_anchor, verify
from ui.answering import Answer
from ui.app import App
from ui.commands.parts import Parts
from ui.failures import ALL_WELL, SOMETHING_FAILED, refused

ANCHOR_SUFFIX = ".anchor.json"
"""What a backup's anchor is called after it."""


def run_verify(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Says what is wrong with the store; returns the exit code. Raises: AnchorRefused."""
    with parts.app() as app:
        anchor = read_anchor(Path(options.anchor)) if options.anchor else None
        return _verified(answer, app, anchor, reads_objects=options.objects)


def _verified(answer: Answer, app: App, anchor: Anchor | None, *, reads_objects: bool) -> int:
    store = app.services.store
    # What was deleted for ever, or never came in whole, goes first: its names are kept for just that.
    sweep_freed(store)
    found = verify(store, reads_objects=reads_objects)
    problems = [*found, *stale_days(app.services), *(check_anchor(store, anchor) if anchor else [])]
    rows = [{"kind": row.kind, "subject": row.subject, "message": row.message} for row in problems]
    answer.document({"ok": not problems, "problems": rows})
    for row in problems:
        answer.line(f"{row.kind} {row.subject}: {row.message}")
    if problems:
        answer.say(f"{len(problems)} problems found.")
    else:
        answer.say("Every row has its bytes and every byte its row, and no vote is gone from the chain.")
        if anchor:
            answer.say(f"All {anchor.at.votes:,} votes of the anchor are here as they were.")
    return SOMETHING_FAILED if problems else ALL_WELL


def run_backup(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Copies the rows, and writes the anchor of the copy's votes beside it; returns the exit code. Raises: StoreError."""
    with parts.app() as app:
        return _backed_up(options, answer, app)


def _backed_up(options: argparse.Namespace, answer: Answer, app: App) -> int:
    services = app.services
    path = Path(options.file).absolute()
    services.store.backup(path)
    anchor = anchor_of_copy(path)
    beside = path.with_name(path.name + ANCHOR_SUFFIX)
    write_anchor(beside, anchor, made_at=services.now())
    told = {"path": str(beside), "links": anchor.at.links, "votes": anchor.at.votes, "head": anchor.at.head}
    answer.document({"path": str(path), "anchor": told})
    answer.say(f"Written: {path}. It holds the database; the images lie in {_home(services.store.blobs)}.")
    answer.say(
        f"Its {anchor.at.votes:,} votes are anchored in {beside}. Keep that file somewhere else: "
        "`verify --anchor` then says whether votes are missing."
    )
    return ALL_WELL


def _home(blobs: BlobFolder) -> str:
    """Where the images are; with those that have not gone there yet."""
    if blobs.home is None:
        return str(blobs.root)
    waiting = blobs.waiting()
    return f"{blobs.home}, but for {waiting:,} that wait in {blobs.root}" if waiting else blobs.home


def run_restore(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Puts the rows of a backup into a store that has none; returns the exit code. Raises: StoreError."""
    path = Path(options.file).absolute()
    with parts.app() as app:
        try:
            rows = restore(app.services.store, path)
        except (NotBackup, NotEmpty) as error:
            return answer.fail(refused([Problem("file", str(error))]))
    answer.document({"path": str(path), "rows": rows})
    answer.say(f"{sum(rows.values()):,} rows were put back, {rows['votes']:,} votes among them.")
    answer.say("The images are not in a backup: bring what is in `blobs` along. `verify` says what is missing.")
    return ALL_WELL
