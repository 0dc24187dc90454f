"""What a board costs: up to 1,000,000 votes on 50 models, against plain floors in the same run and against peer libraries.

`python -m benchmarks.ratings --peers PYTHON` also runs the peers, under an interpreter that has numpy and any of choix,
statsmodels, scikit-learn and arena-rank; it says how far their ratings are from ours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections import Counter
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
from benchmarks.timing import least_s, line_of

PEER_SIZES = (10_000, 100_000, 1_000_000)
MODELS = 50
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


def _replay(votes: list[VoteRow]) -> list[str]:
    def floor() -> dict[str, int]:
        met: dict[str, int] = {}
        for a, b, _ in votes:
            met[a] = met.get(a, 0) + 1
            met[b] = met.get(b, 0) + 1
        return met

    return [line_of("Elo: replay of all votes", least_s(lambda: elo.replay(votes)), ("counting them", least_s(floor)))]


def _boards(counts: list[CountedRow], rows: Grouped, fit: Fit) -> list[str]:
    def board() -> Fit:
        return bradley_terry.fit(group_counts(counts))

    factors = np.random.default_rng(3).uniform(0.4, 0.6, len(counts)).tolist()
    others = [(*row[:3], round(row[3] * factor)) for row, factor in zip(counts, factors, strict=True)]
    half = group_counts(others)
    one_by_one = least_s(lambda: [refit(half, fit) for _ in range(20)]) * REFITS / 20
    of_ties = davidson.fit(rows)
    return [
        line_of(f"Bradley-Terry with sandwich, {len(counts)} grouped rows", least_s(board)),
        line_of("Davidson with sandwich, the same rows", least_s(lambda: davidson.fit(group_counts(counts)))),
        line_of("bootstrap: 1,000 refits", least_s(lambda: bootstrap(rows, fit), 2), ("refits one by one", one_by_one)),
        line_of("bootstrap: 1,000 refits of Davidson's", least_s(lambda: bootstrap(rows, of_ties), 2)),
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
        line_of("side bias", least_s(lambda: side_bias(rows))),
        line_of("fragility", least_s(lambda: fragility(rows, fit))),
        line_of("voter checks: 100,000 votes of 1,000 voters", least_s(lambda: findings(ballots, fit), 3)),
        line_of("pooled ratings of 8 categories", least_s(lambda: pooled(categories), 2)),
        line_of("chances of all pairs", least_s(lambda: pair_chances(rows))),
    ]


def _whole(votes: list[VoteRow], counts: list[CountedRow]) -> list[str]:
    return [
        line_of("whole board from counted votes", least_s(lambda: rate_counts(counts, Method()))),
        line_of("whole board from single votes", least_s(lambda: rate(votes, Method()), 2)),
        line_of("whole board by Elo", least_s(lambda: rate(votes, Method(kind="elo")), 2)),
        line_of("digest of all votes", least_s(lambda: votes_digest(votes), 2)),
    ]


def _peers(python: Path, size: int) -> list[str]:
    """Peers get the same rows and give the same: strengths with sandwich errors, or strengths alone from a table of points."""
    rows = group_counts([(*vote, count) for vote, count in Counter(_votes(size)).items()])
    fit = bradley_terry.fit(rows, prior=0)
    with_errors = least_s(lambda: bradley_terry.fit(rows, prior=0))
    scored, start = points(rows), np.zeros(len(rows.names))
    alone = least_s(lambda: bradley_terry.strengths_of(scored, 0.0, start))
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
        lines.append(line_of(f"Bradley-Terry, {what}", ours, (peer["name"], peer["seconds"])))
        lines.append(f"{'':<52} ratings within {away:.1e} points{errors}")
    return lines


if __name__ == "__main__":
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--peers", type=Path, help="interpreter that has choix, statsmodels or arena-rank")
    for told in measure(reader.parse_args().peers):
        print(told)
