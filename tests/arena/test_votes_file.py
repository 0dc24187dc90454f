"""Votes out of files: what the columns mean, in which order they stand, and hostile files in words with their row."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from arena.ratings.method import votes_digest
from arena.votes_file import MAX_COMPETITORS, MAX_LINE_BYTES, FileVotes, VotesFileError, read_votes

HEAD = "competitor_a,competitor_b,outcome"
Write = Callable[..., FileVotes]


@pytest.fixture
def read(tmp_path: Path) -> Write:
    def write_and_read(text: str | bytes, name: str = "votes.csv") -> FileVotes:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_votes(path)

    return write_and_read


def test_the_three_columns_are_enough_in_any_order_and_with_others_between(read: Write) -> None:
    plain = read(f"{HEAD}\nx,y,a\ny,x,tie\nx,z,both_bad\n")
    assert plain.votes == [("x", "y", "a"), ("y", "x", "tie"), ("x", "z", "both_bad")]
    assert (plain.categories, plain.left_out, plain.ordered_by) == (None, 0, "file")
    mixed = read("outcome,note,competitor_b,competitor_a\na,hello,y,x\ntie,,x,y\nboth_bad,,z,x\n")
    assert mixed.votes == plain.votes


def test_a_mark_windows_line_ends_quotes_and_blank_lines_change_nothing(read: Write) -> None:
    text = f'\ufeff{HEAD}\r\n"x, the first","y ""two""",a\r\n\r\n"x, the first","new\nline",b\r\n'
    assert read(text).votes == [("x, the first", 'y "two"', "a"), ("x, the first", "new\nline", "b")]


def test_json_lines_say_the_same(read: Write) -> None:
    csv = read(f"{HEAD},voted_at\nx,y,a,2026-01-02T00:00:00Z\ny,z,b,2026-01-01T00:00:00Z\n")
    lines = (
        '{"competitor_a":"x","competitor_b":"y","outcome":"a","voted_at":"2026-01-02T00:00:00Z","more":[1]}\n'
        '\n{"outcome":"b","competitor_b":"z","competitor_a":"y","voted_at":"2026-01-01T00:00:00Z"}'
    )
    assert read(lines, "votes.JSONL") == csv
    assert csv.votes == [("y", "z", "b"), ("x", "y", "a")]


@pytest.mark.parametrize(
    ("side_a", "vote"),
    [
        ("", ("x", "y", "a")),
        ("x", ("x", "y", "a")),
        ("a", ("x", "y", "a")),
        ("y", ("y", "x", "b")),
        ("b", ("y", "x", "b")),
    ],
)
def test_side_a_says_who_stood_there_and_the_winner_stays(read: Write, side_a: str, vote: tuple[str, ...]) -> None:
    assert read(f"{HEAD},side_a\nx,y,a,{side_a}\n").votes == [vote]


def test_a_competitor_called_like_a_side_goes_before_the_side(read: Write) -> None:
    assert read(f"{HEAD},side_a\nb,a,tie,a\nb,a,a,b\n").votes == [("a", "b", "tie"), ("b", "a", "a")]


def test_rows_that_do_not_count_are_left_out_and_told(read: Write) -> None:
    found = read(f"{HEAD},counted\nx,y,a,1\nx,y,b,0\nx,x,strange,false\nx,y,tie,\n")
    assert (found.votes, found.left_out) == ([("x", "y", "a"), ("x", "y", "tie")], 2)


def test_seq_goes_before_time_and_time_before_the_file_and_equal_ones_stay(read: Write) -> None:
    rows = "x,y,a,{},3\nx,y,b,{},1\nx,y,tie,{},2\n"
    late, soon = "2026-01-02T00:00:00Z", "2026-01-01T12:00:00+12:00"
    whole = read(f"{HEAD},voted_at,seq\n" + rows.format(late, soon, late))
    assert ([vote[2] for vote in whole.votes], whole.ordered_by) == (["b", "tie", "a"], "seq")
    timed = read(f"{HEAD},voted_at,x\n" + rows.format(late, soon, late))
    assert ([vote[2] for vote in timed.votes], timed.ordered_by) == (["b", "a", "tie"], "voted_at")
    some = read(f"{HEAD},voted_at,x\n" + rows.format(late, "", soon))
    assert ([vote[2] for vote in some.votes], some.ordered_by) == (["a", "b", "tie"], "file")
    numbers = read(f"{HEAD},voted_at\nx,y,a,1700000001.5\nx,y,b,1.7e9\n")
    assert [vote[2] for vote in numbers.votes] == ["b", "a"]


def test_categories_go_with_their_votes(read: Write) -> None:
    found = read(f"{HEAD},seq,category\nx,y,a,2,text\nx,y,b,1,logo\n")
    assert found.categories == ["logo", "text"]


