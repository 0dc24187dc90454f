"""`leaderboard` over files: published numbers, refusals in words, and what is said of odd boards."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.arena.simulated import published_counts, published_votes
from tests.ui.vote_files import Run, lines, write

KEYS = ["method", "votes", "votes_sha256", "competitors", "side_bias", "fragility", "tie_parameter"]
ROW_KEYS = [
    *("competitor", "rating", "low", "high", "rank", "battles", "wins", "losses", "ties", "both_bad"),
    *("p_best", "provisional"),
]
POINTS = 400 / math.log(10)


def one_by_one(name: str) -> list[tuple[str, ...]]:
    return [(a, b, outcome) for a, b, outcome, count in published_counts(name) for _ in range(count)]


@pytest.fixture
def baseball(tmp_path: Path) -> str:
    return write(tmp_path / "baseball.csv", published_votes("agresti_baseball_1987.csv"))


@pytest.fixture
def pudding(tmp_path: Path) -> str:
    return write(tmp_path / "pudding.csv", one_by_one("davidson_pudding.csv"))


def ratings(document: dict[str, Any]) -> dict[str, float]:
    return {row["competitor"]: row["rating"] for row in document["competitors"]}


def test_a_published_table_comes_out_to_its_printed_digits(baseball: str, here: Run) -> None:
    code, document, _ = here("leaderboard", "--votes", baseball, "--prior", "0", "--json")
    assert code == 0
    assert [key for key in document if key in KEYS] == KEYS
    assert [key for key in document["competitors"][0] if key in ROW_KEYS] == ROW_KEYS
    # Source: Agresti (2002), table 10.11, and the R package BradleyTerry2.
    assert ratings(document) == pytest.approx(
        {
            "Milwaukee": 1092.2708, "Detroit": 1067.0908, "Toronto": 1042.4362, "New York": 1034.2946,
            "Boston": 1009.9879, "Cleveland": 936.3585, "Baltimore": 817.5611,
        },
        abs=1e-3,
    )  # fmt: skip
    assert sum(ratings(document).values()) / 7 == pytest.approx(1000)
    assert (document["method"], document["votes"], document["tie_parameter"]) == ("bradley-terry", 273, None)
    assert document["side_bias"]["delta_points"] == pytest.approx(0.302 * POINTS, abs=0.1)
    assert document["fragility"]["votes_to_flip_first"] > 0
    milwaukee = document["competitors"][0]
    assert (milwaukee["competitor"], milwaukee["rank"]) == ("Milwaukee", 1)
    assert milwaukee["low"] < milwaukee["rating"] < milwaukee["high"]


def test_ties_as_half_wins_and_as_an_outcome_of_their_own(pudding: str, here: Run) -> None:
    _, half, _ = here("leaderboard", "--votes", pudding, "--prior", "0", "--json")
    best = half["competitors"][0]
    assert (best["competitor"], best["rating"]) == ("brand-6", pytest.approx(1025.3599, abs=1e-3))
    assert best["high"] - best["rating"] == pytest.approx(1.96 * 16.0414, abs=0.01)
    _, own, _ = here("leaderboard", "--votes", pudding, "--prior", "0", "--method", "davidson", "--json")
    # Source: Davidson 1970, example 2.
    assert own["tie_parameter"] == pytest.approx(0.746823, abs=2e-6)
    assert own["competitors"][0]["rating"] == pytest.approx(1000 + 0.200574 * POINTS, abs=1e-3)
    _, dropped, _ = here("leaderboard", "--votes", pudding, "--ties", "drop", "--json")
    assert (dropped["votes"], dropped["counted"]) == (745, 543)
    assert dropped["votes_sha256"] == half["votes_sha256"]


def test_elo_is_the_replay_in_order_and_leaves_null_what_it_has_not(tmp_path: Path, here: Run) -> None:
    rows = [("x", "y", "a", "2026-01-02T00:00:00Z"), ("y", "x", "tie", "2026-01-01T00:00:00Z")]
    path = write(tmp_path / "votes.csv", rows, "competitor_a,competitor_b,outcome,voted_at")
    code, document, _ = here("leaderboard", "--votes", path, "--method", "elo", "--json")
    assert code == 0
    assert ratings(document) == {"x": 1002.0, "y": 998.0}
    row = document["competitors"][0]
    assert (row["low"], row["high"], row["p_best"], row["rank"]) == (None, None, None, 1)
    assert document["fragility"] == {"votes_to_flip_first": None, "leader": None, "runner_up": None}
    assert document["tie_parameter"] is None
    assert document["ordered_by"] == "voted_at"


def test_row_order_moves_nothing_but_the_hash_and_a_seed_repeats_the_bootstrap(
    baseball: str, here: Run, tmp_path: Path
) -> None:
    back = write(tmp_path / "back.csv", published_votes("agresti_baseball_1987.csv")[::-1])
    one, other = (here("leaderboard", "--votes", path, "--json")[1] for path in (baseball, back))
    assert one.pop("votes_sha256") != other.pop("votes_sha256")
    assert one == other
    drawn = [
        here("leaderboard", "--votes", baseball, "--interval", "bootstrap", "--seed", seed, "--json")[1]
        for seed in ("7", "7", "8")
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0]["competitors"][0]["low"] != drawn[2]["competitors"][0]["low"]
    _, none, _ = here("leaderboard", "--votes", baseball, "--interval", "none", "--json")
    assert {row["low"] for row in none["competitors"]} == {None}


def test_both_bad_counts_as_a_tie_or_not_at_all(tmp_path: Path, here: Run) -> None:
    path = write(tmp_path / "votes.csv", [("x", "y", "a"), ("x", "y", "both_bad"), ("x", "y", "tie")])
    for both_bad, counted in (("tie", 3), ("drop", 2)):
        _, document, _ = here("leaderboard", "--votes", path, "--both-bad", both_bad, "--json")
        assert (document["votes"], document["counted"]) == (3, counted)
        assert [document["competitors"][0][name] for name in ("wins", "ties", "both_bad", "battles")] == [1, 1, 1, 3]


@pytest.mark.parametrize(
    ("rows", "competitors"),
    [([], 0), ([("x", "y", "tie")] * 3, 2), ([("x", "y", "a")] * 50, 2), ([("x", "y", "a"), ("u", "v", "b")], 4)],
)
def test_odd_boards_have_finite_numbers(tmp_path: Path, here: Run, rows: list[Any], competitors: int) -> None:
    path = write(tmp_path / "votes.csv", rows)
    for method in ("elo", "bradley-terry", "davidson"):
        for prior in "01":
            code, document, _ = here("leaderboard", "--votes", path, "--method", method, "--prior", prior, "--json")
            assert (code, len(document["competitors"])) == (0, competitors)
            assert all(math.isfinite(row["rating"]) for row in document["competitors"])
            assert len(document["islands"]) == {0: 0, 2: 1, 4: 2}[competitors]


@pytest.mark.parametrize(
    ("arguments", "field", "words"),
    [
        (("--votes", "VOTES"), "votes", "Row 2 (line 3): outcome 'left' is unknown"),
        (("--votes", "gone.csv"), "votes", "cannot be read"),
        (("--votes", "VOTES", "--board", "generate"), "board", "chooses among the store's votes"),
        (("--votes", "VOTES", "--export", "x.csv"), "export", "chooses among"),
        (("--method", "glicko"), "method", "invalid choice"),
        (("--prior", "2"), "prior", "invalid choice"),
        (("--seed", "-1"), "seed", "whole number"),
        (("--since", "yesterday"), "since", "neither a day"),
        (("--category", "../x"), "category", "no category"),
        (("--export", "votes.xlsx"), "export", "FILE.csv or FILE.jsonl"),
        (("--all",), "all", "belongs to --export"),
    ],
)
def test_what_is_wrong_is_named_and_opens_no_store(
    tmp_path: Path, here: Run, arguments: tuple[str, ...], field: str, words: str
) -> None:
    path = write(tmp_path / "votes.csv", [("x", "y", "a"), ("x", "y", "left")])
    given = [path if argument == "VOTES" else argument for argument in arguments]
    code, document, said = here("leaderboard", *given, "--json")
    assert code == 2
    assert [problem["field"] for problem in document["problems"]] == [field]
    assert words in document["error"]["message"]
    assert words in said
    assert "Traceback" not in said


def test_people_get_a_table_and_sentences(baseball: str, tmp_path: Path, capfdbinary: Any) -> None:
    said = lines(capfdbinary, "leaderboard", "--votes", baseball, "--prior", "0")
    assert said[1].split()[:2] == ["1*", "Milwaukee"]
    text = "\n".join(said)
    assert "273 votes; Bradley-Terry; ties half a win, both bad as a tie; prior of 0 games; sandwich intervals." in text
    assert "Side A takes +52.5 points more than its competitors should" in text
    assert "of 273 votes decide first place: without them Milwaukee no longer leads alone." in text
    assert "A gap of 50 points means an expected score of 57.1%, ties as half." in text
    assert said[-1].startswith("Hash of the votes (SHA-256, method version 2): ")
    nasty = write(tmp_path / "nasty.csv", [("\x1b[31mred", "y", "a")])
    assert "\x1b" not in "\n".join(lines(capfdbinary, "leaderboard", "--votes", nasty))
    assert lines(capfdbinary, "leaderboard", "--votes", write(tmp_path / "none.csv", []))[0].startswith(
        "There are no votes"
    )


# What is said of odd boards


def told_of(
    capfdbinary: Any, here: Run, tmp_path: Path, rows: list[tuple[str, ...]], *options: str
) -> tuple[str, dict[str, Any]]:
    """The sentences and the document of a board of these votes."""
    path = write(tmp_path / "odd.csv", rows)
    text = "\n".join(lines(capfdbinary, "leaderboard", "--votes", path, *options))
    return text, here("leaderboard", "--votes", path, *options, "--json")[1]


TIES = [("x", "y", "tie"), ("y", "z", "tie"), ("x", "z", "tie")] * 20
ISLANDS = [(a, b, outcome) for a, b in (("x", "y"), ("u", "v")) for outcome in ("a", "a", "b") for _ in range(20)]


def test_a_shared_first_place_is_called_shared(capfdbinary: Any, here: Run, tmp_path: Path) -> None:
    text, document = told_of(capfdbinary, here, tmp_path, TIES)
    assert "First place is shared by x, y, z." in text
    assert "decide first place" not in text
    assert document["fragility"]["votes_to_flip_first"] == 0


def test_nothing_is_told_across_islands(capfdbinary: Any, here: Run, tmp_path: Path) -> None:
    text, document = told_of(capfdbinary, here, tmp_path, ISLANDS)
    assert "2 groups that never met" in text
    assert "first place" not in text.lower()
    assert document["fragility"] == {"votes_to_flip_first": None, "leader": None, "runner_up": None}
    for row in document["competitors"]:
        assert (row["p_best"], row["rank_best"], row["rank_worst"]) == (None, None, None)
    small = [*ISLANDS, *[("x", "w", outcome) for outcome in ("a", "b") for _ in range(20)]]
    _, document = told_of(capfdbinary, here, tmp_path, small)
    chances = {row["competitor"]: row["p_best"] for row in document["competitors"]}
    assert (chances.pop("u"), chances.pop("v")) == (None, None)
    assert sum(chances.values()) == pytest.approx(1)


def test_what_was_left_out_is_not_called_never_met(capfdbinary: Any, here: Run, tmp_path: Path) -> None:
    text, document = told_of(capfdbinary, here, tmp_path, TIES, "--ties", "drop")
    assert "3 groups without a battle that counts between them" in text
    assert "No battle that counts" in text
    assert "never met" not in text
    assert "No battles yet" not in text
    assert {row["battles"] for row in document["competitors"]} == {40}


def test_elo_blames_no_prior(capfdbinary: Any, here: Run, tmp_path: Path) -> None:
    rows = [("x", "y", "a")] * 40
    text, document = told_of(capfdbinary, here, tmp_path, rows, "--method", "elo")
    assert "prior" not in text
    assert "unbounded" not in {caution for row in document["competitors"] for caution in row["cautions"]}
    text, document = told_of(capfdbinary, here, tmp_path, rows)
    assert "the prior decides" in text
    assert document["forced_prior"] is None


def test_a_prior_that_nobody_asked_for_is_told(capfdbinary: Any, here: Run, tmp_path: Path) -> None:
    text, document = told_of(capfdbinary, here, tmp_path, [("x", "y", "a")] * 40, "--prior", "0")
    assert (document["prior"], document["forced_prior"]) == (0, 0.01)
    assert "the least one is in use, of 0.01 games" in text
    text, document = told_of(capfdbinary, here, tmp_path, [("x", "y", "ab"[n % 2]) for n in range(40)], "--prior", "0")
    assert document["forced_prior"] is None
    assert "least one" not in text


@pytest.mark.parametrize(
    ("outcomes", "words", "verdict"),
    [
        ("a" * 9 + "b", "Too few votes to tell", "few"),
        ("a" * 33 + "b" * 27, "Too few votes to tell", "few"),
        ("a" * 210 + "b" * 190, "No sign of a bias", "none"),
        ("a" * 225 + "b" * 175, "A hint of a bias", "hint"),
        ("a" * 260 + "b" * 140, "more than chance does", "bias"),
    ],
)
def test_that_there_is_no_bias_is_only_said_where_one_would_show(
    capfdbinary: Any, here: Run, tmp_path: Path, outcomes: str, words: str, verdict: str
) -> None:
    rows = [(*("xy" if n % 2 else "yx"), outcome) for n, outcome in enumerate(outcomes)]
    text, document = told_of(capfdbinary, here, tmp_path, rows)
    assert words in text
    assert document["side_bias"]["verdict"] == verdict


def test_a_category_by_another_method_says_that_it_does_not_lean(capfdbinary: Any, here: Run, tmp_path: Path) -> None:
    rows = [("x", "y", "a" if n % 3 else "tie", ("logo", "photo")[n % 2]) for n in range(80)]
    path = write(tmp_path / "votes.csv", rows, "competitor_a,competitor_b,outcome,category")
    given = ("leaderboard", "--votes", path, "--category", "logo")
    assert "lean on those of the others" in "\n".join(lines(capfdbinary, *given))
    for options in (("--method", "davidson"), ("--prior", "0"), ("--interval", "none"), ("--ties", "drop")):
        text = "\n".join(lines(capfdbinary, *given, *options))
        assert "These are the category's own votes alone." in text
        document = here(*given, *options, "--json")[1]
        assert (document["is_pooled"], document["category"]) == (False, "logo")
        assert (document["tie_parameter"] is not None) == ("davidson" in options)
        assert (document["competitors"][0]["low"] is None) == (document["interval"] is None) == ("none" in options)
