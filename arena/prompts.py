"""Prompts for a battle that somebody wants to see at once. Data only."""

from __future__ import annotations

DEMO_PROMPTS = (
    "A lighthouse on a headland, seen from the water, calm sea, one lit window",
    "A still life with a stoneware vase and three pears on a linen cloth",
    "Morning ridges in mist, a pale sun above the furthest one",
    "A city at night after rain, windows lit at random",
    "A travel poster for a botanic garden in early spring, with the word HERBARIUM",
    "A fox asleep under a birch tree in autumn",
    "A sailing boat leaving a harbour at dawn",
    "A potted monstera on a window sill, lino cut",
    "Sand dunes at noon with long blue shadows",
    "A reading corner with an armchair and a lamp, evening",
    "A small house at the edge of a pine forest in snow",
    "A field of lavender under a thunder sky",
)
"""The Demo's drawn models know all of what these name."""
