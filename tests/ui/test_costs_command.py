"""`costs` at the shell, and a limit on what `generate` sends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import app
from providers.rows import CATALOG
from storage import ledger, runs
from storage.database import Store
from tests.fakes.openai_server import FakeOpenAI
from tests.storage.builders import make_group, make_line, make_run
from tests.ui.shell import Shell, serve_nothing
from ui import command_line


def with_unknown(folder: Path) -> None:
    store = Store.open(folder)
    store.write(lambda db: runs.insert_group(db, make_group(owner="visitor")))
    store.write(lambda db: runs.insert_runs(db, [make_run(owner="visitor", state="unknown")], [], [make_line()]))
    store.write(lambda db: ledger.mark_unknown(db, "r1", make_run().queued_at) and None)
    store.close()


def test_costs_lists_settles_and_sets_and_names_what_is_wrong(here: Callable[..., Any], tmp_path: Path) -> None:
    with_unknown(tmp_path / "data")

    def costs(*arguments: str) -> tuple[int, Any, str]:
        env = {"DIPTYCH_DATA_DIR": str(tmp_path / "data"), "DIPTYCH_LIMIT_MONTH": "20"}
        return here("costs", *arguments, "--json", env=env, compose=app.compose)

    code, document, _ = costs("--set", "day", "5", "--warn")
    assert code == 0
    assert [(row["span"], row["amount_microusd"], row["action"], row["is_fixed"]) for row in document["limits"]] == [
        ("day", 5_000_000, "warn", False),
        ("month", 20_000_000, "block", True),
    ]
    (line,) = document["unknown"]
    for wrong in (("--settle", line["ledger_id"], "lots"), ("--settle", "nothing", "1"), ("--set", "week", "1")):
        code, refused, _ = costs(*wrong)
        assert (code, refused["problems"][0]["field"]) == (2, wrong[0][2:])
    code, document, _ = costs("--settle", line["ledger_id"], "0.029", "--note", "bill")
    assert (code, document["unknown"], document["all_time_microusd"]) == (0, [], 29_000)
    assert costs("--unset", "day")[1]["limits"][0]["span"] == "month"


def test_costs_in_words_say_how_far_limits_are_and_what_is_held(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with_unknown(tmp_path / "data")
    at = make_run().queued_at[:10]
    env = {"DIPTYCH_DATA_DIR": str(tmp_path / "data"), "DIPTYCH_LIMIT_MONTH": "20", "DIPTYCH_LIMIT_RUN": "2"}
    assert command_line.main(["costs"], CATALOG, env, app.compose, serve_nothing) == 0
    told = capfdbinary.readouterr()[0].decode().splitlines()
    assert "unknown        $0.031 held for 1 run" in told
    assert "limit run      $2.00, blocks, set where the app starts" in told
    assert any(line.startswith("limit month    $") and " of $20.00, blocks, " in line for line in told)
    assert told[-1].startswith(f"line           l-r1  {at}")
    assert told[-1].endswith("openai/gpt-image-2  $0.031 held")


def test_generate_is_refused_before_anything_is_sent(shell: Shell, fake: FakeOpenAI) -> None:
    shell.env["DIPTYCH_LIMIT_RUN"] = "0.0001"
    code, document, said = shell(
        "generate", "--offer", "openai/gpt-image-2", "--prompt", "A fox", "--quality", "low", "--json"
    )
    assert (code, document["error"]["kind"]) == (2, "quota")
    assert "The limit of $0.0001 for one run would be passed" in said
    assert "Nothing was sent" in document["error"]["message"]
    assert fake.calls == []
