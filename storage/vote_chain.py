"""The chain over the votes: each vote, and each later change of one, is a link that holds the hash of all before it.

SQLite's own checks cannot see rows that are gone, as after a database was put back from an older copy. The chain can: whoever
kept its head elsewhere (`storage.anchors`) is told what is missing. A link holds the digest of a vote as it stood at that
moment. The digest is salted with a random nonce, so that it says nothing about a vote by itself; once a vote was
parted from its voter, the nonces of its older links are deleted, and nobody can try out whose it was.

    digest = SHA-256 of nonce, line feed, and the JSON array of `_canonical`      head = SHA-256 of the head before and digest

Hashes are joined as the hexadecimal text they are stored as. Whoever calls owns the transaction.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from storage.engine import Database

LinkKind = Literal["cast", "undone", "erased"]

NO_HEAD = "0" * 64
"""What the first link follows on."""

# All that a board reads of a vote. What its voter was asked stays out: its words go when the voter wants them to.
_FACTS = """v.seq, v.battle_id, v.voter, v.outcome, v.follows, v.looks, v.decided_ms, v.voted_at, b.image_a, b.image_b,
    b.offer_a, b.quality_a, b.offer_b, b.quality_b, b.board, b.is_demo, b.category"""
_STANDING = "v.counted, v.reason, v.undone_at"
_ROWS = " ".join(
    ["select", _FACTS, ",", _STANDING, "from votes as v cross join battles as b on b.battle_id = v.battle_id"]
)
_STANDING_COLUMNS = 3
_HEAD = "select link, votes, head from vote_links order by link desc limit 1"
# A vote with where the chain ends before it: a vote is cast in few questions.
_ROW_BEHIND_HEAD = " ".join(
    [
        *("select h.link, h.votes, h.head,", _FACTS, ",", _STANDING, "from votes as v"),
        *(
            "cross join battles as b on b.battle_id = v.battle_id left join (",
            _HEAD,
            ") as h on true where v.battle_id = ?",
        ),
    ]
)
_HEAD_COLUMNS = 3
_JSON = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))

Values = tuple[str | int | None, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends."""

    links: int = 0
    votes: int = 0
    """Links of them that are votes; the others are votes taken back or parted from their voters."""
    head: str = NO_HEAD


class Break(NamedTuple):
    """Where the chain and the votes do not fit together."""

    kind: Literal["vote_chain_broken", "vote_missing", "vote_changed", "vote_unlinked"]
    subject: str
    message: str


def head(db: Database) -> Head:
    """Where the chain ends now."""
    found = db.conn.execute(_HEAD).fetchone()
    return Head(*found) if found else Head()


def append(db: Database, battle_id: str, kind: LinkKind) -> int:
    """Adds a link for the battle's vote, which was just written or changed; the place of the vote among all.

    It goes by the battle, so that nobody need wait for the place of a vote that is being written.
    """
    [row] = db.conn.execute(_ROW_BEHIND_HEAD, (battle_id,)).fetchall()
    ended, facts = (Head() if row[0] is None else Head(*row[:_HEAD_COLUMNS])), row[_HEAD_COLUMNS:]
    _append(db, kind, ended, [facts])
    return int(facts[0])


def append_new(db: Database) -> None:
    """Adds links for all votes behind the last one that has any."""
    sql = " ".join([_ROWS, "where v.seq > (select coalesce(max(seq), 0) from vote_links) order by v.seq"])
    _append(db, "cast", head(db), db.conn.execute(sql))


def part(db: Database, voter: str) -> None:
    """Adds links for all votes of a voter that just got this name, and makes older ones unreadable for good."""
    db.conn.execute("update vote_links set nonce = null where seq in (select seq from votes where voter = ?)", (voter,))
    rows = db.conn.execute(" ".join([_ROWS, "where v.voter = ? order by v.seq"]), (voter,))
    _append(db, "erased", head(db), rows)


