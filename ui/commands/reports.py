"""`reports`: what voters say is wrong with battles. Voters are shown under the ids of the export."""

from __future__ import annotations

import argparse

from arena import reports
from arena.reports import ShownReport
from ui.answering import Answer
from ui.arena_views import REPORTS
from ui.commands.parts import Parts
from ui.commands.texts import printable
from ui.failures import ALL_WELL
from ui.plain_documents import Document
from ui.views import counted


def run(options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Lists the newest reports; returns the exit code."""
    with parts.app() as app:
        found, count = reports.listed(app.services, limit=options.limit), reports.count(app.services)
    answer.document({"reports": [_document(one) for one in found], "count": count})
    for one in found:
        for line in _lines(one):
            answer.line(printable(line).rstrip())
    older = f"; {count - len(found):,} older ones with --limit" if count > len(found) else ""
    answer.say(f"{counted(count, 'report')}{older}." if count else "Nothing was reported.")
    return ALL_WELL


def _document(shown: ShownReport) -> Document:
    one = shown.report
    return {
        "at": one.at,
        "reason": one.reason,
        "words": one.words,
        "battle_id": one.battle_id,
        "voter": shown.shown_voter,
        "state": one.state,
        "source": one.source,
        "prompt": one.prompt,
        "a": {"offer": one.offer_a, "sha256": one.sha256_a, "path": _path(shown, 0)},
        "b": {"offer": one.offer_b, "sha256": one.sha256_b, "path": _path(shown, 1)},
    }


def _path(shown: ShownReport, side: int) -> str | None:
    path = shown.files[side]
    return None if path is None else str(path)


def _lines(shown: ShownReport) -> list[str]:
    one = shown.report
    after = "  after its vote" if one.state == "voted" else ""
    files = [_path(shown, side) or "its file is gone" for side in (0, 1)]
    return [
        f"{one.at}  {REPORTS[one.reason]}{after}  voter {shown.shown_voter}  battle {one.battle_id}",
        *([f"  \u201c{one.words}\u201d"] if one.words else []),
        f"  A {one.offer_a}  {files[0]}",
        f"  B {one.offer_b}  {files[1]}",
    ]
