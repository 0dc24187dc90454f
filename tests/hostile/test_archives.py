"""Archives that no program writes, beside those of tests/playground/test_archives.py: refused in words, fast and small."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import bringing
from playground.archive import ArchiveRefused
from playground.services import Services
from tests.arena.world import add_run
from tests.hostile.archives import BENT, many_entries
from tests.playground.archives import rows_of, services_at, taken_along


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Services, Path]]:
    folder = tmp_path_factory.mktemp("hostile")
    with taken_along(folder / "source", add_run) as (_, path):
        services = services_at(folder / "data", "public")
        yield services, path
        services.store.close()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", BENT)
def test_an_archive_that_no_program_writes_is_refused(public: tuple[Services, Path], tmp_path: Path, case: str) -> None:
    services, good = public
    path = tmp_path / "bent.zip"
    path.write_bytes(BENT[case](good.read_bytes()))
    began = time.process_time()
    with pytest.raises(ArchiveRefused) as refused:
        bringing.bring(services, path, "ann")
    assert time.process_time() - began < 2
    assert str(refused.value).endswith(".")
    assert str(refused.value).isprintable()
    assert rows_of(services, "runs") == []
    assert list(services.store.blobs.all()) == []


@pytest.mark.parametrize(
    ("case", "part"),
    [
        ("a version to come", "zip file version 9.9"),
        ("a patched file", "compressed patched data"),
        ("a file under strong encryption", "strong encryption"),
    ],
)
def test_a_part_of_the_format_that_is_not_read_is_named(
    public: tuple[Services, Path], tmp_path: Path, case: str, part: str
) -> None:
    path = tmp_path / "newer.zip"
    path.write_bytes(BENT[case](public[1].read_bytes()))
    with pytest.raises(ArchiveRefused, match=f"a part of the format that is not read here.*{part}"):
        bringing.bring(public[0], path, "ann")


def test_a_list_of_many_files_is_not_read(public: tuple[Services, Path], tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(many_entries(70_000))
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveRefused, match="lists more files than are taken"):
            bringing.bring(public[0], path, "ann")
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_the_good_one_is_taken(public: tuple[Services, Path]) -> None:
    assert bringing.bring(public[0], public[1], "ann", dry_run=True).new["runs"] == 1
