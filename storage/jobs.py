"""Jobs at providers: which call of which run an id at a provider belongs to, and how it ended.

An id is claimed before anything is fetched under it. An answer that names a job of another run, by a provider's mistake
or a replayed reply, is then refused instead of showing one visitor's images to another.
"""

from __future__ import annotations

from storage import runs
from storage.engine import Database
from storage.records import Json, StoredJob
from storage.rows import changed, document, fetch, fetch_one, foreign_text, to_job


def claim(db: Database, job: StoredJob) -> bool:
    """Keep the job of a call; false if another run, or another call of the run, has that id at that provider.

    The same call may claim its id again: then `tracking` is brought up to date and the rest stays. The run gets the id
    as its `remote_id` if it has none; from `sending` it moves on to `waiting`. A run that is over meanwhile keeps its
    state, and the job is written down all the same: the provider works on it.

    Raises:
        sqlite3.IntegrityError: no such run, or that call of the run has a job under another id.
    """
    values = _values(job)
    holder = fetch_one(
        db, "select run_id, position from jobs where provider = :provider and remote_id = :remote_id", values
    )
    if holder is None:
        _insert(db, values)
    elif (holder["run_id"], holder["position"]) != (job.run_id, job.position):
        return False
    else:
        db.conn.execute("update jobs set tracking = :tracking where run_id = :run_id and position = :position", values)
    run = fetch_one(db, "select remote_id from runs where run_id = ?", (job.run_id,))
    known = run["remote_id"] if run else None
    runs.set_remote_id(db, job.run_id, job.remote_id if known is None else known)
    return True


def of_run(db: Database, run_id: str) -> list[StoredJob]:
    """The jobs of a run by position."""
    return [to_job(row) for row in fetch(db, "select * from jobs where run_id = ? order by position", (run_id,))]


def end(db: Database, run_id: str, position: int, ended: Json) -> bool:
    """Write down how a job ended; false if there is none or its end is known already, and then nothing is changed."""
    return changed(
        db,
        "update jobs set ended = :ended where run_id = :run_id and position = :position and ended is null",
        {"run_id": run_id, "position": position, "ended": document(ended)},
    )


def _insert(db: Database, values: dict[str, object]) -> None:
    db.conn.execute(
        """insert into jobs (run_id, position, provider, remote_id, tracking, images, first_position, claimed_at, ended)
        values (:run_id, :position, :provider, :remote_id, :tracking, :images, :first_position, :claimed_at,
            :ended)""",
        values,
    )


def _values(job: StoredJob) -> dict[str, object]:
    return {
        "run_id": job.run_id,
        "position": job.position,
        "provider": job.provider,
        "remote_id": foreign_text(job.remote_id),
        "tracking": document(job.tracking),
        "images": job.images,
        "first_position": job.first_position,
        "claimed_at": job.claimed_at,
        "ended": document(job.ended),
    }
