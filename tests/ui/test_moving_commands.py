"""A store goes from SQLite to PostgreSQL and back by the command line, as its owner would do it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import compose
from tests.arena.many_votes import Field, Voting, add_votes
from tests.arena.world import make_services
from tests.playground.archives import fill
from tests.postgres_server import PostgresServer

STRENGTHS = {
    "openai/gpt-image-2": 1100,
    "fal/gpt-image-2": 1000,
    "openai/gpt-image-1": 950,
    "fal/gpt-image-1-mini": 900,
}
Command = Callable[..., Any]


@pytest.fixture
def on(server: PostgresServer, here: Command, tmp_path: Path) -> Callable[[str, str], Command]:
    """The command line over a data folder and one of the engines; each command has to end well."""

    def choose(engine: str, folder: str) -> Command:
        env = {"DIPTYCH_DATA_DIR": str(tmp_path / folder), "OPENAI_API_KEY": ""}
        if engine == "postgres":
            env["DIPTYCH_DATABASE_URL"] = server.url_of(tmp_path / folder)

        def run(*arguments: str) -> Any:
            code, document, said = here(*arguments, "--json", env=env, compose=compose)
            assert code == 0, (document, said)
            return document

        return run

    return choose


@pytest.fixture
def first(on: Callable[[str, str], Command], tmp_path: Path) -> Command:
    """A store on SQLite with votes, costs and images."""
    services = make_services(tmp_path / "first")
    fill(services)
    add_votes(services, Field(STRENGTHS), Voting(60, days=3, voters=("local",), answers_more=True))
    services.store.close()
    return on("sqlite", "first")


def shown(run: Command) -> dict[str, Any]:
    """What both have to agree on to the last digit: boards by each method, the ledger's sums, and each run with its cost."""
    boards = {method: run("leaderboard", "--method", method) for method in ("bradley-terry", "davidson", "elo")}
    assert all(board["counted"] and board["competitors"] for board in boards.values())
    history = run("history", "--limit", "100")
    for image in (image for one in history["runs"] for image in one["images"]):
        del image["path"]
    return {**boards, "costs": run("costs"), "history": history}


def test_backup_and_restore_carry_all_rows_over_and_back(
    first: Command, on: Callable[[str, str], Command], tmp_path: Path
) -> None:
    before = shown(first)
    first("backup", str(tmp_path / "there.sqlite"))
    second = on("postgres", "second")
    second("restore", str(tmp_path / "there.sqlite"))
    assert shown(second) == before
    second("backup", str(tmp_path / "back.sqlite"))
    third = on("sqlite", "third")
    third("restore", str(tmp_path / "back.sqlite"))
    assert shown(third) == before


def test_export_and_import_carry_runs_images_votes_and_costs_over_and_back(
    first: Command, on: Callable[[str, str], Command], tmp_path: Path
) -> None:
    first("export", str(tmp_path / "there.zip"))
    second = on("postgres", "second")
    second("import", str(tmp_path / "there.zip"))
    there = shown(second)
    second("export", str(tmp_path / "back.zip"))
    third = on("sqlite", "third")
    third("import", str(tmp_path / "back.zip"))
    assert shown(third) == there
    assert there == shown(first)
    assert second("verify")["ok"] is third("verify")["ok"] is True
