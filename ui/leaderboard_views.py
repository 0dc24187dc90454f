"""What the Leaderboard shows, as plain JSON. Pure: boards in, words and figures out."""

from __future__ import annotations

from arena.board import Board, BoardRow
from arena.ratings.elo import START, K
from arena.ratings.maturity import MIN_BATTLES
from providers.catalog import Catalog
from ui import views
from ui.arena_views import UNKNOWN, View, maker


def board_view(board: Board, catalog: Catalog) -> View:
    """A leaderboard as a table and the sentences under it."""
    if not board.rows:
        what = "edits" if board.query.board != "generate" else "images"
        kind = "drawn by the Demo" if board.is_demo else "of real models"
        text = f"A board stands here once {what} {kind} were voted on." if board.has_demo or board.has_real else (
            f"Votes on {what} make this board. Each takes a few seconds and is blind."
        )  # fmt: skip
        return {"state": "empty", "title": "No votes on this board yet", "text": text}
    return {
        "state": "board",
        "rows": [_board_row(row, catalog) for row in board.rows],
        "notice": _demo_notice(board),
        "votes": views.counted(board.votes, "vote"),
        "left_out": f"{views.counted(board.left_out.votes, 'vote')} left out on all boards"
        if board.left_out.votes
        else "",
        "method": (
            f"Elo: everyone starts at {START:,.0f} and each vote moves at most {K:.0f} points from one side to the other, "
            "replayed in the order of the votes; a tie and both bad count half for each side. "
            f"Rows with fewer than {MIN_BATTLES} battles are provisional and have no rank."
        ),
    }


def _demo_notice(board: Board) -> str:
    if not board.is_demo:
        return ""
    only = "" if board.has_real else " There are no votes on real models yet."
    return f"These are drawn demo images. Their votes are kept apart from real ratings.{only}"


def _board_row(ranked: BoardRow, catalog: Catalog) -> View:
    row = ranked.rated
    model, provider = maker(catalog, row.competitor)
    return {
        "offer": row.competitor,
        "rank": "–" if row.is_provisional else str(row.rank),
        "model": model,
        "provider": provider,
        "provisional": row.is_provisional,
        "rating": f"{row.rating:,.0f}",
        "battles": f"{row.battles:,}",
        "win_rate": f"{ranked.win_rate or 0:.0%}",
        "record": f"{row.wins:,} – {row.losses:,} – {row.ties:,}",
        "both_bad": f"{ranked.both_bad_rate or 0:.0%}",
        "cost": UNKNOWN if ranked.mean_cost_microusd is None else views.money(ranked.mean_cost_microusd),
        "p50": UNKNOWN if ranked.p50_ms is None else views.seconds(ranked.p50_ms).removesuffix(" s"),
    }
