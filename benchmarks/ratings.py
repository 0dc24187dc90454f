"""What a board costs: up to 1,000,000 votes on 50 models, against plain floors in the same run and against peer libraries.

`python -m benchmarks.ratings --peers PYTHON` also runs the peers, under an interpreter that has numpy and any of choix,
statsmodels, scikit-learn and arena-rank; it says how far their ratings are from ours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from arena.ratings import bradley_terry, davidson, elo
from arena.ratings.bootstrap import bootstrap
from arena.ratings.fit import Fit
from arena.ratings.fragility import fragility
from arena.ratings.held_votes import Ballot
from arena.ratings.method import Method, votes_digest
from arena.ratings.outcomes import CountedRow, Grouped, VoteRow, group_counts, points
from arena.ratings.pooling import pooled
from arena.ratings.rated import rate, rate_counts
from arena.ratings.refits import refit
from arena.ratings.sampling import pair_chances
from arena.ratings.side_bias import side_bias
from arena.ratings.voter_checks import findings

PEER_SIZES = (10_000, 100_000, 1_000_000)
MODELS = 50
ROUNDS = 5
REFITS = 1000
CHECKED_VOTES = 100_000
VOTERS = 1000
OUTCOMES = ("a", "b", "tie")


def measure(peers: Path | None = None, *, quick: bool = False) -> list[str]:
    """Lines with the least seconds of several rounds, and ratios to floors; with `peers`, an interpreter, to the peers."""
    sizes = PEER_SIZES[:2] if quick else PEER_SIZES
    votes = _votes(sizes[-1])
    counts: list[CountedRow] = [(*vote, count) for vote, count in Counter(votes).items()]
    rows = group_counts(counts)
    fit = bradley_terry.fit(rows)
    return [
        f"{len(votes):,} votes on {MODELS} models",
        *_replay(votes),
        *_boards(counts, rows, fit),
        *_around(rows, fit),
        *_whole(votes, counts),
        *(line for size in sizes for line in (_peers(peers, size) if peers else [])),
    ]


def _votes(count: int) -> list[VoteRow]:
    rng = np.random.default_rng(1)
    strengths = np.linspace(-1.5, 1.5, MODELS)
    a = rng.integers(0, MODELS, count)
    b = (a + 1 + rng.integers(0, MODELS - 1, count)) % MODELS
    a_wins = rng.random(count) < 1 / (1 + np.exp(strengths[b] - strengths[a]))
    outcome = np.where(rng.random(count) < 0.2, 2, np.where(a_wins, 0, 1))
    names = [f"maker/model-{index:02}" for index in range(MODELS)]
    cells = zip(a.tolist(), b.tolist(), outcome.tolist(), strict=True)
    return [(names[i], names[j], OUTCOMES[told]) for i, j, told in cells]


def _seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The least of several rounds: what the work takes when nothing else runs."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _line(what: str, seconds: float, floor: tuple[str, float] | None = None) -> str:
    end = f", {floor[0]} {floor[1] * 1000:9.1f} ms, ratio {seconds / floor[1]:.3f}" if floor else ""
    return f"{what:<52} {seconds * 1000:9.1f} ms{end}"


def _replay(votes: list[VoteRow]) -> list[str]:
    def floor() -> dict[str, int]:
        met: dict[str, int] = {}
        for a, b, _ in votes:
            met[a] = met.get(a, 0) + 1
            met[b] = met.get(b, 0) + 1
        return met

    return [_line("Elo: replay of all votes", _seconds(lambda: elo.replay(votes)), ("counting them", _seconds(floor)))]


def _boards(counts: list[CountedRow], rows: Grouped, fit: Fit) -> list[str]:
    def board() -> Fit:
        return bradley_terry.fit(group_counts(counts))

    factors = np.random.default_rng(3).uniform(0.4, 0.6, len(counts)).tolist()
    others = [(*row[:3], round(row[3] * factor)) for row, factor in zip(counts, factors, strict=True)]
    half = group_counts(others)
    one_by_one = _seconds(lambda: [refit(half, fit) for _ in range(20)]) * REFITS / 20
    of_ties = davidson.fit(rows)
    return [
        _line(f"Bradley-Terry with sandwich, {len(counts)} grouped rows", _seconds(board)),
        _line("Davidson with sandwich, the same rows", _seconds(lambda: davidson.fit(group_counts(counts)))),
        _line("bootstrap: 1,000 refits", _seconds(lambda: bootstrap(rows, fit), 2), ("refits one by one", one_by_one)),
        _line("bootstrap: 1,000 refits of Davidson's", _seconds(lambda: bootstrap(rows, of_ties), 2)),
    ]


def _around(rows: Grouped, fit: Fit) -> list[str]:
    rng = np.random.default_rng(2)
    cells = zip(
        rng.integers(0, VOTERS, CHECKED_VOTES).tolist(),
        rng.integers(0, MODELS // 2, CHECKED_VOTES).tolist(),
        rng.integers(MODELS // 2, MODELS, CHECKED_VOTES).tolist(),
        rng.integers(0, 3, CHECKED_VOTES).tolist(),
        strict=True,
    )
    ballots = [Ballot(f"v{voter}", rows.names[i], rows.names[j], OUTCOMES[told], 2000) for voter, i, j, told in cells]
    categories = {f"category {number}": rows for number in range(8)}
    return [
        _line("side bias", _seconds(lambda: side_bias(rows))),
        _line("fragility", _seconds(lambda: fragility(rows, fit))),
        _line("voter checks: 100,000 votes of 1,000 voters", _seconds(lambda: findings(ballots, fit), 3)),
        _line("pooled ratings of 8 categories", _seconds(lambda: pooled(categories), 2)),
        _line("chances of all pairs", _seconds(lambda: pair_chances(rows))),
    ]


def _whole(votes: list[VoteRow], counts: list[CountedRow]) -> list[str]:
    return [
        _line("whole board from counted votes", _seconds(lambda: rate_counts(counts, Method()))),
        _line("whole board from single votes", _seconds(lambda: rate(votes, Method()), 2)),
        _line("whole board by Elo", _seconds(lambda: rate(votes, Method(kind="elo")), 2)),
        _line("digest of all votes", _seconds(lambda: votes_digest(votes), 2)),
    ]


def _peers(python: Path, size: int) -> list[str]:
    """Peers get the same rows and give the same: strengths with sandwich errors, or strengths alone from a table of points."""
    rows = group_counts([(*vote, count) for vote, count in Counter(_votes(size)).items()])
    fit = bradley_terry.fit(rows, prior=0)
    with_errors = _seconds(lambda: bradley_terry.fit(rows, prior=0))
    scored, start = points(rows), np.zeros(len(rows.names))
    alone = _seconds(lambda: bradley_terry.strengths_of(scored, 0.0, start))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        np.savez(path, a=rows.a, b=rows.b, score=rows.score, count=rows.count, models=len(rows.names))
        script = Path(__file__).with_name("rating_peers.py")
        done = subprocess.run([python, script, path], capture_output=True, text=True, check=True)
    lines = [f"peers at {size:,} votes, {len(rows.a):,} grouped rows"]
    for peer in map(json.loads, done.stdout.splitlines()):
        if "missing" in peer:
            lines.append(f"{peer['name']}: {peer['missing']}")
            continue
        away = float(np.abs(np.array(peer["ratings"]) - fit.ratings).max())
        errors = f", errors within {np.abs(np.array(peer['se']) / fit.se - 1).max():.1e}" if peer["se"] else ""
        what, ours = ("strengths and errors", with_errors) if peer["se"] else ("strengths alone", alone)
        lines.append(_line(f"Bradley-Terry, {what}", ours, (peer["name"], peer["seconds"])))
        lines.append(f"{'':<52} ratings within {away:.1e} points{errors}")
    return lines


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--peers", type=Path, help="interpreter that has choix, statsmodels or arena-rank")
    for told in measure(reader.parse_args().peers):
        print(told)
