"""Runs and what hangs on them: groups, inputs, images, previews.

A run moves forward only. Each change of state is one guarded `UPDATE` that says from which states it may happen, and
tells by its answer whether it did: a run that was cancelled meanwhile is not sent, and no run ends twice. Whoever calls
owns the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from storage import ledger
from storage.engine import Database
from storage.records import (
    OPEN_STATES,
    Group,
    Json,
    LedgerLine,
    Run,
    RunError,
    RunState,
    RunView,
    StoredImage,
    StoredInput,
    StoredPartial,
)
from storage.rows import (
    changed,
    document,
    error_document,
    fetch,
    fetch_one,
    foreign_text,
    storable_integer,
    to_group,
    to_image,
    to_run,
)
from storage.spacing import spaced
from storage.views import views_of

ENDED_STATES: tuple[RunState, ...] = tuple(state for state in get_args(RunState) if state not in OPEN_STATES)
"""States of a run that is over."""


def insert_group(db: Database, group: Group) -> None:
    """Write a group; its runs follow in the same transaction.

    Raises:
        sqlite3.IntegrityError: the id is taken.
    """
    db.conn.execute(
        """insert into groups (group_id, owner, kind, operation, template, created_at, layout)
        values (?, ?, ?, ?, ?, ?, ?)""",
        (
            *(group.group_id, group.owner, group.kind, group.operation, group.template, group.created_at),
            document(group.layout) if group.layout is not None else None,
        ),
    )


def insert_runs(db: Database, runs: Sequence[Run], inputs: Sequence[StoredInput], lines: Sequence[LedgerLine]) -> None:
    """Write runs with their inputs and reservations. `seq`, the order of the history, is the order given here.

    Raises:
        sqlite3.IntegrityError: an id is taken, or an input, line or group belongs to nothing.
    """
    db.conn.executemany(
        """insert into runs (run_id, group_id, owner, position, offer, operation, prompt, asked, sent, got, state, worker,
            key_source, queued_at, sent_at, finished_at, latency_ms, first_preview_ms, request_id, remote_id,
            unreadable_sha256, error, estimate_microusd, spaced)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [_run_values(run) for run in runs],
    )
    db.conn.executemany(
        "insert into inputs (run_id, position, role, sha256, media_type, width, height) values (?, ?, ?, ?, ?, ?, ?)",
        [
            (each.run_id, each.position, each.role, each.sha256, each.media_type, each.width, each.height)
            for each in inputs
        ],
    )
    ledger.insert(db, lines)


def take_over(db: Database, run_id: str, *, from_worker: str | None, worker: str) -> bool:
    """Give an open run of a dead worker to `worker`; false if it ended, somebody else was faster, or that worker is seen again.

    Args:
        db: the open database.
        run_id: which run.
        from_worker: the owner that was found dead; `None` for a run that has none.
        worker: the new owner.
    """
    return changed(
        db,
        """update runs set worker = :worker where run_id = :run_id and worker is :from_worker
        and state in ('queued', 'sending', 'waiting', 'downloading')
        and not exists (select 1 from workers as w where w.worker_id = runs.worker)""",
        {"run_id": run_id, "from_worker": from_worker, "worker": worker},
    )


def mark_sending(db: Database, run_id: str, *, worker: str, sent: Json, sent_at: str) -> bool:
    """Queued to `sending`, before the call goes out; false if the run is not queued or belongs to another worker."""
    return changed(
        db,
        """update runs set state = 'sending', worker = :worker, sent = :sent, sent_at = :sent_at
        where run_id = :run_id and state = 'queued' and (worker is null or worker = :worker)""",
        {"run_id": run_id, "worker": worker, "sent": document(sent), "sent_at": sent_at},
    )


def set_remote_id(db: Database, run_id: str, remote_id: str) -> bool:
    """Keep the id under which the provider knows an open run; from `sending` it moves on to `waiting`.

    An id of our own that is stored before the call (while `queued`) leaves the state as it is.
    """
    return changed(
        db,
        """update runs set remote_id = :remote_id, state = case state when 'sending' then 'waiting' else state end
        where run_id = :run_id and state in ('queued', 'sending', 'waiting', 'downloading')""",
        {"run_id": run_id, "remote_id": foreign_text(remote_id)},
    )


def mark_downloading(db: Database, run_id: str, *, worker: str | None = None) -> bool:
    """`sending` or `waiting` to `downloading`; false if the run is in another state, or not `worker`'s. `None`: anybody's."""
    return changed(
        db,
        """update runs set state = 'downloading' where run_id = :run_id and state in ('sending', 'waiting')
        and (:worker is null or worker = :worker)""",
        {"run_id": run_id, "worker": worker},
    )


