"""Which of several processes carries an open run. Whoever calls owns the transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from storage.engine import Database
from storage.records import Run
from storage.rows import changed, document, fetch, to_run


def hand_over(db: Database, run_id: str, *, from_worker: str, worker: str) -> bool:
    """Give an open run to another worker that is there; false if it ended, or either does not have or is not."""
    return changed(
        db,
        """update runs set worker = :worker where run_id = :run_id and worker = :from_worker
        and state in ('queued', 'sending', 'waiting', 'downloading')
        and exists (select 1 from workers as w where w.worker_id = :worker)""",
        {"run_id": run_id, "from_worker": from_worker, "worker": worker},
    )


def carried_by(db: Database, worker: str) -> list[str]:
    """Ids of the open runs of a worker."""
    rows = fetch(
        db,
        "select run_id from runs where state in ('queued', 'sending', 'waiting', 'downloading') and worker = ?",
        (worker,),
    )
    return [row["run_id"] for row in rows]


def open_among(db: Database, worker: str, run_ids: Collection[str]) -> list[Run]:
    """Those of these runs that are open and the worker's, oldest first."""
    rows = fetch(
        db,
        """select * from runs where run_id in (select value from json_each(:ids)) and worker = :worker
        and state in ('queued', 'sending', 'waiting', 'downloading') order by seq""",
        {"ids": document([*run_ids]), "worker": worker},
    )
    return [to_run(row) for row in rows]


def taken_from(db: Database, worker: str, run_ids: Sequence[str]) -> list[str]:
    """Which of these runs another worker has by now."""
    rows = fetch(
        db,
        "select run_id from runs where run_id in (select value from json_each(:ids)) and worker is not :worker",
        {"ids": document(run_ids), "worker": worker},
    )
    return [row["run_id"] for row in rows]


def carried_elsewhere(
    db: Database, owner: str, worker: str, *, run_id: str | None = None, group_id: str | None = None
) -> list[str]:
    """The owner's open runs that others than `worker` carry: all, those of a group, or one."""
    rows = fetch(
        db,
        """select run_id from runs where owner = :owner and worker is not :worker
        and state in ('queued', 'sending', 'waiting', 'downloading')
        and (:run is null or run_id = :run) and (:group is null or group_id = :group) order by seq""",
        {"owner": owner, "worker": worker, "run": run_id, "group": group_id},
    )
    return [row["run_id"] for row in rows]
