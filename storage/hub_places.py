"""How a place at the Hugging Face Hub is written. Loads neither the store nor the Hub's client."""

from __future__ import annotations

import re

PLACE = re.compile(
    r"hf://(?P<kind>datasets|buckets)/(?P<id>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})"
    r"(?P<folder>(?:/[A-Za-z0-9][\w.-]{0,95})*)",
    re.ASCII,
)
"""`hf://buckets/owner/name` or `hf://datasets/owner/name`, and a folder below it."""