def breaks(db: Database) -> Iterator[Break]:
    """Reads the whole chain, and says where it breaks first, and which votes are not as it tells. Use it up within the job."""
    before = Head()
    is_broken = False
    for row in db.conn.execute(_LINKS):
        link = _Link(*row[: len(_Link._fields)])
        facts, standing = row[len(_Link._fields) : -_STANDING_COLUMNS], row[-_STANDING_COLUMNS:]
        if not is_broken and link.as_head != _after(before, link.kind, link.digest):
            is_broken = True
            yield Break(
                "vote_chain_broken",
                f"link {before.links + 1}",
                f"the chain of votes breaks here: what follows on the {before.links:,} links before is not what was "
                "written; put back the newest backup, or look what was changed by hand",
            )
        before = link.as_head
        found = _unlike(link, facts, standing)
        if found:
            yield found
    for (seq,) in db.conn.execute(_UNLINKED).fetchall():
        yield Break("vote_unlinked", f"vote {seq}", "the vote has no link in the chain: nobody can tell when it came")


def _unlike(link: _Link, facts: Values, standing: Values) -> Break | None:
    """How the vote as it is now differs from its link. Its newest link tells how it stands, and whether it should be there."""
    is_newest, is_there = link.link == link.newest, facts[0] is not None
    if not is_there:
        return (
            Break("vote_missing", f"vote {link.seq}", "the chain names a vote that is not there") if is_newest else None
        )
    if link.is_of(facts) and (not is_newest or link.standing == standing):
        return None
    return Break("vote_changed", f"vote {link.seq}", f"the vote is not what link {link.link} of the chain was made of")


class _Link(NamedTuple):
    """A row of the chain."""

    link: int
    kind: str
    votes: int
    nonce: str | None
    digest: str
    head: str
    seq: int
    counted: int
    reason: str | None
    undone_at: str | None
    newest: int
    """The last link of the same vote."""
    parted: int | None
    """The last one that parted it from its voter."""

    @property
    def as_head(self) -> Head:
        """As if the chain ended here."""
        return Head(self.link, self.votes, self.head)

    @property
    def standing(self) -> Values:
        """How the vote stood."""
        return self.counted, self.reason, self.undone_at

    def is_of(self, facts: Values) -> bool:
        """Whether the link was made of these; always so where it was made unreadable and may be."""
        if self.nonce is None:
            return self.parted is not None and self.link < self.parted
        return _digest(self.nonce, self.kind, facts, self.standing) == self.digest


_LINKS = " ".join(
    [
        """select l.link, l.kind, l.votes, l.nonce, l.digest, l.head, l.seq, l.counted, l.reason, l.undone_at,
        (select max(m.link) from vote_links as m where m.seq = l.seq),
        (select max(m.link) from vote_links as m where m.seq = l.seq and m.kind = 'erased'),""",
        _FACTS,
        ",",
        _STANDING,
        """from vote_links as l left join votes as v on v.seq = l.seq
        left join battles as b on b.battle_id = v.battle_id order by l.link""",
    ]
)
_UNLINKED = "select seq from votes where seq not in (select seq from vote_links) order by seq"


def _append(db: Database, kind: LinkKind, before: Head, rows: Iterable[Values]) -> None:
    db.conn.executemany(
        """insert into vote_links (link, seq, kind, votes, counted, reason, undone_at, nonce, digest, head)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        _links(before, kind, rows),
    )


def _links(before: Head, kind: LinkKind, rows: Iterable[Values]) -> Iterator[Values]:
    for row in rows:
        facts, standing = row[:-_STANDING_COLUMNS], row[-_STANDING_COLUMNS:]
        nonce = secrets.token_hex(16)
        digest = _digest(nonce, kind, facts, standing)
        before = _after(before, kind, digest)
        yield (before.links, facts[0], kind, before.votes, *standing, nonce, digest, before.head)


def _after(before: Head, kind: str, digest: str) -> Head:
    joined = hashlib.sha256((before.head + digest).encode("ascii")).hexdigest()
    return Head(before.links + 1, before.votes + (kind == "cast"), joined)


def _digest(nonce: str, kind: str, facts: Values, standing: Values) -> str:
    return hashlib.sha256(f"{nonce}\n{_canonical(kind, facts, standing)}".encode("ascii")).hexdigest()


def _canonical(kind: str, facts: Values, standing: Values) -> str:
    """The bytes that are hashed: never change them, old links are made of them."""
    return _JSON.encode([kind, *facts, *standing])
