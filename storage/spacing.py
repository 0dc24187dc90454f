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


def spaced(text: str) -> str:
    """The text with each such character as a word of its own; empty where there is none, as it then adds nothing."""
    whole = unicodedata.normalize("NFC", text)
    apart = "".join(f" {each} " if unicodedata.category(each) == "So" else each for each in whole)
    apart = _UNSPACED.sub(r" \1 ", apart)
    return " ".join(apart.split()) if apart != whole else ""
