"""A shelf for snapshots that needs no Hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from storage.errors import SnapshotFailed


class DictShelf:
    """A shelf in memory. Files whose name begins with `refuses` are not taken."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.written: list[str] = []
        self.refuses = "nothing"

    def names(self) -> set[str]:
        return set(self.files)

    def read(self, name: str) -> bytes | None:
        return self.files.get(name)

    def fetch(self, names: Sequence[str], folder: Path) -> None:
        for name in names:
            if name in self.files:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(self.files[name])

    def put(self, files: Mapping[str, Path | bytes]) -> None:
        if any(name.startswith(self.refuses) for name in files):
            raise SnapshotFailed("refused")
        for name, data in files.items():
            self.files[name] = data if isinstance(data, bytes) else data.read_bytes()
            self.written.append(name)

    def delete(self, names: Sequence[str]) -> None:
        for name in names:
            del self.files[name]
