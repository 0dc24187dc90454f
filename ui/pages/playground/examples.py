"""Prompts to begin with."""

from __future__ import annotations

EXAMPLES: tuple[dict[str, str], ...] = (
    {
        "name": "Product shot",
        "prompt": "Product photo of a ceramic mug on travertine, soft window light, shallow depth of field",
    },
    {
        "name": "Poster with text",
        "prompt": (
            "A travel poster for a botanic garden in early spring, three flat colours, "
            "the word HERBARIUM set large at the bottom"
        ),
    },
    {
        "name": "Watercolour",
        "prompt": "A lighthouse on a basalt headland at dusk, loose watercolour on rough paper, muted palette, one lit window",
    },
    {
        "name": "Logo",
        "prompt": "A simple logo of a fox made of two circles and a triangle, one colour, on a plain background",
    },
    {
        "name": "Interior",
        "prompt": "A small reading room at dusk with a green lamp, oak shelves and rain on the window, wide view",
    },
    {
        "name": "Edit a photo",
        "prompt": "Keep everything in image 1 as it is, and change the light to a low evening sun",
    },
)
"""What the chips under the prompt fill in; they never run."""
