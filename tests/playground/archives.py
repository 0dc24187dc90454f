"""A store with a row of every kind and votes, its archive, and archives bent by hand."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from playground import taking
from playground.services import Services
from storage import battles, curation, votes
from storage.curation import Picked
from storage.records import Battle, Vote
from storage.rows import fetch
from tests.arena.world import add_run, make_services
from tests.storage.builders import store_everything

DAY = "2026-11-{:02d}T12:00:00.000Z"


def services_at(folder: Path, mode: str = "local") -> Services:
    made = make_services(folder)
    return replace(made, settings=replace(made.settings, mode=mode))


def fill(services: Services) -> None:
    """Every kind of row, curated, and four voted battles."""
    store_everything(services.store)
    images = [add_run(services, offer)[0] for offer in ("openai/x", "fal/x", "openai/y")]

    def write(db: Database) -> None:
        picked = Picked(images=images[:1])
        curation.set_favourite(db, "local", picked, favourite=True)
        curation.set_stars(db, "local", picked, 4)
        curation.add_tags(db, "local", picked, ["logo", "日本"])
        curation.set_note(db, "local", "r1", "for the poster")
        curation.trash(db, "local", Picked(images=["i-r1"]), DAY.format(3))
        for number, outcome in enumerate(("a", "b", "tie", "both_bad"), start=1):
            one, other = images[number % 3], images[(number + 1) % 3]
            battle = Battle(
                battle_id=f"{number:032x}", voter="local", operation="generate", prompt="A fox", image_a=one, image_b=other,
                offer_a="openai/x", offer_b="fal/x", source="history", is_demo=False, probability=0.5, state="open",
                created_at=DAY.format(1), expires_at=DAY.format(30),
            )  # fmt: skip
            battles.insert(db, battle)
            battles.end(db, battle.battle_id, "local", state="voted", now=DAY.format(2))
            reason = "You have voted before." if number == 4 else None
            vote = Vote(battle.battle_id, "local", outcome, 900, True, reason, DAY.format(2), follows="a")
            votes.insert(db, vote, battle)

    services.store.write(write)


@contextmanager
def taken_along(folder: Path, fill: Callable[[Services], object]) -> Iterator[tuple[Services, Path]]:
    """A store that `fill` has filled, and the archive of all that is in it, both below `folder`."""
    services = services_at(folder / "data")
    try:
        fill(services)
        taking.write_file(services, folder / "all.zip", "local")
        yield services, folder / "all.zip"
    finally:
        services.store.close()


def rows_of(services: Services, table: str) -> list[dict[str, Any]]:
    """All rows of a table but what is each store's own."""
    rows = services.store.read(lambda db: fetch(db, f"select * from {table}"))
    own = ("seq", "brought_at", "worker")
    return sorted(({name: row[name] for name in row if name not in own} for row in rows), key=str)


Members = dict[str, bytes]


def bent(path: Path, out: Path, bend: Callable[[Members], object]) -> Path:
    """The archive with its members changed, and the manifest's hashes of rows made to fit."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    bend(members)
    if "manifest.json" in members:
        try:
            manifest = json.loads(members["manifest.json"])
            for name in manifest["sha256"]:
                if name in members and not manifest.get("keep"):
                    manifest["sha256"][name] = hashlib.sha256(members[name]).hexdigest()
                    manifest["counts"][name[5:-6]] = members[name].count(b"\n")
            members["manifest.json"] = json.dumps(manifest).encode()
        except (ValueError, KeyError, TypeError):
            pass
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_DEFLATED if len(data) > 500_000 else zipfile.ZIP_STORED)
    return out


def change_row(members: Members, table: str, **changes: Any) -> None:
    """Changes columns of the first row of a table."""
    name = f"rows/{table}.jsonl"
    first, *rest = members[name].splitlines()
    row = json.loads(first) | changes
    members[name] = b"".join(line + b"\n" for line in (json.dumps(row).encode(), *rest))
