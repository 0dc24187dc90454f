"""Taking along and bringing back: a round trip loses nothing, a second one adds nothing, a stranger's file does no harm."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playground import bringing, taking
from playground.archive import ArchiveRefused
from playground.services import Services
from playground.taking import NotTakenAlong
from storage import battles, history, ledger, tallies
from storage.freeing import sweep_freed
from storage.migrations import RELEASED
from storage.portable_columns import TABLES
from storage.tallies import BoardFilter
from storage.verify import verify
from tests.playground.archives import Members, bent, change_row, fill, rows_of, services_at, taken_along

FIRST_COLUMNS = Path(__file__).parent / "first_archive_columns.json"
FIRST = "2026-11-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Services, Path]]:
    """A filled store and its archive. Do not change them."""
    with taken_along(tmp_path_factory.mktemp("taken"), fill) as made:
        yield made


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Callable[..., Services]]:
    """Stores of their own."""
    made: list[Services] = []

    def make(mode: str = "local", name: str = "other") -> Services:
        made.append(services_at(tmp_path / name, mode))
        return made[-1]

    yield make
    for one in made:
        one.store.close()


def test_an_empty_store_becomes_the_same_by_every_table_board_and_sum(
    taken: tuple[Services, Path], other: Callable[..., Services]
) -> None:
    source, path = taken
    target = other()
    dry = bringing.bring(target, path, "local", dry_run=True)
    assert rows_of(target, "runs") == []
    assert list(target.store.blobs.all()) == []
    report = bringing.bring(target, path, "local")
    assert report == dry
    assert report.new == {"groups": 4, "runs": 4, "images": 4, "battles": 4, "votes": 4}
    assert report.new_bytes == sum(file.stat().st_size for _, file in target.store.blobs.all())
    for table in (*TABLES, "run_facts", "tallies", "tally_totals"):
        assert rows_of(target, table) == rows_of(source, table), table
    for one in (source, target):
        assert one.store.read(lambda db: tallies.grouped(db, BoardFilter()))
        assert one.store.read(lambda db: history.count(db, "local", "日本")) == 1
    assert target.store.read(lambda db: ledger.totals(db, "local", FIRST)) == source.store.read(
        lambda db: ledger.totals(db, "local", FIRST)
    )
    # The upload belongs to no run: it stays, and so do its bytes.
    assert len(dict(source.store.blobs.all())) == len(dict(target.store.blobs.all())) + 1
    assert verify(target.store) == []


def test_what_is_here_is_not_brought_twice(taken: tuple[Services, Path], other: Callable[..., Services]) -> None:
    source, path = taken
    before = {table: rows_of(source, table) for table in TABLES}
    report = bringing.bring(source, path, "local")
    assert report.brings_nothing
    assert report.here == {"groups": 4, "runs": 4, "images": 4, "battles": 4, "votes": 4}
    assert report.new_bytes == 0
    assert {table: rows_of(source, table) for table in TABLES} == before
    public = other("public")
    bringing.bring(public, path, "ann")
    again = bringing.bring(public, path, "ann")
    assert again.brings_nothing
    assert not bringing.bring(public, path, "bob").brings_nothing
    assert len(rows_of(public, "runs")) == 8
    assert verify(public.store) == []


def test_single_groups_come_alone_and_fill_up_what_was_there(
    taken: tuple[Services, Path], other: Callable[..., Services], tmp_path: Path
) -> None:
    source, path = taken
    target = other()
    one = taking.write_file(source, tmp_path / "one.zip", "local", ["g1"])
    assert one.manifest.counts["runs"] == 1
    assert one.manifest.counts["battles"] == 0
    bringing.bring(target, tmp_path / "one.zip", "local")
    assert [row["run_id"] for row in rows_of(target, "runs")] == ["r1"]
    report = bringing.bring(target, path, "local")
    assert (report.new["runs"], report.here["runs"]) == (3, 1)
    assert rows_of(target, "images") == rows_of(source, "images")
    with pytest.raises(NotTakenAlong, match="no group 'nine'"):
        taking.write_file(source, tmp_path / "none.zip", "local", ["nine"])
    with pytest.raises(NotTakenAlong, match="no group 'g1'"):
        taking.write_file(source, tmp_path / "none.zip", "somebody", ["g1"])
    assert not (tmp_path / "none.zip").exists()


def test_in_public_mode_a_stranger_s_archive_weighs_nothing_for_others(
    taken: tuple[Services, Path], other: Callable[..., Services], tmp_path: Path
) -> None:
    public = other("public")
    bringing.bring(public, taken[1], "ann")
    store = public.store
    assert store.read(lambda db: tallies.grouped(db, BoardFilter())) == []
    assert store.read(lambda db: tallies.grouped(db, BoardFilter(voter="ann")))
    assert store.read(lambda db: battles.recent_facts(db, "generate", is_demo=False)) == []
    assert store.read(lambda db: battles.candidates(db, "ann", with_brought=False)) == []
    # Nothing tells whether the ids of the archive are anybody's here.
    bringing.bring(public, taken[1], "bob")
    ids = [row["run_id"] for row in rows_of(public, "runs")]
    assert len(set(ids)) == 8
    assert not set(ids) & {row["run_id"] for row in rows_of(taken[0], "runs")}
    # And what is exported is one's own.
    taking.write_file(public, tmp_path / "ann.zip", "ann")
    with zipfile.ZipFile(tmp_path / "ann.zip") as file:
        text = file.read("rows/runs.jsonl").decode()
    assert {json.loads(line)["run_id"] for line in text.splitlines()} == {
        row["run_id"] for row in rows_of(public, "runs") if row["owner"] == "ann"
    }
    assert '"owner"' not in text


def test_open_runs_and_hidden_battles_stay(taken: tuple[Services, Path], tmp_path: Path) -> None:
    from tests.storage.builders import insert, make_run

    shutil.copytree(taken[0].store.data_dir, tmp_path / "copy")
    services = services_at(tmp_path / "copy")
    services.store.write(lambda db: insert(db, make_run("open", group_id="g9")))
    report = taking.write_file(services, tmp_path / "all.zip", "local")
    assert report.still_open == 1
    assert report.manifest.counts["runs"] == 4
    assert report.manifest.counts["groups"] == 4
    services.store.close()


def blob(members: Members) -> str:
    return next(name for name in sorted(members) if name.startswith("blobs/") and name.endswith(".png"))


def rename(members: Members, name: str, to: str) -> None:
    members[to] = members.pop(name)


def say(members: Members, **changes: Any) -> None:
    members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | changes).encode()


def cut_line(members: Members, table: str, text: bytes = b"") -> None:
    members[f"rows/{table}.jsonl"] = text


def a_page_as_a_picture(members: Members) -> None:
    import hashlib

    name = blob(members)
    sha256 = name[9:73]
    page = b"<html>not a picture</html>"
    new = hashlib.sha256(page).hexdigest()
    members.pop(name)
    members[f"blobs/{new[:2]}/{new}.png"] = page
    for table in TABLES:
        rows = f"rows/{table}.jsonl"
        members[rows] = members[rows].replace(sha256.encode(), new.encode())


HOSTILE: dict[str, tuple[Callable[[Members], object], str]] = {
    "a way up": (lambda m: m.update({"blobs/../../x.png": b"x"}), "leads out"),
    "an absolute name": (lambda m: m.update({"/etc/x.png": b"x"}), "leads out"),
    "a backslash": (lambda m: m.update({"rows\\runs.jsonl": b"x"}), "leads out"),
    "a drive": (lambda m: m.update({"C:x.png": b"x"}), "leads out"),
    "a stranger": (lambda m: m.update({"run.sh": b"x"}), "does not belong"),
    "a folder of another hash": (lambda m: rename(m, blob(m), "blobs/zz" + blob(m)[8:]), "does not belong"),
    "a bomb": (lambda m: m.update({"rows/tags.jsonl": b" " * 3_000_000}), "far more than it holds"),
    "no manifest": (lambda m: m.pop("manifest.json"), "no manifest"),
    "a broken manifest": (lambda m: m.update({"manifest.json": b"{"}), "cannot be read"),
    "another product": (lambda m: say(m, format="other"), "none of ours"),
    "a newer format": (lambda m: say(m, format_version=2), "another version"),
    "a newer schema": (lambda m: say(m, schema="m999_future"), "Update the program"),
    "a count that is none": (lambda m: say(m, counts={"runs": -1}, keep=True), "no number"),
    "another hash of rows": (
        lambda m: say(m, sha256={"rows/runs.jsonl": "0" * 64}, keep=True),
        "not the file its manifest names",
    ),
    "rows left out": (lambda m: m.pop("rows/tags.jsonl"), "has no rows/tags.jsonl"),
    "broken JSON": (lambda m: cut_line(m, "tags", b"{\n"), "no JSON"),
    "half a line": (lambda m: cut_line(m, "tags", b'{"run_id": "r1"'), "middle of a line"),
    "a list for a row": (lambda m: cut_line(m, "tags", b"[]\n"), "no object"),
    "deep JSON": (lambda m: cut_line(m, "tags", b"[" * 100_000 + b"]" * 100_000 + b"\n"), "no JSON"),
    "another owner": (lambda m: change_row(m, "groups", owner="ann"), "'owner' of groups is unknown"),
    "another voter": (lambda m: change_row(m, "votes", voter="ann"), "'voter' of votes is unknown"),
    "a missing column": (lambda m: cut_line(m, "tags", b'{"run_id": "r1"}\n'), "'tag' of tags is missing"),
    "an id with a slash": (lambda m: change_row(m, "groups", group_id="../x"), "expected an id"),
    "an open run": (lambda m: change_row(m, "runs", state="sending"), "runs.state"),
    "an error without words": (lambda m: change_row(m, "runs", error={"kind": "x"}), "kind and message"),
    "a time that is none": (lambda m: change_row(m, "runs", queued_at="2026-13-41T10:15:30.123Z"), "a time as"),
    "a prompt that is none": (lambda m: change_row(m, "runs", prompt=7), "a text"),
    "stars without end": (lambda m: change_row(m, "images", stars=99), "0 to 5"),
    "a negative cost": (lambda m: change_row(m, "ledger", amount_microusd=-5), "whole number"),
    "money still reserved": (lambda m: change_row(m, "ledger", state="reserved"), "ledger.state"),
    "a run of no group": (lambda m: change_row(m, "runs", group_id="none"), "group is not in the archive"),
    "an image of no run": (lambda m: change_row(m, "images", run_id="none"), "run is not in the archive"),
    "a run without money": (lambda m: cut_line(m, "ledger"), "no line in the ledger"),
    "a vote without battle": (lambda m: change_row(m, "votes", battle_id="none"), "battle is not in the archive"),
    "a battle without vote": (lambda m: cut_line(m, "votes"), "do not fit together"),
    "a battle of nothing": (lambda m: change_row(m, "battles", image_a="none"), "image of it is not"),
    "a row twice": (
        lambda m: m.update({"rows/tags.jsonl": m["rows/tags.jsonl"] * 2}),
        "the same run_id and tag",
    ),
    "bytes left out": (lambda m: m.pop(blob(m)), "lacks the bytes"),
    "bytes of no row": (lambda m: m.update({f"blobs/00/00{'ab' * 31}.png": b"x"}), "no row of it speaks"),
    "other bytes": (lambda m: m.update({blob(m): m[blob(m)] + b"x"}), "other bytes than its name"),
    "an empty picture": (lambda m: m.update({blob(m): b""}), "without any bytes"),
    "another type": (lambda m: rename(m, blob(m), blob(m)[:-3] + "jpg"), "its row says image/png"),
    "a page as a picture": (a_page_as_a_picture, "no picture that is taken"),
    "another width": (lambda m: change_row(m, "inputs", width=9), "another size than its row"),
    "a raw picture": (lambda m: change_row(m, "inputs", media_type="application/octet-stream"), "media_type"),
}  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = services_at(tmp_path_factory.mktemp("empty") / "data")
    yield services
    services.store.close()


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_whole(
    taken: tuple[Services, Path], empty: Services, tmp_path: Path, case: str
) -> None:
    bend, words = HOSTILE[case]
    path = bent(taken[1], tmp_path / "bent.zip", bend)
    with pytest.raises(ArchiveRefused) as refused:
        bringing.bring(empty, path, "local")
    assert words in str(refused.value)
    assert str(refused.value).endswith((".", "…"))
    assert rows_of(empty, "groups") == []
    assert list(empty.store.blobs.all()) == []


def without_first_byte(members: Members, schema: str) -> None:
    """As the archive would be if that step of the schema had written it."""
    say(members, schema=schema)
    rows = [json.loads(line) for line in members["rows/runs.jsonl"].splitlines()]
    for row in rows:
        del row["first_byte_ms"]
    members["rows/runs.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_an_archive_from_before_a_column_is_taken_and_one_that_lost_it_is_not(
    taken: tuple[Services, Path], empty: Services, other: Callable[..., Services], tmp_path: Path
) -> None:
    source, path = taken
    lost = bent(path, tmp_path / "lost.zip", lambda members: without_first_byte(members, "m012_first_byte"))
    with pytest.raises(ArchiveRefused, match="'first_byte_ms' of runs is missing"):
        bringing.bring(empty, lost, "local")
    old = bent(path, tmp_path / "old.zip", lambda members: without_first_byte(members, "m011_brought"))
    target = other()
    assert bringing.bring(target, old, "local").new["runs"] == 4
    assert rows_of(target, "runs") == [row | {"first_byte_ms": None} for row in rows_of(source, "runs")]
    assert verify(target.store) == []


def test_columns_added_since_the_first_archives_say_what_stands_for_them() -> None:
    first = json.loads(FIRST_COLUMNS.read_text(encoding="utf-8"))
    assert {name: sorted(table.columns.keys() - table.later.keys()) for name, table in TABLES.items()} == first
    for table in TABLES.values():
        assert table.later.keys() <= table.columns.keys()
        for name, one in table.later.items():
            assert RELEASED.index(one.step) > RELEASED.index("m011_brought")
            table.columns[name](one.value)


def link(archive: zipfile.ZipFile) -> None:
    member = zipfile.ZipInfo("blobs/link.png")
    member.create_system = 3
    member.external_attr = 0o120777 << 16
    archive.writestr(member, "/etc/passwd")


def twice(archive: zipfile.ZipFile) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("rows/runs.jsonl", b"")


def other_packing(archive: zipfile.ZipFile) -> None:
    archive.writestr("rows/x.jsonl", b"x", zipfile.ZIP_LZMA)


ODD = {"a link": (link, "a link"), "a name twice": (twice, "twice"), "odd packing": (other_packing, "packed in a way")}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_zip_is_refused(taken: tuple[Services, Path], empty: Services, tmp_path: Path, case: str) -> None:
    add, words = ODD[case]
    path = Path(shutil.copy(taken[1], tmp_path / "odd.zip"))
    with zipfile.ZipFile(path, "a") as archive:
        add(archive)
    with pytest.raises(ArchiveRefused, match=words):
        bringing.bring(empty, path, "local")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data[: len(data) // 2], "no ZIP file"),
        (lambda data: b"GIF89a", "no ZIP file"),
        # The flag of encryption, in every local header and the table of contents.
        (lambda data: data.replace(b"PK\1\2\x14\x03\x14\0\0\0", b"PK\1\2\x14\x03\x14\0\1\0"), "encrypted"),
    ],
    ids=["cut off", "a picture", "encrypted"],
)
def test_a_spoilt_file_is_refused(
    taken: tuple[Services, Path], empty: Services, tmp_path: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    path = tmp_path / "spoilt.zip"
    path.write_bytes(spoil(taken[1].read_bytes()))
    with pytest.raises(ArchiveRefused, match=words):
        bringing.bring(empty, path, "local")


DIE = """
import os, sys
from pathlib import Path
from playground import bringing
from storage.blobs import BlobFolder
from tests.playground.archives import services_at
services = services_at(Path(sys.argv[1]))
put, count = BlobFolder.put, [0]
def put_some(self, data, media_type):
    count[0] += 1
    if count[0] > int(sys.argv[3]):
        os.kill(os.getpid(), 9)
    return put(self, data, media_type)
BlobFolder.put = put_some
if sys.argv[3] == "999":
    bringing.bringing.finish = lambda *_, **__: os.kill(os.getpid(), 9)
bringing.bring(services, Path(sys.argv[2]), "local")
"""


@pytest.mark.parametrize("after", ["3", "999"], ids=["between two pictures", "between the rows"])
def test_a_kill_in_mid_import_leaves_a_clean_store_and_the_next_one_does_it(
    taken: tuple[Services, Path], tmp_path: Path, after: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIE, str(tmp_path / "data"), str(taken[1]), after], check=False, capture_output=True
    )
    assert done.returncode == -9, done.stderr
    services = services_at(tmp_path / "data")
    assert verify(services.store) == []
    assert rows_of(services, "runs") == []
    there = dict(services.store.blobs.all())
    assert there
    if after == "3":
        # Nobody comes back: what was written goes, once nobody can be at it any more.
        assert sweep_freed(services.store, unused_s=-100_000) >= len(there)
        assert list(services.store.blobs.all()) == []
    else:
        bringing.bring(services, taken[1], "local")
        assert sweep_freed(services.store, unused_s=-100_000) == 0
        assert rows_of(services, "images") == rows_of(taken[0], "images")
    assert verify(services.store) == []
    services.store.close()
