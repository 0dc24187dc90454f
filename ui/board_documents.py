"""A leaderboard as a JSON document and as lines for a terminal. Pure.

The document is what `leaderboard --json` prints and what the endpoint of the same name answers. What a method has no figure for
is null, never a likely number.
"""

from __future__ import annotations

from collections.abc import Iterator

from arena.category_board import leans
from arena.ratings.cautions import CAUTIONS
from arena.ratings.maturity import MIN_BATTLES
from arena.ratings.method import METHOD_VERSION, Method
from arena.ratings.rated import Rated, RatedRow
from arena.ratings.scale import score_at
from arena.ratings.side_bias import Verdict
from arena.standing import leaders
from arena.stated_board import StatedBoard
from ui.plain_documents import Document

GAP_POINTS = 50.0
"""The gap whose meaning is told."""
_NAMES = {"elo": "Elo", "bradley-terry": "Bradley-Terry", "davidson": "Davidson"}
_INTERVALS = {"sandwich": "sandwich intervals", "bootstrap": "bootstrap intervals", "none": "no intervals"}
_NAME_WIDTH = 44
_BIAS: dict[Verdict, str] = {
    "bias": "That is more than chance does: look at the page or the voters.",
    "hint": "A hint of a bias, no more.",
    "few": "Too few votes to tell whether there is a bias.",
    "none": "No sign of a bias.",
}
LEANS_BY = "Only Bradley-Terry with ties as half, a prior of one game and sandwich intervals leans on other categories."
"""Under which method a category leans."""


def board_document(stated: StatedBoard) -> Document:
    """The board with its hash, method, and what to be careful with."""
    rated, method = stated.rated, stated.rated.method
    bias, fragile = rated.side_bias, rated.fragility
    has_prior = method.kind != "elo"
    return {
        "method": method.kind,
        "method_version": METHOD_VERSION,
        "ties": method.ties,
        "both_bad": method.both_bad,
        "prior": method.prior if has_prior else None,
        "forced_prior": rated.forced_prior,
        "interval": method.interval if method.has_interval else None,
        "seed": method.seed,
        "votes": rated.votes,
        "counted": rated.counted,
        "votes_sha256": stated.votes_sha256,
        "competitors": [_row_document(row) for row in rated.rows],
        "side_bias": {
            "delta_points": bias.delta_points if bias else None,
            "z": bias.z if bias else None,
            "verdict": bias.verdict if bias else None,
        },
        "fragility": {
            "votes_to_flip_first": fragile.votes_to_flip if fragile else None,
            "leader": fragile.leader if fragile else None,
            "runner_up": fragile.runner_up if fragile else None,
        },
        "tie_parameter": rated.tie_parameter,
        "expected_score_at_50_points": score_at(GAP_POINTS, rated.tie_parameter),
        "islands": [list(island) for island in rated.islands],
        "category": stated.category,
        "is_pooled": stated.is_pooled,
        "is_demo": stated.is_demo,
        "left_out": stated.left_out,
        "ordered_by": stated.ordered_by,
    }


def _row_document(row: RatedRow) -> Document:
    return {
        "competitor": row.competitor,
        "rating": row.rating,
        "low": row.low,
        "high": row.high,
        "rank": row.rank,
        "rank_best": row.rank_best,
        "rank_worst": row.rank_worst,
        "battles": row.battles,
        "wins": row.wins,
        "losses": row.losses,
        "ties": row.ties,
        "both_bad": row.both_bad,
        "p_best": row.p_best,
        "provisional": row.is_provisional,
        "maturity": row.maturity,
        "cautions": sorted(row.cautions),
    }


def board_lines(stated: StatedBoard) -> Iterator[str]:
    """The board as a table and the sentences under it."""
    rated = stated.rated
    if not rated.rows:
        yield "There are no votes on this board yet."
    else:
        yield (
            f"{'rank':>5}  {'competitor':<{_NAME_WIDTH}} {'rating':>7}  {'95% interval':<15} {'best':>5} {'battles':>9}"
            f"  {'won':>7} {'lost':>7} {'tied':>7} {'bad':>7}"
        )
        for row in rated.rows:
            yield _row_line(row)
        yield ""
        yield from sentences(stated)
    yield f"Hash of the votes (SHA-256, method version {METHOD_VERSION}): {stated.votes_sha256}"


