"""Deleting everything of one owner. Whoever calls owns the transaction, so that it is all gone or all there.

What stays: lines of the ledger, without a word of what was asked; and votes, under a new name that leads back to nobody, since
every board is computed from them.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage import vote_chain
from storage.curation import Deleted
from storage.deleting import empty_trash
from storage.engine import Database
from storage.freeing import free
from storage.rows import fetch


@dataclass(frozen=True, slots=True)
class Erased:
    """What was deleted, and what stays without a name."""

    deleted: Deleted
    uploads: int
    votes_kept: int
    battles: tuple[str, ...]
    """Ids of the battles that were the owner's; their blind copies are to go too."""


def erase(db: Database, owner: str, at: str, nobody: str) -> Erased:
    """Deletes what is the owner's; runs that are still going stay, so they are to be stopped before.

    `nobody`: a fresh random name under which their votes stay.
    """
    given = {"owner": owner, "at": at, "nobody": nobody}
    for sql in (
        """update images set trashed_at = :at where trashed_at is null and deleted_at is null
        and run_id in (select run_id from runs where owner = :owner
            and state not in ('queued', 'sending', 'waiting', 'downloading'))""",
        """update runs set trashed_at = :at where trashed_at is null and deleted_at is null and owner = :owner
        and state not in ('queued', 'sending', 'waiting', 'downloading')""",
    ):
        db.conn.execute(sql, given)
    battles = [row["battle_id"] for row in fetch(db, "select battle_id from battles where voter = :owner", given)]
    dropped = {
        row["sha256"]
        for sql in (
            "delete from masks where owner = :owner returning mask_sha256 as sha256",
            "delete from uploads where owner = :owner returning sha256",
        )
        for row in fetch(db, sql, given)
    }
    uploads = len(dropped)
    deleted = empty_trash(db, owner, at)
    for sql in (
        "delete from searches where owner = :owner",
        "delete from templates where owner = :owner",
        "delete from preferences where owner = :owner",
        "update ledger set note = '' where owner = :owner and note != ''",
        # A voter who is left out stays left out, under whatever name.
        "update exclusions set voter = :nobody where voter = :owner",
        "update reports set voter = :nobody, words = '' where voter = :owner",
        "update votes set voter = :nobody where voter = :owner",
        """update battles set voter = :nobody, prompt = case when prompt_id is null then '' else prompt end,
            state = case state when 'open' then 'expired' else state end where voter = :owner""",
    ):
        db.conn.execute(sql, given)
    vote_chain.part(db, nobody)
    free(db, dropped, at)
    votes = fetch(db, "select count(*) as votes from votes where voter = :nobody", given)
    return Erased(deleted, uploads, votes[0]["votes"], tuple(battles))
