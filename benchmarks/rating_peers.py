"""Peers of the rating maths, one line of JSON each; run by an interpreter that has them, never by the app's own.

`python rating_peers.py rows.npz`, with `a`, `b`, `score`, `count` (R,) and `models`. Needs numpy, nothing of ours. Each peer is
loaded by name in a function of its own, so that the others still run where it is missing.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from importlib import import_module

import numpy as np

POINTS_PER_LOGIT = 400 / math.log(10)

Rows = dict[str, np.ndarray]
Found = tuple[np.ndarray, np.ndarray | None]
"""Strengths in logits, centred, and the square roots of their variances; `None` where the peer has none like ours."""


def with_choix(rows: Rows) -> Callable[[], Found]:
    """Iterative spectral ranking, strengths only; it knows no ties, so they go in as half points."""
    choix = import_module("choix")

    size = int(rows["models"])
    points = np.zeros((size, size))
    np.add.at(points, (rows["a"], rows["b"]), rows["count"] * rows["score"])
    np.add.at(points, (rows["b"], rows["a"]), rows["count"] * (1 - rows["score"]))

    def work() -> Found:
        found = choix.ilsr_pairwise_dense(points, alpha=0.0, max_iter=1000, tol=1e-10)
        return found - found.mean(), None

    return work


def with_statsmodels(rows: Rows) -> Callable[[], Found]:
    """A binomial regression on grouped rows without the first model; its HC0 errors are the sandwich's of single votes."""
    sm = import_module("statsmodels.api")

    size, lines = int(rows["models"]), np.arange(len(rows["a"]))
    x = np.zeros((len(lines), size))
    x[lines, rows["a"]], x[lines, rows["b"]] = 1, -1
    model = sm.GLM(rows["score"], x[:, 1:], family=sm.families.Binomial(), freq_weights=rows["count"])
    centre = np.eye(size) - 1 / size

    def work() -> Found:
        fit = model.fit(tol=1e-12)
        strengths = np.append(0, fit.params)
        residual = rows["score"] - fit.mu
        bread = fit.cov_params() / fit.scale
        meat = x[:, 1:].T @ (x[:, 1:] * (rows["count"] * residual**2)[:, None])
        whole = np.zeros((size, size))
        whole[1:, 1:] = bread @ meat @ bread
        return strengths - strengths.mean(), np.sqrt(np.diag(centre @ whole @ centre))

    return work


def with_arena_rank(rows: Rows) -> Callable[[], Found]:
    """The public leaderboard's own fit with its sandwich, grouped as here; its first call compiles and is not the least."""
    jnp = import_module("jax.numpy")
    models, data = import_module("arena_rank.models.bradley_terry"), import_module("arena_rank.utils.data_utils")

    size = int(rows["models"])
    ones = jnp.ones(len(rows["a"]))
    dataset = data.PairDataset(
        competitors=list(range(size)),
        pairs=jnp.stack([jnp.array(rows["a"]), jnp.array(rows["b"])], axis=1),
        outcomes=jnp.array(rows["score"]),
        counts=jnp.array(rows["count"]),
        weights=ones,
        opt_weights=jnp.array(rows["count"]) * ones,
    )

    def work() -> Found:
        found = models.BradleyTerry(size).compute_ratings_and_cis(dataset)
        strengths = (np.array(found["ratings"]) - 1000) / POINTS_PER_LOGIT
        return strengths - strengths.mean(), np.sqrt(np.array(found["variances"])) / POINTS_PER_LOGIT

    return work


def with_scikit_learn(rows: Rows) -> Callable[[], Found]:
    """A logistic regression, strengths only, as boards were fitted for years; a row with a tie goes in once for each side."""
    linear = import_module("sklearn.linear_model")

    size, lines = int(rows["models"]), np.arange(len(rows["a"]))
    x = np.zeros((len(lines), size))
    x[lines, rows["a"]], x[lines, rows["b"]] = 1, -1
    won, lost = rows["count"] * rows["score"], rows["count"] * (1 - rows["score"])
    both, answers = np.concatenate([x, x]), np.concatenate([np.ones(len(lines)), np.zeros(len(lines))])
    weights = np.concatenate([won, lost])
    kept = weights > 0
    both, answers, weights = both[kept], answers[kept], weights[kept]

    def work() -> Found:
        model = linear.LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=1000)
        model.fit(both, answers, sample_weight=weights)
        strengths = model.coef_[0]
        return strengths - strengths.mean(), None

    return work


PEERS = {
    "scikit-learn": with_scikit_learn,
    "choix": with_choix,
    "statsmodels": with_statsmodels,
    "arena-rank": with_arena_rank,
}


def main() -> None:
    """Prints what each peer found, and the least seconds of three rounds."""
    with np.load(sys.argv[1]) as stored:
        rows: Rows = dict(stored)
    for name, prepared in PEERS.items():
        try:
            work = prepared(rows)
        except ImportError as missing:
            print(json.dumps({"name": name, "missing": str(missing)}))
            continue
        times = []
        for _ in range(3):
            started = time.perf_counter()
            strengths, errors = work()
            times.append(time.perf_counter() - started)
        ratings = 1000 + POINTS_PER_LOGIT * strengths
        se = [] if errors is None else (POINTS_PER_LOGIT * errors).tolist()
        print(json.dumps({"name": name, "seconds": min(times), "ratings": ratings.tolist(), "se": se}))


if __name__ == "__main__":
    main()
