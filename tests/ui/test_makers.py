"""The search for makers in what was said: no prompt of the bank is taken for one, and none hides one."""

from __future__ import annotations

import html
import json

import pytest

from arena import bank
from tests.ui.makers import ALL, told_in

PROMPTS = {prompt.prompt_id: prompt.prompt for prompt in bank.prompts()}


def said_of(text: str) -> list[str]:
    """What a page and a program are told of a battle over this prompt."""
    document = {"battle_id": "0a1b", "prompt": text}
    return [
        text,
        json.dumps(document),
        json.dumps(document, ensure_ascii=False),
        json.dumps({"data": [json.dumps(document)]}),
        f'<h2 title="{html.escape(text)}">{html.escape(text, quote=False)}</h2>',
    ]


def test_some_prompts_hold_a_word_that_is_a_makers_too() -> None:
    assert [maker for maker in ALL if any(maker in text.lower() for text in PROMPTS.values())] == ["flat"]


@pytest.mark.parametrize("word", ALL)
def test_no_prompt_is_taken_for_a_maker_and_none_hides_one(word: str) -> None:
    for text in (*PROMPTS.values(), f'“{word}”, "{word}" & <{word}>, café {word.upper()}\n{word}'):
        for said in said_of(text):
            assert told_in(said, text) == []
            assert word in told_in(f'{said} {{"model": "{word.title()}"}}', text)
