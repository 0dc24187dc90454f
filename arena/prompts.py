"""Prompts for a battle that somebody wants to see at once, and where a prompt's votes belong. Data, and a look into it."""

from __future__ import annotations

from arena import bank

DEMO_PROMPTS: dict[str, str] = {
    "A lighthouse on a headland, seen from the water, calm sea, one lit window": "nature",
    "A still life with a stoneware vase and three pears on a linen cloth": "materials",
    "Morning ridges in mist, a pale sun above the furthest one": "nature",
    "A city at night after rain, windows lit at random": "architecture",
    "A travel poster for a botanic garden in early spring, with the word HERBARIUM": "text",
    "A fox asleep under a birch tree in autumn": "nature",
    "A sailing boat leaving a harbour at dawn": "nature",
    "A potted monstera on a window sill, lino cut": "style",
    "Sand dunes at noon with long blue shadows": "nature",
    "A reading corner with an armchair and a lamp, evening": "architecture",
    "A small house at the edge of a pine forest in snow": "nature",
    "A field of lavender under a thunder sky": "nature",
}
"""The Demo's drawn models know all of what these name. Each with the category of the bank it would stand in."""


def place_of(text: str, operation: str) -> tuple[str, str | None]:
    """Category and, for a prompt of the bank, its id; `own` and none when it is nobody's but the asker's."""
    category, prompt_id = bank.place_of(text, operation)
    if prompt_id is None and operation == "generate":
        category = DEMO_PROMPTS.get(text.strip(), category)
    return category, prompt_id