def add_image(db: Database, image: StoredImage) -> bool:
    """Write an image whose bytes are in the blob folder already; false if the run has these bytes at that place.

    That is so when a file is fetched again after a restart; the row that is there stays as it is. Allowed in every
    state of the run: the image was paid for.

    Raises:
        sqlite3.IntegrityError: no such run, or the id is taken, or another image has that place in the run.
    """
    there = fetch_one(db, "select sha256 from images where run_id = ? and position = ?", (image.run_id, image.position))
    if there and there["sha256"] == image.sha256:
        return False
    db.conn.execute(
        """insert into images (image_id, run_id, position, sha256, media_type, width, height, size_bytes, seed,
            revised_prompt, checks, created_at, converted_sha256, converted_type, phash)
        values (:image_id, :run_id, :position, :sha256, :media_type, :width, :height, :size_bytes, :seed,
            :revised_prompt, :checks, :created_at, :converted_sha256, :converted_type, :phash)""",
        {
            "image_id": image.image_id,
            "run_id": image.run_id,
            "position": image.position,
            "sha256": image.sha256,
            "media_type": image.media_type,
            "width": image.width,
            "height": image.height,
            "size_bytes": image.size_bytes,
            "seed": storable_integer(image.seed),
            "revised_prompt": foreign_text(image.revised_prompt),
            "checks": document(image.checks),
            "created_at": image.created_at,
            "converted_sha256": image.converted_sha256,
            "converted_type": image.converted_type,
            "phash": image.phash,
        },
    )
    return True


def set_converted(db: Database, image_id: str, sha256: str, media_type: str) -> None:
    """Name the blob that holds an image in the format that was asked; its bytes are in the blob folder already."""
    db.conn.execute(
        "update images set converted_sha256 = ?, converted_type = ? where image_id = ?", (sha256, media_type, image_id)
    )


def set_checks(db: Database, image_id: str, checks: Sequence[str], phash: str | None = None) -> None:
    """Writes down what was noticed about an image after its row was added, and how it looks, where that was seen."""
    db.conn.execute(
        "update images set checks = :checks, phash = coalesce(:phash, phash) where image_id = :image_id",
        {"checks": document(tuple(checks)), "phash": phash, "image_id": image_id},
    )


def images_looked_at(db: Database, group_id: str) -> list[StoredImage]:
    """Images of a group whose look is known, oldest first."""
    rows = fetch(
        db,
        """select i.* from runs as r join images as i on i.run_id = r.run_id
        where r.group_id = ? and i.phash is not null order by i.image_id""",
        (group_id,),
    )
    return [to_image(row) for row in rows]


def add_partial(db: Database, partial: StoredPartial, *, first_preview_ms: int | None) -> None:
    """Write a preview; one that comes a second time changes nothing.

    Args:
        db: the open database.
        partial: its bytes are in the blob folder already.
        first_preview_ms: time from the call to this preview; kept for the first preview of a run only.
    """
    db.conn.execute(
        """insert into partials (run_id, image_position, partial_position, sha256, media_type, at)
        values (?, ?, ?, ?, ?, ?) on conflict (run_id, image_position, partial_position) do nothing""",
        (
            partial.run_id,
            partial.image_position,
            partial.partial_position,
            partial.sha256,
            partial.media_type,
            partial.at,
        ),
    )
    if first_preview_ms is not None:
        db.conn.execute(
            "update runs set first_preview_ms = ? where run_id = ? and first_preview_ms is null",
            (first_preview_ms, partial.run_id),
        )


def finish(
    db: Database,
    run_id: str,
    *,
    state: RunState,
    finished_at: str,
    latency_ms: int | None,
    got: Json | None,
    request_id: str | None,
    error: RunError | None,
    unreadable_sha256: str | None = None,
    first_byte_ms: int | None = None,
    worker: str | None = None,
) -> bool:
    """End an open run; false if it is over already, or not `worker`'s (`None`: whoever has it), and then nothing is changed.

    Raises:
        ValueError: `state` is not one of `ENDED_STATES`.
    """
    if state not in ENDED_STATES:
        raise ValueError(f"a run cannot end as {state!r}; expected one of {', '.join(ENDED_STATES)}")
    return changed(
        db,
        """update runs set state = :state, finished_at = :finished_at, latency_ms = :latency_ms,
            first_byte_ms = :first_byte_ms, got = :got,
            request_id = coalesce(:request_id, request_id), error = :error, unreadable_sha256 = :unreadable_sha256
        where run_id = :run_id and state in ('queued', 'sending', 'waiting', 'downloading')
        and (:worker is null or worker = :worker)""",
        {
            "run_id": run_id,
            "worker": worker,
            "state": state,
            "finished_at": finished_at,
            "latency_ms": latency_ms,
            "first_byte_ms": first_byte_ms,
            "got": document(got),
            "request_id": foreign_text(request_id),
            "error": error_document(error),
            "unreadable_sha256": unreadable_sha256,
        },
    )


