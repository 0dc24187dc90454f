"""`reports`: what voters say is wrong with battles, for the operator; and in an export of everything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from arena import battle, opening
from playground.services import Services
from providers.rows import CATALOG
from tests.arena.world import VOTER, Clock, add_run
from tests.ui.shell import Composed, serve_nothing
from ui import command_line

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def store(services: Services, here: Run) -> Run:
    composed = Composed(services.store.data_dir)
    return lambda *arguments: here(*arguments, compose=composed)


def a_report(services: Services, clock: Clock, reason: str, words: str = "", *, is_voted: bool = False) -> str:
    for offer in ("openai/gpt-image-2", "openai/gpt-image-1-mini"):
        add_run(services, offer, f"Prompt {reason}")
    found = asyncio.run(opening.next_battle(services, VOTER))
    assert found is not None
    if is_voted:
        asyncio.run(battle.vote(services, found.battle_id, VOTER, "a"))
    asyncio.run(battle.report(services, found.battle_id, VOTER, reason, words))
    clock.move(timedelta(minutes=1))
    return found.battle_id


def test_reports_are_listed_newest_first_with_what_they_are_about(
    services: Services, clock: Clock, store: Run, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    first = a_report(services, clock, "broken", is_voted=True)
    second = a_report(services, clock, "other", "Half is grey \x1b[31m\nand torn")
    code, told, _ = store("reports", "--json")
    assert (code, told["count"]) == (0, 2)
    newest, oldest = told["reports"]
    assert (newest["battle_id"], newest["reason"], newest["state"]) == (second, "other", "reported")
    assert (oldest["battle_id"], oldest["state"], oldest["prompt"]) == (first, "voted", "Prompt broken")
    assert {newest["a"]["offer"], newest["b"]["offer"]} == {"openai/gpt-image-2", "openai/gpt-image-1-mini"}
    assert Path(newest["a"]["path"]).is_file()
    assert newest["voter"] != VOTER
    assert command_line.main(["reports"], CATALOG, {}, Composed(services.store.data_dir), serve_nothing) == 0
    text, told_beside = (part.decode() for part in capfdbinary.readouterr())
    assert "\x1b" not in text
    assert "Half is grey  [31m and torn" in text
    assert "Image is broken  after its vote" in text
    assert "2 reports." in told_beside
    _, few, _ = store("reports", "--limit", "1", "--json")
    assert (len(few["reports"]), few["count"]) == (1, 2)


def test_without_reports_it_says_so(store: Run) -> None:
    code, told, said = store("reports", "--json")
    assert (code, told) == (0, {"reports": [], "count": 0})
    assert "Nothing was reported." in said
    assert store("reports", "--limit", "0", "--json")[1]["problems"][0]["field"] == "limit"


def test_an_export_of_everything_says_how_many_battles_a_report_ended(
    services: Services, clock: Clock, store: Run, tmp_path: Path
) -> None:
    a_report(services, clock, "broken", is_voted=True)
    a_report(services, clock, "offensive")
    path = str(tmp_path / "votes.csv")
    _, written, said = store("leaderboard", "--export", path, "--all", "--json")
    assert (written["votes"], written["counted"], written["reported"]) == (1, 1, 1)
    assert "1 vote, 1 of them counted, and 1 reported battle without one." in said
    _, written, said = store("leaderboard", "--export", path, "--json")
    assert (written["votes"], written["reported"]) == (1, 0)
    assert "reported" not in said
