"""What stands around a board's table: notices above it, figures and sentences under it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arena.board import Board
from arena.ratings.elo import START, K
from arena.ratings.maturity import MIN_BATTLES, MIN_OPPONENTS, PROVISIONAL_HALF_WIDTH
from arena.ratings.method import METHOD_VERSION
from arena.ratings.scale import score_at, sigmoid
from arena.ratings.side_bias import Verdict
from arena.recount import Recount
from arena.standing import Separation, leaders
from storage.exclusions import Exclusion
from ui import views
from ui.board_documents import LEANS_BY, apart
from ui.leaderboard.choices import category_name
from ui.leaderboard.table import View, has_rank, ordered

GAP = 50
"""Points of the example of what a gap means."""
MAX_VOTERS = 100
"""Voters left out that are listed, newest first."""


_BIAS: dict[Verdict, str] = {
    "bias": "a bias",
    "hint": "a hint of bias",
    "few": "too few votes to tell",
    "none": "no sign of bias",
}
_BIAS_ALARM = (
    "Sides are drawn by a coin, so they should: the page or some voters favour one. It cancels out of the ratings, but look "
    "into it."
)


def notices(board: Board, names: Mapping[str, str], alarms: Sequence[str] = ()) -> list[View]:
    """What has to be known before the table is read, the gravest first; `alarms`: what only a person can judge of voters."""
    told = [
        _notice("warn", "Votes may be pushed.", " ".join(alarms)) if alarms else None,
        _notice("warn", "Suddenly more votes are left out.", _alarm(board)) if board.left_out.is_alarming else None,
        _notice("warn", "Side A and side B do not win alike.", _BIAS_ALARM) if _is_biased(board) else None,
        _notice("warn", "Not everyone here can be compared.", islands(board, names)) if _has_islands(board) else None,
        _notice("compare", "These are drawn demo images.", _demo(board)) if board.is_demo else None,
        _notice("base", "These ratings lean on other categories.", _pooled(board)) if board.is_pooled else None,
        _notice("base", "These are the category's own votes alone.", LEANS_BY) if _is_alone(board) else None,
        _notice("null", "", _alone(board)) if len(board.rows) == 1 or _only_ties(board) else None,
    ]
    return [one for one in told if one is not None]


def _notice(icon: str, first: str, rest: str) -> View:
    return {"icon": icon, "first": first, "rest": rest}


def _alarm(board: Board) -> str:
    out = board.left_out
    return (
        f"{out.recent_share:.1%} of the votes of the last 7 days were left out because of their voters, "
        f"{out.share:.1%} of all. The reasons stand under the table."
    )


def _is_biased(board: Board) -> bool:
    return board.rated.side_bias is not None and board.rated.side_bias.alarms


def _has_islands(board: Board) -> bool:
    return len(board.rated.islands) > 1


def islands(board: Board, names: Mapping[str, str]) -> str:
    """Groups without a battle between them, in a sentence."""
    groups = [_listed([names[one] for one in group]) for group in board.rated.islands]
    return (
        f"There are {len(groups)} groups {apart(board.rated)}, not even over others: {'; '.join(groups)}. Ratings compare "
        "within a group only."
    )


def _listed(items: Sequence[str], most: int = 6) -> str:
    shown = [*items[:most], *([f"{len(items) - most} more"] if len(items) > most else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _demo(board: Board) -> str:
    only = "" if board.has_real else " There are no votes on real models yet."
    return f"Their votes are kept apart from real ratings.{only}"


def _is_alone(board: Board) -> bool:
    """Whether its ratings would lean on other categories by another method."""
    return board.query.category is not None and not board.query.leans


def _pooled(board: Board) -> str:
    return (
        f"{category_name(board.query.category or '')} has {views.counted(board.votes, 'vote')} of its own. As far as those "
        "do not carry a rating, it is drawn towards the competitor's rating in the other categories."
    )


def _only_ties(board: Board) -> bool:
    return bool(board.votes) and all(row.rated.wins == 0 and row.rated.losses == 0 for row in board.rows)


def _alone(board: Board) -> str:
    if len(board.rows) == 1:
        return "One competitor alone has nobody to be held against: its rating is only the starting value."
    return "Nobody has won yet: every vote was a tie or both bad, so that all stand level and the intervals are wide."


def cards(board: Board, names: Mapping[str, str]) -> list[View]:
    """The four figures under the table."""
    out = board.left_out.votes
    counted = [
        f"{board.rated.votes - board.rated.counted:,} ties left out" if board.rated.counted < board.rated.votes else "",
        f"{board.same_competitor:,} met itself" if board.same_competitor else "",
        f"{out:,} left out on all boards" if out else "none left out",
    ]
    return [
        _card("Votes counted", f"{board.rated.counted:,}", views.sentence(counted)),
        _first_place(board, names),
        _side(board),
        _to_part(board, names),
    ]


def _card(label: str, figure: str, note: str, state: str = "") -> View:
    return {"label": label, "figure": figure, "note": note, "state": state}


def _first_place(board: Board, names: Mapping[str, str]) -> View:
    found = board.rated.fragility
    if found is None and board.is_pooled:
        return _card("First place", "–", "hangs on other categories' votes too")
    if found is None and _has_islands(board):
        return _card("First place", "–", f"groups {apart(board.rated)} have none")
    if found is None:
        return _card("First place", "–", "needs two competitors and a vote that counts")
    if found.votes_to_flip == 0:
        return _card("First place", "Shared", f"by {_listed([names[one] for one in leaders(board.rated)])}")
    if found.votes_to_flip is None:
        return _card("First place", "Firm", f"leaving out any of {found.votes:,} votes does not change it")
    return _card("First place", views.counted(found.votes_to_flip, "vote"), f"of {found.votes:,} decide first place")


def _side(board: Board) -> View:
    bias = board.rated.side_bias
    if bias is None:
        return _card("Side bias", "–", "needs votes")
    figure = f"{float(sigmoid(bias.delta)):.1%} A"
    return _card(
        "Side bias", figure, f"{_BIAS[bias.verdict]}, z {bias.z:.1f}".replace("-", "−"), "warn" if bias.alarms else ""
    )


def _to_part(board: Board, names: Mapping[str, str]) -> View:
    label = "To part first and second"
    ranked = [row.rated.competitor for row in ordered(board) if has_rank(row)]
    if len(ranked) < 2:
        return _card(label, "–", "needs two competitors with a rank")
    for one in board.separations:
        if (one.first, one.second) == (ranked[0], ranked[1]):
            if one.more_votes is None:
                return _card(label, "Level", "no number of votes parts equals")
            return _card(label, f"about {rough(one.more_votes)}", "more votes between the two needed")
    return _card(label, "Parted", f"{names[ranked[0]]} stands above {names[ranked[1]]}")


def rough(number: int) -> str:
    """The number with two digits that matter: `640`, `9,500`."""
    places = max(0, len(str(number)) - 2)
    return f"{round(number, -places):,}"


def undecided(board: Board, names: Mapping[str, str]) -> View:
    """Neighbours of the table that the votes do not part, from the top; in a sentence where there are none."""
    ranked = {row.rated.competitor for row in board.rows if has_rank(row)}
    pairs = [_pair(one, names) for one in board.separations if {one.first, one.second} <= ranked]
    none = (
        "Each row with a rank stands clear of the next."
        if len(ranked) > 1
        else "No two rows have a rank yet: more battles come first."
    )
    return {"pairs": pairs, "none": "" if pairs else none}


def _pair(one: Separation, names: Mapping[str, str]) -> View:
    more = "stand level now" if one.more_votes is None else f"about {rough(one.more_votes)} more votes"
    return {"first": names[one.first], "second": names[one.second], "more": more}


def gap_sentence(board: Board) -> str:
    """What a gap of 50 points means on this board."""
    score = score_at(GAP, board.rated.tie_parameter) * 100
    ties = "that were decided" if board.query.method.ties == "drop" else "with ties as half"
    return (
        f"{GAP} points more mean that about {score:.0f} of 100 battles {ties} go to the higher one; 0 points mean 50."
    )


def method_sentences(board: Board) -> list[str]:
    """How the numbers came about, in plain words."""
    method = board.query.method
    fitted = {
        "bradley-terry": "Ratings are Bradley-Terry's, fitted to all votes at once, so that their order does not matter.",
        "davidson": "Ratings are Davidson's, fitted to all votes at once, with a tie as an outcome of its own.",
        "elo": "",
    }[method.kind]
    ties = {
        ("bradley-terry", "half"): "A tie and both bad count half for each side.",
        ("bradley-terry", "drop"): "Ties and both bad are left out.",
    }.get((method.kind, method.ties), "")
    prior = "Each competitor also has one half-won game against the mean, which keeps thin ratings finite."
    return [
        part
        for part in (
            fitted,
            ties,
            prior if method.prior else "",
            f"Intervals hold in 95 of 100 cases ({'errors of the pooled fit' if board.is_pooled else 'sandwich errors'}). "
            "Equal ranks: their intervals overlap.",
            f"Elo starts at {START:,.0f} and moves both sides by at most {K:.0f} points a vote, in the order of the votes.",
            f"A row is provisional below {MIN_BATTLES} battles, below {MIN_OPPONENTS} opponents, or beyond "
            f"±{PROVISIONAL_HALF_WIDTH:.0f} points.",
        )
        if part
    ]


def method_line(board: Board) -> str:
    """The method in short, with its version."""
    method = board.query.method
    kind = {"bradley-terry": "Bradley-Terry", "davidson": "Davidson", "elo": "Elo"}[method.kind]
    ties = "" if method.kind == "davidson" else "ties half" if method.ties == "half" else "ties left out"
    return views.sentence([kind, ties, f"prior {method.prior:g}", method.interval, f"method {METHOD_VERSION}"])


def left_out(board: Board) -> View:
    """Votes that do not count, on all boards: how many, why, and whose."""
    out = board.left_out
    return {
        "votes": views.counted(out.votes, "vote"),
        "any": out.votes > 0 or bool(out.voters),
        "reasons": [[reason or "No reason was kept", f"{votes:,}"] for reason, votes in _most_first(out.reasons)],
        "voters": [_voter(one, out.shown_as[one.voter]) for one in out.voters[:MAX_VOTERS]],
        "more_voters": max(0, len(out.voters) - MAX_VOTERS),
        "share": f"{out.share:.1%} of all votes, {out.recent_share:.1%} of the last 7 days" if out.voters else "",
    }


def _most_first(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(reasons.items(), key=lambda item: (-item[1], item[0]))


def _voter(one: Exclusion, shown_as: str) -> View:
    return {"voter": shown_as, "reason": one.reason, "votes": f"{one.votes:,}", "day": one.at[:10]}


def recount_sentence(found: Recount) -> str:
    """What making the board anew came to."""
    read = f"Made anew from {views.counted(found.votes, 'vote')}"
    if found.is_same:
        days = f", all {views.counted(found.days, 'day')} of Elo" if found.days > 1 else ""
        return f"{read}: all {views.counted(found.competitors, 'rating')}{days} and every sum came out the same."
    wrong = [
        _differed(found.wrong_sums, "sum"),
        _differed(found.wrong_days, "day") + (" of Elo" if found.wrong_days else ""),
        _differed(found.wrong_ratings, "rating"),
    ]
    return f"{read}: {_listed([part for part in wrong if part])} differed. They are mended; what stands here is from the votes."


def _differed(number: int, noun: str) -> str:
    return views.counted(number, noun) if number else ""
