"""Text of scripts that write no spaces, and pictographs, set apart so that the text index finds any part of them.

The index knows words. Chinese, Japanese, Thai and their like run a sentence together, Korean joins its particles to the
word, and emoji stick to each other: one character each is then a word, and what is looked for is a phrase of them.
"""

from __future__ import annotations

import re
import unicodedata

_CHARACTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Myanmar, Khmer
    "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Japanese and Chinese
    "\uac00-\ud7a3"  # Korean
)
_UNSPACED = re.compile(f"([{_CHARACTERS}])")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
"""Nothing in ASCII is a pictograph or written without spaces, and most prompts are nothing else."""


def spaced(text: str) -> str:
    """The text with each such character as a word of its own; empty where there is none, as it then adds nothing."""
    if text.isascii():
        return ""
    whole = unicodedata.normalize("NFC", text)
    apart = _UNSPACED.sub(r" \1 ", _BEYOND_ASCII.sub(_pictographs_apart, whole))
    return " ".join(apart.split()) if apart != whole else ""


def _pictographs_apart(found: re.Match[str]) -> str:
    return "".join(f" {each} " if unicodedata.category(each) == "So" else each for each in found[0])
