"""What is left after `kill -9`, many times over, under load: see `tests/faults/kills.py`.

`python -m benchmarks.kills --kills 60` takes about two minutes, prints the figures, and ends with 1 where anything was lost or
sent twice.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.kills import kill_many

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description="Kills processes under load.")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--stops", type=int, default=6, help="processes that are told to stop instead")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        found = kill_many(Path(made), given.kills, seed=given.seed, stops=given.stops)
    print(f"seed {given.seed}")
    print("\n".join(found.lines()))
    is_bad = found.votes_lost or found.images_lost or found.twice or found.problems
    sys.exit(1 if is_bad else 0)