BAD = {
    "unknown outcome": (
        f"{HEAD}\nx,y,a\nx,y,left\n",
        "Row 2 (line 3): outcome 'left' is unknown; expected one of a, b",
    ),
    "upper case is another outcome": (f"{HEAD}\nx,y,A\n", "Row 1 (line 2): outcome 'A'"),
    "an empty outcome": (f"{HEAD}\nx,y,\n", "outcome '' is unknown"),
    "a competitor meets itself": (f"{HEAD}\nx,x,a\n", "Row 1 (line 2): 'x' cannot meet itself"),
    "nobody": (f"{HEAD}\nx, ,a\n", "has no name"),
    "a very long name": (f"{HEAD}\n{'x' * 501},y,a\n", "longer than 500 characters"),
    "a stranger on side A": (f"{HEAD},side_a\nx,y,a,left\n", "side_a 'left'"),
    "counted by nobody": (f"{HEAD},counted\nx,y,a,maybe\n", "counted 'maybe'"),
    "a column is missing": ("competitor_a,competitor_b\nx,y\n", "The column 'outcome' is missing; the header has"),
    "all columns are missing": ("model_a;model_b\n", "columns 'competitor_a', 'competitor_b', 'outcome' are missing"),
    "a column twice": (f"{HEAD},outcome\nx,y,a,b\n", "'outcome' more than once"),
    "too few fields": (f"{HEAD}\nx,y,a\nx,y\n", "Row 2 (line 3): it has 2 fields, the header 3"),
    "too many fields": (f"{HEAD}\nx,y,a,b\n", "4 fields"),
    "a quote left open": (f'{HEAD}\nx,"y,a\nx,y,b\n', "this is no row of a CSV file"),
    "a quote in the middle": (f'{HEAD}\n"x"y,y,a\n', "this is no row of a CSV file"),
    "old line ends": (f"{HEAD}\nx,y,a\rx,y,b\r", "this is no row of a CSV file"),
    "a time that is none": (f"{HEAD},voted_at\nx,y,a,yesterday\n", "voted_at 'yesterday' is not a time"),
    "two ways to write times": (f"{HEAD},voted_at\nx,y,a,2026-01-01T00:00:00Z\nx,y,a,17\n", "Row 2"),
    "a huge number": (f"{HEAD},voted_at\nx,y,a,{'9' * 5000}\n", "voted_at '9999"),
    "infinity": (f"{HEAD},seq\nx,y,a,inf\n", "seq 'inf' is not a number"),
    "a time as a place": (f"{HEAD},seq\nx,y,a,2026-01-01\n", "seq '2026-01-01' is not a number"),
    "a NUL byte": (f"{HEAD}\nx,y\0,a\n", "Line 2 holds a NUL byte"),
    "an empty file": ("", "The file is empty"),
    "only blanks": ("\ufeff \r\n\n", "The file is empty"),
    "another encoding": (f"{HEAD}\nx\xff,y,a\n".encode("latin-1"), "Line 2 is no UTF-8 text (byte 0xFF)"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no UTF-8 text"),
    "no line ends": (b"x" * (MAX_LINE_BYTES + 2), "longer than 1,048,576 bytes"),
    "a field as long as a book": (f"{HEAD}\n{'x' * 200_000},y,a\n", "no row of a CSV file"),
    "too many competitors": (
        f"{HEAD}\n" + "".join(f"m{n},m{n + 1},a\n" for n in range(MAX_COMPETITORS + 5)),
        "Row 1000 (line 1001): this is competitor 1,001; a board holds at most 1,000",
    ),
}
ROW = '{"competitor_a":"x","competitor_b":"y","outcome":"a"'
BAD_LINES = {
    "no JSON": ("{]\n", "Row 1 (line 1): this is no JSON"),
    "not an object": (f'{ROW}}}\n["x","y","a"]\n', "Row 2 (line 2): each line must be a JSON object"),
    "a missing field": ('{"competitor_a":"x","outcome":"a"}\n', "'competitor_b' is missing"),
    "an outcome that is no text": ('{"competitor_a":"x","competitor_b":"y","outcome":1}\n', "'outcome' must be a text"),
    "a name that is a list": ('{"competitor_a":["x"],"competitor_b":"y","outcome":"a"}\n', "must be a text"),
    "a huge number": (f'{ROW},"voted_at":1e999}}\n', "Row 1"),
    "a number of thousands of digits": (f'{ROW},"seq":{"9" * 5000}}}\n', "Row 1"),
    "nested without end": ("[" * 100_000 + "\n", "no JSON"),
    "half a surrogate": ('{"competitor_a":"\\ud800","competitor_b":"y","outcome":"a"}\n', "no JSON"),
    "an empty file": ("", "The file is empty"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_hostile_csv_is_refused_in_words_with_the_row(read: Write, case: str) -> None:
    text, words = BAD[case]
    with pytest.raises(VotesFileError) as refused:
        read(text)
    assert words in str(refused.value)


@pytest.mark.parametrize("case", BAD_LINES)
def test_hostile_json_lines_are_refused_in_words_with_the_row(read: Write, case: str) -> None:
    text, words = BAD_LINES[case]
    with pytest.raises(VotesFileError) as refused:
        read(text, "votes.jsonl")
    assert words in str(refused.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name, words in (("gone.csv", "cannot be read"), ("folder.csv", "cannot be read"), ("votes.xlsx", "neither")):
        with pytest.raises(VotesFileError, match=words):
            read_votes(tmp_path / name)


def test_a_file_with_a_header_only_has_no_votes(read: Write) -> None:
    assert read(HEAD).votes == []


def test_a_hundred_thousand_rows_take_a_fraction_of_a_second(read: Write) -> None:
    rows = "".join(
        f"m{n % 50},n{n % 49},{'ab'[n % 2]},2026-01-01T00:{n // 60 % 60:02}:{n % 60:02}Z\n" for n in range(100_000)
    )
    started = time.process_time()
    found = read(f"{HEAD},voted_at\n{rows}")
    assert time.process_time() - started < 2.0, "0.3 s on a quiet core"
    assert len(votes_digest(found.votes)) == 64