def _row_line(row: RatedRow) -> str:
    interval = "" if row.low is None or row.high is None else f"{row.low:,.0f} to {row.high:,.0f}"
    best = "" if row.p_best is None else f"{row.p_best:.0%}"
    mark = "*" if row.is_provisional else " "
    return (
        f"{row.rank:>4}{mark}  {_printable(row.competitor):<{_NAME_WIDTH}} {row.rating:>7,.1f}  {interval:<15} {best:>5}"
        f" {row.battles:>9,}  {row.wins:>7,} {row.losses:>7,} {row.ties:>7,} {row.both_bad:>7,}"
    )


def sentences(stated: StatedBoard) -> Iterator[str]:
    """How the board was made, how far it can be trusted, and what a gap on it means."""
    rated = stated.rated
    yield _made(rated, is_pooled=stated.is_pooled)
    if stated.is_demo:
        yield "These are drawn demo images. Their votes are kept apart from real ratings."
    if stated.is_pooled:
        yield "The ratings of this category lean on those of the others as far as its own votes do not carry them."
    elif stated.category is not None and not leans(rated.method):
        yield f"These are the category's own votes alone. {LEANS_BY}"
    if rated.forced_prior is not None:
        yield f"Without a prior some ratings would not be finite; so the least one is in use, of {rated.forced_prior:g} games."
    if stated.left_out:
        yield f"{_counted(stated.left_out, 'row')} of the file did not count and stayed out."
    if any(row.is_provisional for row in rated.rows):
        yield f"* Provisional: too little is known, as under {MIN_BATTLES} battles."
    if len(rated.islands) > 1:
        yield f"Competitors fall into {len(rated.islands)} groups {apart(rated)}: compare ratings within a group only."
    for caution in sorted({caution for row in rated.rows for caution in row.cautions} - {"thin", "island"}):
        names = [_printable(row.competitor) for row in rated.rows if caution in row.cautions]
        yield f"{', '.join(names[:5])}{' and others' if len(names) > 5 else ''}: {CAUTIONS[caution]}"
    yield from _trust(rated)
    score = score_at(GAP_POINTS, rated.tie_parameter)
    yield f"A gap of {GAP_POINTS:.0f} points means an expected score of {score:.1%}, ties as half."


def apart(rated: Rated) -> str:
    """How islands are apart. Where ties are left out they may well have met."""
    return "that never met" if rated.counted == rated.votes else "without a battle that counts between them"


def _made(rated: Rated, *, is_pooled: bool) -> str:
    method = rated.method
    intervals = "intervals of the pooled fit" if is_pooled else _INTERVALS[method.interval]
    parts = [
        _counted(rated.votes, "vote")
        + ("" if rated.counted == rated.votes else f", {rated.counted:,} of them counted"),
        _NAMES[method.kind],
        _ties(method),
        *([f"prior of {_counted(int(method.prior), 'game')}", intervals] if method.kind != "elo" else []),
    ]
    return f"{'; '.join(parts)}."


def _ties(method: Method) -> str:
    if method.ties == "drop":
        return "ties and both bad left out"
    tie = "ties an outcome of their own" if method.kind == "davidson" else "ties half a win"
    return f"{tie}, both bad {'as a tie' if method.both_bad == 'tie' else 'left out'}"


def _trust(rated: Rated) -> Iterator[str]:
    bias, fragile = rated.side_bias, rated.fragility
    if bias:
        meant = _BIAS[bias.verdict]
        yield f"Side A takes {bias.delta_points:+.1f} points more than its competitors should (z {bias.z:+.1f}). {meant}"
    if fragile and fragile.votes_to_flip == 0:
        first = [_printable(name) for name in leaders(rated)]
        yield f"First place is shared by {', '.join(first[:5])}{' and others' if len(first) > 5 else ''}."
    elif fragile and fragile.votes_to_flip is not None:
        yield (
            f"{fragile.votes_to_flip:,} of {_counted(fragile.votes, 'vote')} decide first place: without them "
            f"{_printable(fragile.leader)} no longer leads alone."
        )


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _printable(name: str) -> str:
    """What a file or a visitor wrote must not steer a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in name)
