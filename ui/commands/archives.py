"""The commands for files: `export` and `import` take runs along and bring them back, `recall` finds the run of a picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from playground import bringing, taking
from playground.bringing import Report
from playground.recall import recall
from playground.services import LOCAL_OWNER
from providers.checks import Problem
from ui import views
from ui.answering import Answer
from ui.archive_views import counted_words, found_words, report_document, report_sentences
from ui.commands.parts import Parts
from ui.commands.texts import printable
from ui.failures import ALL_WELL, Failure, refused
from ui.plain_documents import Document


def run_export(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Writes the archive; the exit code. Raises: NotTakenAlong."""
    path = Path(options.file).absolute()
    with parts.app() as app:
        try:
            taken = taking.write_file(app.services, path, LOCAL_OWNER, options.group)
        except OSError as error:
            return answer.fail(_file_refused(path, "written", error))
    manifest = taken.manifest
    answer.document(
        {
            "path": str(path),
            "counts": dict(manifest.counts),
            "blobs": manifest.blobs,
            "bytes": path.stat().st_size,
            "left_out": {"open_runs": taken.still_open},
        }
    )
    answer.line(str(path))
    answer.say(
        f"{counted_words(manifest.counts)}, {views.bytes_text(path.stat().st_size)}. "
        "Uploads that no run used and keys are not in it."
    )
    if taken.still_open:
        answer.say(f"{taken.still_open} runs are still going and were left out; export again when they have ended.")
    return ALL_WELL


def run_import(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Takes an archive in, or says what it would bring; the exit code. Raises: ArchiveRefused, StoreError."""
    path = Path(options.file).absolute()
    with parts.app() as app:
        try:
            report: Report = bringing.bring(app.services, path, LOCAL_OWNER, dry_run=options.dry_run)
        except OSError as error:
            return answer.fail(_file_refused(path, "read", error))
    answer.document(report_document(report, dry_run=options.dry_run))
    for sentence in report_sentences(report, dry_run=options.dry_run):
        answer.line(sentence)
    return ALL_WELL


def run_recall(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Tells which runs a picture may have come from; the exit code. Raises: NotRecalled."""
    path = Path(options.file).absolute()
    try:
        data = path.read_bytes()
    except OSError as error:
        return answer.fail(_file_refused(path, "read", error))
    with parts.app() as app:
        found = recall(app.services, data, None)
    rows: list[Document] = [
        {
            "run_id": one.look.run.run_id,
            "image_id": one.look.image.image_id,
            "position": one.look.image.position,
            "sha256": one.look.image.sha256,
            "offer": one.look.run.offer,
            "prompt": one.look.run.prompt,
            "by": one.how,
            "distance": round(one.apart, 4),
            "match": one.is_match,
        }
        for one in found.found
    ]
    said = found.settings
    answer.document(
        {
            "found": rows,
            "settings": {"run_id": said.run_id, "offer": said.offer, "prompt": said.prompt} if said else None,
        }
    )
    for one in found.found:
        first = printable(one.look.run.prompt[:60])
        answer.line(f"{one.look.run.run_id}  {found_words(one):32}  {one.look.run.offer}  {first}")
    if not found.found:
        answer.say("No image here looks like it.")
    if found.unseen:
        answer.say(f"{found.unseen} older images were not looked at yet; run the command again.")
    return ALL_WELL


def _file_refused(path: Path, done: str, error: OSError) -> Failure:
    return refused([Problem("file", f"{str(path)!r} cannot be {done}: {error.strerror or error}.")])
