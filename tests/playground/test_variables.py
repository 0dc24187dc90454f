"""Variables in a prompt: what is one, what the rows make of it, and what is said when a value is missing."""

from __future__ import annotations

import pytest

from playground.variables import MOST_ROWS, fill, literal, names_of, with_values


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("A {animal} in {style}", ("animal", "style")),
        ("{a} and {b} and {a}", ("a", "b")),
        ("{tree type} and {ärger-2}", ("tree type", "ärger-2")),
        ('{"style": "ink", "camera": {"lens": 35}}', ()),
        ("{} { } {1} {_x} {a:b} {a\nb}", ()),
        ("{{animal}} and {colour}", ("colour",)),
        ("{" + "a" * 31 + "}", ()),
        ("", ()),
    ],
)
def test_only_names_are_variables(template: str, names: tuple[str, ...]) -> None:
    assert names_of(template) == names


def test_each_row_makes_a_prompt_and_equal_ones_are_one() -> None:
    rows = [{"animal": "fox"}, {"animal": " cat "}, {"animal": ""}, {}, {"animal": "fox"}]
    filled = fill("A {animal}, {{animal}}", rows)
    assert filled.prompts == ("A fox, {animal}", "A cat, {animal}")
    assert filled.problems == ()


def test_a_prompt_without_variables_is_itself() -> None:
    assert fill('{"a": {"b": {}}}', [{"b": "x"}]).prompts == ('{"a": {"b": {}}}',)


def test_a_value_is_text_and_never_filled_in_again() -> None:
    assert with_values("{a} {b}", {"a": "{b} \\1 $&", "b": "x"}) == "{b} \\1 $& x"


@pytest.mark.parametrize("prompt", ["A {fox}", '{"a": {"b": {}}}', "{a}{b c} {1}", "no braces"])
def test_a_prompt_that_was_sent_can_be_typed_again(prompt: str) -> None:
    assert fill(literal(prompt), []).prompts == (prompt,)
    assert fill(literal(prompt), []).problems == ()


def test_missing_values_are_named_with_their_row() -> None:
    filled = fill("A {animal} in {style}", [{"animal": "fox", "style": "ink"}, {"animal": "cat"}])
    assert filled.prompts == ("A fox in ink",)
    assert [problem.message for problem in filled.problems] == ["Row 2 of the variables has no value for {style}."]
    assert filled.problems[0].field == "variables"
    (nothing,) = fill("A {animal} in {style} at {time}", []).problems
    assert nothing.message == (
        "Give {animal} and {style} and 1 more a value under Variables, or write {{animal}} to mean the braces."
    )


def test_too_much_is_refused_and_not_run() -> None:
    filled = fill("{a}", [{"a": str(number)} for number in range(MOST_ROWS + 1)])
    assert len(filled.prompts) == MOST_ROWS
    assert "at most 50" in filled.problems[0].message
    assert "longer than 2,000" in fill("{a}", [{"a": "x" * 2_001}]).problems[0].message
    many = "".join(f"{{v{number}}}" for number in range(13))
    assert "at most 12" in fill(many, [{f"v{number}": "x" for number in range(13)}]).problems[0].message
