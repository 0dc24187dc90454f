"""A board as files to take away: JSON and Markdown. Pure."""

from __future__ import annotations

from arena.board import Board
from arena.ratings.method import METHOD_VERSION
from arena.stated_board import StatedBoard
from providers.catalog import Catalog
from ui.board_documents import board_document
from ui.leaderboard import figures, views
from ui.leaderboard.choices import BOARD_WORDS, LEVEL_WORDS, QUESTION_WORDS, Choices, as_told, category_name
from ui.leaderboard.table import COLUMNS, View, names, short_names, table_view
from ui.plain_documents import Document

_NOT_IN_TEXT = ("interval",)


def table_document(board: Board, choices: Choices, sha256: str) -> Document:
    """What `leaderboard --json` prints, with the choices and with what the page knows besides the ratings."""
    document = board_document(StatedBoard(board.rated, sha256, board.query.category, board.is_pooled, board.is_demo))
    more = {row.rated.competitor: row for row in board.rows}
    document["competitors"] = [
        one
        | {
            "elo": more[str(one["competitor"])].elo,
            "win_rate": more[str(one["competitor"])].win_rate,
            "mean_cost_microusd": more[str(one["competitor"])].mean_cost_microusd,
            "p50_ms": more[str(one["competitor"])].p50_ms,
            "points_per_dollar": more[str(one["competitor"])].points_per_dollar,
        }
        for one in _documents(document["competitors"])
    ]
    return {"choices": as_told(choices) | {"models": "demo" if board.is_demo else "real"}, **document}


def _documents(rows: object) -> list[Document]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def table_markdown(board: Board, choices: Choices, catalog: Catalog, sha256: str) -> str:
    """The table with all its columns, and what it stands on."""
    named = short_names(names(board, catalog))
    heads = [one for one in COLUMNS if one.name not in _NOT_IN_TEXT]
    lines = [f"# {_title(board, choices)}", ""]
    if board.rows:
        lines += [
            _line([one.head for one in heads]),
            _line(["---" if one.name == "competitor" else "---:" for one in heads]),
            *(_line([_cell(row, one.name) for one in heads]) for row in _rows(board, catalog)),
            "",
            *(f"- {note['first']} {note['rest']}".replace("-  ", "- ") for note in figures.notices(board, named)),
            *(f"- {card['label']}: {card['figure']} ({card['note']})" for card in figures.cards(board, named)),
            f"- {figures.gap_sentence(board)}",
            f"- {figures.method_line(board)}",
        ]
    else:
        lines.append("There are no votes on this board.")
    lines += ["", f"Hash of the votes (SHA-256, method version {METHOD_VERSION}): `{sha256}`"]
    if command := views.check(choices):
        lines += ["", f"Anyone can check: export the votes, then run `{command}`."]
    lines.append("")
    return "\n".join(lines)


def _title(board: Board, choices: Choices) -> str:
    parts = [
        BOARD_WORDS[choices.board],
        category_name(choices.category) if choices.category else "",
        LEVEL_WORDS[choices.level].lower(),
        QUESTION_WORDS[choices.question].lower() if choices.question != "better" else "",
        "my votes" if choices.voters == "me" else "",
        f"since {board.query.since[:10]}" if board.query.since else "",
        "drawn demo models" if board.is_demo else "",
    ]
    return f"Leaderboard: {', '.join(part for part in parts if part)}"


def _rows(board: Board, catalog: Catalog) -> list[View]:
    rows = table_view(board, catalog)["rows"]
    return rows if isinstance(rows, list) else []


def _cell(row: View, name: str) -> str:
    cells = row["cells"]
    text = str(cells[name][0]) if isinstance(cells, dict) else ""
    if name == "rating":
        return f"{text} {row['half']}".strip()
    if name == "competitor":
        return " ".join(
            str(part) for part in (row["model"], row["more"], f"({row['chip']})" if row["chip"] else "") if part
        )
    return text


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
