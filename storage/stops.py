"""Runs that somebody asked to stop at another process than the one that carries them. Whoever calls owns the transaction."""

from __future__ import annotations

from storage.engine import Database
from storage.rows import fetch


def ask(db: Database, run_ids: list[str], why: str, at: str) -> None:
    """Asks those who carry these runs to stop them. `why`: what their ends are to say."""
    db.conn.executemany(
        "insert into stops (run_id, why, asked_at) values (?, ?, ?) on conflict (run_id) do nothing",
        [(run_id, why, at) for run_id in run_ids],
    )


def of_worker(db: Database, worker: str) -> list[tuple[str, str, str]]:
    """What this worker is asked to stop: run, owner, and what its end is to say."""
    rows = fetch(
        db,
        """select s.run_id, r.owner, s.why from stops as s join runs as r on r.run_id = s.run_id
        where r.worker = ? and r.state in ('queued', 'sending', 'waiting', 'downloading') order by s.run_id""",
        (worker,),
    )
    return [(row["run_id"], row["owner"], row["why"]) for row in rows]


def are_open(db: Database, run_ids: list[str]) -> bool:
    """Whether any of these runs has not ended."""
    return any(
        fetch(
            db,
            """select 1 from runs where run_id = ? and state in ('queued', 'sending', 'waiting', 'downloading')""",
            (run_id,),
        )
        for run_id in run_ids
    )


def forget_heeded(db: Database) -> None:
    """Drops what was asked of runs that are over."""
    db.conn.execute(
        """delete from stops where not exists (select 1 from runs as r where r.run_id = stops.run_id
        and r.state in ('queued', 'sending', 'waiting', 'downloading'))"""
    )
