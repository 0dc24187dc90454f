"""A process that is killed: it forks, because starting Python anew for each kill would take most of the time.

Run as `python -m tests.playground.dying ARCHIVE`. For each line `FOLDER SEED STEP` on its input it forks, and when the child is
dead it says `dead`. The child says its number, works on the store in that folder, and tells what it `will` do, and what it
`did` once that was acknowledged. With a `STEP` from 0 it does one fixed round and kills itself at that step between rows and
files; with -1 it goes on with random actions until somebody kills it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from playground import bringing
from playground.services import Services
from storage import curation, deleting, history
from storage.blobs import BlobFolder
from storage.curation import Picked
from storage.database import Store
from storage.freeing import sweep_freed
from tests.playground.archives import DAY, services_at

_SHOWN, _TRASHED = "", "is:trashed"


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


class Acting:
    """Actions on a store, each told before and after."""

    def __init__(self, folder: Path, archive: Path) -> None:
        self.services: Services = services_at(folder, "public")
        self.store = self.services.store
        self.archive = archive

    def bring(self, owner: str) -> None:
        """Whatever the owner, the archive's bytes are the same: the runs of all of them share their blobs."""
        say("will", "bring", owner)
        bringing.bring(self.services, self.archive, owner)
        say("did", "bring", owner, *self.runs(owner, _SHOWN))
        say("did", "trash", owner, *self.runs(owner, _TRASHED))

    def trash(self, owner: str, runs: list[str]) -> None:
        self.on_trash("trash", owner, runs, lambda db, whose, what: curation.trash(db, whose, what, DAY.format(4)))

    def restore(self, owner: str, runs: list[str]) -> None:
        self.on_trash("restore", owner, runs, curation.restore)

    def delete(self, owner: str, runs: list[str]) -> None:
        def job(db: Database, whose: str, what: Picked) -> object:
            return deleting.delete_for_ever(db, whose, what, DAY.format(5))

        self.on_trash("delete", owner, runs, job)
        sweep_freed(self.store, unused_s=0)

    def empty(self, owner: str) -> None:
        runs = self.runs(owner, _TRASHED)
        self.on_trash("delete", owner, runs, lambda db, whose, _: deleting.empty_trash(db, whose, DAY.format(5)))
        sweep_freed(self.store, unused_s=0)

    def on_trash(self, name: str, owner: str, runs: list[str], job: Callable[[Database, str, Picked], object]) -> None:
        say("will", name, owner, *runs)
        self.store.write(lambda db: job(db, owner, Picked(runs=runs)))
        say("did", name, owner, *runs)

    def runs(self, owner: str, search: str) -> list[str]:
        return self.store.read(lambda db: history.matching(db, owner, search))

    def owners(self) -> list[str]:
        return self.store.read(lambda db: [row[0] for row in db.execute("select distinct owner from runs order by 1")])


def act_for_ever(acting: Acting, rng: random.Random) -> None:
    while True:
        owners = acting.owners()
        owner = rng.choice([*owners, f"o{len(owners)}"])
        shown, trashed = (acting.runs(owner, search) for search in (_SHOWN, _TRASHED))
        some = rng.sample(shown + trashed, min(2, len(shown + trashed)))
        if owner not in owners or not (shown or trashed):
            acting.bring(f"o{len(owners)}")
        elif (number := rng.randrange(6)) < 2:
            acting.trash(owner, [one for one in some if one in shown])
        elif number == 2:
            acting.restore(owner, [one for one in some if one in trashed])
        elif number == 3:
            acting.empty(owner)
        else:
            acting.delete(owner, [one for one in some if one in trashed])


def act_once(acting: Acting) -> None:
    """Every action, on blobs that others share and at last on blobs that nobody does."""
    for owner in ("o1", "o2"):
        acting.bring(owner)
    for owner in ("o1", "o2"):
        first, second, *rest = acting.runs(owner, _SHOWN)
        acting.trash(owner, [first, second])
        acting.restore(owner, [first])
        acting.delete(owner, [second])
        acting.trash(owner, [first, *rest])
        acting.empty(owner)


def kill_at(step: int) -> None:
    """Counts the steps between rows and files, and dies at that one."""
    count = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            # Before one is behind the one before it.
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            return function(*args, **kwargs)

        return call

    Store.write = counted(Store.write)
    BlobFolder.put = counted(BlobFolder.put)
    BlobFolder.discard = counted(BlobFolder.discard)
    Path.unlink = counted(Path.unlink)


def main() -> None:
    archive = Path(sys.argv[1])
    for line in sys.stdin:
        folder, seed, step = line.split()
        child = os.fork()
        if child == 0:
            say("child", str(os.getpid()))
            acting = Acting(Path(folder), archive)
            if int(step) < 0:
                act_for_ever(acting, random.Random(int(seed)))
            kill_at(int(step))
            act_once(acting)
            say("done")
            os._exit(0)
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
