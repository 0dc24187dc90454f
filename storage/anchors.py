"""Anchors: the head of the chain of votes, kept somewhere else than the database.

After a database was put back from an older copy, or shortened by hand, an anchor tells how many votes are missing. Any JSON
document whose `vote_chain` is one will do: the file beside a backup, the manifest of an archive or of a snapshot. Besides the
head it may hold marks, the beginnings of heads further back, which tell where the two parted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson

from storage import vote_chain
from storage.connections import connect_untouching, of_copy
from storage.engine import Database
from storage.errors import StoreNotWritable
from storage.files import write_durably
from storage.vote_chain import NO_HEAD, Head

ANCHOR_FIELD = "vote_chain"
"""Under this name a document holds an anchor."""
FORMAT = "diptych-anchor"
_NEWEST = 256
"""Of the newest links each has a mark, and so many of the older ones, evenly spread."""
_MARK_CHARS = 16
_MAX_BYTES = 200_000_000
"""An archive's manifest may be of a million runs; more is no document of ours."""
_HASH = re.compile(r"[0-9a-f]{64}")
_MARK = re.compile(rf"[0-9a-f]{{{_MARK_CHARS}}}")


class AnchorRefused(ValueError):
    """A file that is no anchor. The message can be shown."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the chain of votes was at one moment."""

    at: Head = Head()
    marks: tuple[tuple[int, str], ...] = ()
    """(link, first characters of its head), in order."""

    def document(self) -> dict[str, object]:
        """As it stands in a document under `ANCHOR_FIELD`."""
        whole: dict[str, object] = {"links": self.at.links, "votes": self.at.votes, "head": self.at.head}
        return whole | ({"marks": {str(link): mark for link, mark in self.marks}} if self.marks else {})


@dataclass(frozen=True, slots=True)
class Lost:
    """How far a store is from an anchor. Where marks are far apart there are two numbers: at least, and at most."""

    votes: tuple[int, int]
    """Of the anchor's votes: missing here, or others than they were."""
    others: tuple[int, int]
    """Of its other links: votes taken back or parted from their voters, of which nothing is known here."""


def anchor_of(db: Database, *, with_marks: bool = True) -> Anchor:
    """The chain's head now, with marks to tell later where something went missing."""
    at = vote_chain.head(db)
    if not with_marks:
        return Anchor(at)
    older = range(0, max(0, at.links - _NEWEST), max(1, (at.links - _NEWEST) // _NEWEST))
    wanted = [*older, *range(max(1, at.links - _NEWEST), at.links)]
    rows = db.conn.execute(
        """select link, substr(head, 1, ?) from json_each(?) as wanted cross join vote_links
        on link = cast(wanted.value as bigint) order by link""",
        (_MARK_CHARS, json.dumps(wanted)),
    ).fetchall()
    return Anchor(at, tuple(rows))


def anchor_of_copy(path: Path) -> Anchor:
    """Of a database that nobody writes to, as a backup is."""
    with closing(connect_untouching(path)) as conn:
        return anchor_of(of_copy(conn))


def write_anchor(path: Path, anchor: Anchor, *, made_at: str) -> None:
    """Writes the anchor as a file of its own.

    Raises:
        StoreNotWritable: it cannot be written; nothing was left behind.
    """
    document = {"format": FORMAT, "made_at": made_at, ANCHOR_FIELD: anchor.document()}
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    try:
        write_durably(path, text, temporary_in=path.parent)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise StoreNotWritable(
            f"The anchor {str(path)!r} could not be written ({why}). Choose another place."
        ) from error


def read_anchor(path: Path) -> Anchor:
    """The anchor in a file.

    Raises:
        AnchorRefused: there is none, or the file cannot be read.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _refused(path, "it is far too large")
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise _refused(path, error.strerror or "it cannot be read") from None
    except orjson.JSONDecodeError:
        raise _refused(path, "it is no JSON") from None
    found = anchor_in(document)
    if found is None:
        raise _refused(path, f"nothing in it is called {ANCHOR_FIELD}, with links, votes and head")
    return found


def anchor_in(document: object) -> Anchor | None:
    """The anchor in a document; `None` where there is none, or one that cannot be."""
    row = document.get(ANCHOR_FIELD) if isinstance(document, Mapping) else None
    if not isinstance(row, Mapping):
        return None
    at, marks = _head_in(row), row.get("marks")
    if at is None or marks is None:
        return Anchor(at) if at else None
    if not isinstance(marks, Mapping) or not all(_is_mark(*mark) for mark in marks.items()):
        return None
    return Anchor(at, tuple(sorted((int(link), mark) for link, mark in marks.items())))


def _head_in(row: Mapping[str, object]) -> Head | None:
    links, votes, head = row.get("links"), row.get("votes"), row.get("head")
    if not isinstance(links, int) or not isinstance(votes, int) or not isinstance(head, str):
        return None
    if isinstance(links, bool) or isinstance(votes, bool):
        return None
    is_whole = _HASH.fullmatch(head) is not None and (links == 0) == (head == NO_HEAD)
    return Head(links, votes, head) if is_whole and 0 <= votes <= links < 2**53 else None


def lost(db: Database, anchor: Anchor) -> Lost | None:
    """What is not here any more of the chain that the anchor knew; `None` where all of it is."""
    wanted = json.dumps([anchor.at.links, *(link for link, _ in anchor.marks)])
    here: dict[int, str] = dict(
        db.conn.execute(
            "select link, head from json_each(?) as wanted cross join vote_links on link = cast(wanted.value as bigint)",
            (wanted,),
        ).fetchall()
    )
    if anchor.at.links == 0 or here.get(anchor.at.links) == anchor.at.head:
        return None
    same = [link for link, mark in anchor.marks if here.get(link, "").startswith(mark)]
    other = [link for link, mark in anchor.marks if link in here and not here[link].startswith(mark)]
    # What follows on the last mark that is the same may be so as well, up to the first that is not, or the end of what is here.
    surely = max(same, default=0)
    ends = [anchor.at.links, vote_chain.head(db).links + 1, *(link for link in other if link > surely)]
    at_best = max(surely, min(ends) - 1)
    (least, least_others), (most, most_others) = _behind(db, anchor, at_best), _behind(db, anchor, surely)
    return Lost((least, most), (least_others, most_others))


def _behind(db: Database, anchor: Anchor, kept: int) -> tuple[int, int]:
    """Votes and other links that the anchor has behind the first `kept` links of this store."""
    votes = max(0, anchor.at.votes - _votes_up_to(db, kept))
    return votes, max(0, anchor.at.links - kept - votes)


def _votes_up_to(db: Database, link: int) -> int:
    found = db.conn.execute("select votes from vote_links where link = ?", (link,)).fetchone()
    return int(found[0]) if found else 0


def _is_mark(link: object, mark: object) -> bool:
    return (
        isinstance(link, str)
        and re.fullmatch(r"[1-9][0-9]{0,15}", link, re.ASCII) is not None
        and isinstance(mark, str)
        and _MARK.fullmatch(mark) is not None
    )


def _refused(path: Path, why: str) -> AnchorRefused:
    return AnchorRefused(
        f"{str(path)!r} is no anchor: {why}. Give the file that `backup` wrote beside its copy, or the manifest.json of an "
        "archive or a snapshot."
    )
