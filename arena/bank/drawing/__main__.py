"""Draws the source images again: all of them, or those whose ids are given. Takes some minutes.

    python -m arena.bank.drawing [source_id ...]

A picture that is drawn again has other bytes where the encoder differs; `sources/sha256.txt` is written anew. For a new
picture: first a line in `gallery`, then this, then its words in `sources.toml`, since the bank wants a file for each.
"""

from __future__ import annotations

import hashlib
import sys

from arena.bank import SOURCES_DIR
from arena.bank.drawing.gallery import PICTURES

QUALITY = 86
"""Keeps the whole set under 2.5 MB."""


def main(wanted: list[str]) -> None:
    """Draws and stores what is wanted, and the hashes of all that is there."""
    for picture in PICTURES:
        if not wanted or picture.source_id in wanted:
            image = picture.draw(picture.size)
            file = SOURCES_DIR / f"{picture.source_id}.jpg"
            image.save(file, quality=QUALITY, subsampling="4:2:2", optimize=True, progressive=True)
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in sorted(SOURCES_DIR.glob("*.jpg"))
    ]
    (SOURCES_DIR / "sha256.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