def get(db: Database, run_id: str, owner: str | None) -> RunView | None:
    """A run with all that hangs on it, in the trash or not; `None` if there is none, it was deleted for ever, or it is not
    `owner`'s. Owner `None`: anybody's.
    """
    row = fetch_one(
        db,
        "select * from runs where run_id = :run_id and deleted_at is null and (:owner is null or owner = :owner)",
        {"run_id": run_id, "owner": owner},
    )
    return views_of(db, [to_run(row)])[0] if row else None


def of_group(db: Database, group_id: str, owner: str | None) -> list[RunView]:
    """The runs of a group by position, without those in the trash; empty if it is not `owner`'s. Owner `None`: anybody's."""
    rows = fetch(
        db,
        """select * from runs where group_id = :group_id and trashed_at is null and (:owner is null or owner = :owner)
        order by position, seq""",
        {"group_id": group_id, "owner": owner},
    )
    return views_of(db, [to_run(row) for row in rows])


def get_group(db: Database, group_id: str, owner: str | None) -> Group | None:
    """A group; `None` if there is none or it is not `owner`'s. Owner `None`: anybody's."""
    row = fetch_one(
        db,
        "select * from groups where group_id = :group_id and (:owner is null or owner = :owner)",
        {"group_id": group_id, "owner": owner},
    )
    return to_group(row) if row else None


def open_runs(db: Database, owner: str | None = None) -> list[Run]:
    """Runs that somebody still has to end, oldest first. Owner `None`: anybody's."""
    rows = fetch(
        db,
        """select * from runs where state in ('queued', 'sending', 'waiting', 'downloading')
        and (:owner is null or owner = :owner) order by seq""",
        {"owner": owner},
    )
    return [to_run(row) for row in rows]


def unfinished_groups(db: Database, owner: str | None) -> list[str]:
    """Ids of groups with an open run, oldest first. Owner `None`: anybody's."""
    rows = fetch(
        db,
        """select distinct group_id from runs where state in ('queued', 'sending', 'waiting', 'downloading')
        and (:owner is null or owner = :owner) order by group_id""",
        {"owner": owner},
    )
    return [row["group_id"] for row in rows]


def recent_groups(db: Database, owner: str | None, *, limit: int, before: str | None = None) -> list[Group]:
    """Groups newest first, by id: ids are ULIDs, so their order is that of time. Groups of a battle are left out, as they
    would tell its makers beside it, and groups that lie in the trash with all of their runs.

    Args:
        db: the open database.
        owner: whose; `None` for anybody's.
        limit: how many at most, from 1.
        before: the last `group_id` of the page before; `None` for the first page.

    Raises:
        ValueError: `limit` is below 1.
    """
    if limit < 1:
        raise ValueError(f"limit {limit} is below 1")
    whose = """select * from groups as g where kind != 'battle' and (:before is null or group_id < :before)
        and (exists (select 1 from runs as r where r.group_id = g.group_id and r.trashed_at is null)
            or not exists (select 1 from runs as r where r.group_id = g.group_id))"""
    if owner is not None:
        whose += " and owner = :owner"
    rows = fetch(db, whose + " order by group_id desc limit :limit", {"owner": owner, "before": before, "limit": limit})
    return [to_group(row) for row in rows]


def _run_values(run: Run) -> tuple[object, ...]:
    return (
        run.run_id,
        run.group_id,
        run.owner,
        run.position,
        run.offer,
        run.operation,
        run.prompt,
        document(run.asked),
        document(run.sent),
        document(run.got),
        run.state,
        run.worker,
        run.key_source,
        run.queued_at,
        run.sent_at,
        run.finished_at,
        run.latency_ms,
        run.first_preview_ms,
        run.request_id,
        run.remote_id,
        run.unreadable_sha256,
        error_document(run.error),
        run.estimate_microusd,
        spaced(run.prompt),
    )
