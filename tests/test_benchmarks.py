"""What becomes of figures when a benchmark fails: nothing is lost, and the failure is told."""

from __future__ import annotations

import pytest

from benchmarks.sections import Section, write_all


def test_a_benchmark_that_fails_keeps_its_lines_says_so_and_the_next_one_runs(
    capfd: pytest.CaptureFixture[str],
) -> None:
    kept: list[str] = []
    failed = write_all(
        [
            Section("Breaks", ["-c", "print('  1 ms', flush=True); raise OSError('no room')"]),
            Section("Dies", ["-c", "import os; os.kill(os.getpid(), 9)"]),
            Section("Goes on", ["-c", "print('  2 ms')"]),
        ],
        kept.append,
    )
    assert failed == ["Breaks", "Dies"]
    assert "\n".join(kept) == (
        "## Breaks\n\n```\n  1 ms\n  failed: OSError: no room (exit code 1)\n```\n\n"
        "## Dies\n\n```\n  failed: it said nothing (exit code -9)\n```\n\n"
        "## Goes on\n\n```\n  2 ms\n```\n"
    )
    assert "Traceback" in capfd.readouterr().err
