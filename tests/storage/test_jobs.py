"""Jobs at providers: who may claim an id, what the run learns of it, and that a job ends once."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlite_utils import Database

from storage import jobs, runs
from storage.database import Store
from storage.records import Run, RunState, StoredJob
from tests.storage.builders import LATER, NOW, end, insert, make_job, make_run


@pytest.fixture(autouse=True)
def two_runs(store: Store) -> None:
    store.write(lambda db: insert(db, make_run(state="sending"), make_run("r2", state="sending", position=1)))


def claim(store: Store, job: StoredJob) -> bool:
    return store.write(lambda db: jobs.claim(db, job))


def of_run(store: Store, run_id: str = "r1") -> list[StoredJob]:
    return store.read(lambda db: jobs.of_run(db, run_id))


def run_of(store: Store, run_id: str = "r1") -> Run:
    view = store.read(lambda db: runs.get(db, run_id, None))
    assert view
    return view.run


def test_a_job_comes_back_as_it_was_claimed(store: Store) -> None:
    job = make_job(position=3, first_position=6, tracking={"url": "https://x/🐱", "b": ""}, ended={"deep": [1, None]})
    assert claim(store, job)
    assert of_run(store) == [job]
    assert of_run(store, "r2") == []


def test_a_claim_moves_the_run_to_waiting_under_the_first_id(store: Store) -> None:
    assert claim(store, make_job(remote_id="first"))
    assert (run_of(store).remote_id, run_of(store).state) == ("first", "waiting")
    assert claim(store, make_job(remote_id="second", position=1))
    assert (run_of(store).remote_id, run_of(store).state) == ("first", "waiting")
    assert (run_of(store, "r2").remote_id, run_of(store, "r2").state) == (None, "sending")
    assert [job.remote_id for job in of_run(store)] == ["first", "second"]


def test_an_id_of_our_own_stays_and_the_run_still_waits(store: Store) -> None:
    store.write(lambda db: insert(db, make_run("own", group_id="g2", state="sending", remote_id="our-uuid")))
    assert claim(store, make_job("own", remote_id="theirs"))
    assert (run_of(store, "own").remote_id, run_of(store, "own").state) == ("our-uuid", "waiting")


@pytest.mark.parametrize("state", ["queued", "downloading", "cancelled", "failed"])
def test_a_claim_moves_no_run_that_is_not_being_sent(store: Store, state: RunState) -> None:
    store.write(lambda db: insert(db, make_run("other", group_id="g2", state=state)))
    assert claim(store, make_job("other"))
    assert run_of(store, "other").state == state
    assert len(of_run(store, "other")) == 1


def test_the_same_call_may_claim_again_and_only_its_tracking_changes(store: Store) -> None:
    assert claim(store, make_job())
    store.write(lambda db: runs.mark_downloading(db, "r1"))
    store.write(lambda db: jobs.end(db, "r1", 0, {"state": "succeeded"}))
    assert claim(store, make_job(tracking={"url": "https://new"}, images=9, first_position=9, claimed_at=LATER))
    assert of_run(store) == [make_job(tracking={"url": "https://new"}, ended={"state": "succeeded"})]
    assert run_of(store).state == "downloading"


@pytest.mark.parametrize("changes", [{"run_id": "r2"}, {"position": 1}, {"run_id": "r2", "position": 1}])
def test_an_id_that_somebody_has_is_not_given_away(store: Store, changes: dict[str, Any]) -> None:
    job = make_job(remote_id="taken")
    assert claim(store, job)
    assert not claim(store, make_job(**({"remote_id": "taken", "tracking": {"url": "https://evil"}} | changes)))
    assert of_run(store) == [job]
    assert of_run(store, "r2") == []
    assert (run_of(store, "r2").remote_id, run_of(store, "r2").state) == (None, "sending")


def test_one_id_at_two_providers_is_two_jobs(store: Store) -> None:
    assert claim(store, make_job(remote_id="1"))
    assert claim(store, make_job("r2", remote_id="1", provider="bfl"))


def test_of_many_claims_at_once_one_wins(store: Store) -> None:
    barrier = threading.Barrier(8)

    def claim_as(position: int) -> bool:
        barrier.wait()
        return claim(store, make_job(position=position, remote_id="one"))

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(claim_as, range(8))) == [False] * 7 + [True]


def test_the_database_itself_keeps_an_id_to_one_call(store: Store) -> None:
    assert claim(store, make_job(remote_id="taken"))
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        store.write(
            lambda db: (
                db.conn.execute(
                    "insert into jobs select 'r2', 5, provider, remote_id, tracking, images,"
                    " first_position, claimed_at, ended from jobs"
                ).rowcount
            )
        )


@pytest.mark.parametrize(
    "job",
    [
        make_job(remote_id="other"),
        make_job(remote_id="first", provider="bfl"),
        make_job("none"),
        make_job(position=-1),
        make_job(position=1, images=0),
        make_job(position=1, first_position=-1),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(store: Store, job: StoredJob) -> None:
    assert claim(store, make_job(remote_id="first"))
    with pytest.raises(sqlite3.IntegrityError):
        claim(store, job)
    assert of_run(store) == [make_job(remote_id="first")]


def test_a_claim_that_is_rolled_back_leaves_neither_job_nor_id(store: Store) -> None:
    def broken(db: Database) -> None:
        assert jobs.claim(db, make_job())
        raise LookupError

    with pytest.raises(LookupError):
        store.write(broken)
    assert of_run(store) == []
    assert (run_of(store).remote_id, run_of(store).state) == (None, "sending")


def test_odd_ids_and_tracking_of_providers_can_be_claimed_twice(store: Store) -> None:
    odd = make_job(remote_id="lone \ud83d half", tracking={"url": "lone \ud83d half"})
    assert claim(store, odd)
    assert claim(store, odd)
    assert [(job.remote_id, job.tracking) for job in of_run(store)] == [("lone ? half", odd.tracking)]


def test_jobs_come_by_position(store: Store) -> None:
    for position in (2, 0, 1):
        assert claim(store, make_job(position=position, remote_id=f"job-{9 - position}"))
    assert [job.position for job in of_run(store)] == [0, 1, 2]


def test_a_job_ends_once(store: Store) -> None:
    claim(store, make_job(remote_id="a"))
    claim(store, make_job(remote_id="b", position=1))
    assert store.write(lambda db: jobs.end(db, "r1", 0, {"state": "failed", "at": NOW}))
    assert not store.write(lambda db: jobs.end(db, "r1", 0, {"state": "succeeded"}))
    assert not store.write(lambda db: jobs.end(db, "r1", 2, {}))
    assert not store.write(lambda db: jobs.end(db, "r2", 0, {}))
    assert [job.ended for job in of_run(store)] == [{"state": "failed", "at": NOW}, None]
    # An empty document is an end too.
    assert store.write(lambda db: jobs.end(db, "r1", 1, {}))
    assert not store.write(lambda db: jobs.end(db, "r1", 1, {"late": 1}))
    assert of_run(store)[1].ended == {}


def test_a_jobs_end_is_not_the_runs(store: Store) -> None:
    claim(store, make_job())
    store.write(lambda db: jobs.end(db, "r1", 0, {"state": "failed"}))
    assert run_of(store).state == "waiting"
    assert store.write(lambda db: end(db))
