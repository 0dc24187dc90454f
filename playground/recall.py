"""Which run a file came from: by its bytes, by settings that were embedded in it, or by how it looks. Blocking.

A file from outside is only ever read: its metadata is text to compare, its pixels are decoded within the limits of
`storage.images`, and nothing of it is kept.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from typing import Literal

import numpy
from PIL import Image

from playground import delivery, embedded, likeness
from playground.embedded import Settings
from playground.services import Services
from storage import looks, runs
from storage.engine import Database
from storage.errors import StoreError
from storage.images import UnreadableImage, decode
from storage.looks import Look, Made
from storage.records import StoredImage
from storage.thumbnails import THUMBNAIL_EDGE_PX

How = Literal["bytes", "settings", "look"]
"""By what an image was found."""

BEST = 3
MAX_BYTES = 50_000_000
_CANDIDATES = 24
"""Images whose hashes are nearest, that are held beside the picture. Measured: `benchmarks/recall.py`."""
_LAID_OVER = 6
"""Of these, so many are laid over it with every cut."""
_UNSEEN = 500
_UNSEEN_S = 3.0
"""So long a recall takes looks that were never taken; the next one goes on."""

log = logging.getLogger(__name__)


class NotRecalled(ValueError):
    """The file is none that can be looked for; the message can be shown."""


@dataclass(frozen=True, slots=True)
class Found:
    """An image that the file may have come from."""

    look: Look
    how: How
    apart: float
    """0 the same, 1 nothing in common; see `likeness.apart`. 0 where it was found by bytes or settings."""
    made: Made = "image"
    """What the file's bytes are to the image, where it was found by them."""

    @property
    def is_match(self) -> bool:
        """Whether it counts as found, and not only as similar."""
        return self.apart <= likeness.MATCH_APART


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was found for a file."""

    found: tuple[Found, ...]
    """The best first, `BEST` at most; only similar ones come last."""
    settings: Settings | None
    """What the file itself says of its making, also where no such run is here."""
    unseen: int
    """Images whose look is not known yet; another recall takes more of them."""


def recall(services: Services, data: bytes, owner: str | None) -> Recalled:
    """The owner's images that the file may have come from. Owner `None`: anybody's, for the operator.

    Raises:
        NotRecalled: empty, too large, or no picture, and none of ours by its bytes.
    """
    if not data:
        raise NotRecalled("The file is empty. Choose the picture again.")
    if len(data) > MAX_BYTES:
        raise NotRecalled(f"The file has {len(data) / 1e6:,.1f} MB; at most {MAX_BYTES // 10**6} MB are looked at.")
    blind_at = services.now() if owner is not None else None
    said = embedded.settings_in(data)
    by_bytes, by_settings = _by_word(services, data, said, owner, blind_at)
    found = {each.look.image.image_id: each for each in (*by_settings, *by_bytes)}
    unseen = 0
    if len(by_bytes) < BEST:
        try:
            picture = decode(data, edge_px=THUMBNAIL_EDGE_PX)
        except UnreadableImage as error:
            if not found:
                raise NotRecalled(f"The file cannot be looked for: {error}.") from None
        else:
            unseen = _take_looks(services, owner)
            for each in _by_look(services, picture, owner, blind_at):
                found.setdefault(each.look.image.image_id, each)
    best = sorted(found.values(), key=_rank)[:BEST]
    return Recalled(tuple(best), said, unseen)


def _rank(found: Found) -> tuple[float, int]:
    return found.apart, ("bytes", "settings", "look").index(found.how)


def _by_word(
    services: Services, data: bytes, said: Settings | None, owner: str | None, blind_at: str | None
) -> tuple[list[Found], list[Found]]:
    """What has these very bytes, and what the file's own settings name."""
    sha256 = hashlib.sha256(data).hexdigest()

    def read(db: Database) -> tuple[list[Found], list[Found]]:
        by_bytes = looks.with_bytes(db, sha256, owner, blind_at=blind_at)
        by_settings: list[Look] = []
        if said is not None:
            by_settings = [look for _, look in looks.with_bytes(db, said.sha256, owner, blind_at=blind_at)]
            one = looks.named(db, said.image_id, owner, blind_at=blind_at)
            by_settings = [one] if one is not None else by_settings[:1]
        return (
            [Found(look, "bytes", 0.0, made) for made, look in by_bytes],
            [Found(look, "settings", 0.0) for look in by_settings],
        )

    return services.store.read(read)


def _by_look(services: Services, picture: Image.Image, owner: str | None, blind_at: str | None) -> list[Found]:
    """Those that look like it, the likest first."""
    packed = services.store.read(lambda db: looks.packed(db, owner, blind_at=blind_at))
    hashes = numpy.frombuffer(packed.hashes, ">u8").astype(numpy.uint64)
    places = likeness.nearest(likeness.guesses(picture), hashes, _CANDIDATES)
    numbers = packed.rows.split(b",")
    rows = [int(numbers[place]) for place in places]
    there = services.store.read(lambda db: looks.at_rows(db, rows))
    candidates = [there[row] for row in rows if row in there]
    thumbnails = {
        look.image.image_id: (look, small)
        for look in candidates
        if (small := _thumbnail(services, look.image)) is not None
    }
    sketch = likeness.Sketch.of(picture)
    first = sorted(((likeness.at_first_sight(sketch, small), image_id) for image_id, (_, small) in thumbnails.items()))
    found = [
        Found(thumbnails[image_id][0], "look", likeness.apart(sketch, thumbnails[image_id][1]))
        for _, image_id in first[:_LAID_OVER]
    ]
    return [each for each in found if each.apart <= likeness.NEAR_APART]


def _thumbnail(services: Services, image: StoredImage) -> likeness.Sketch | None:
    blobs, thumbs = services.store.blobs, services.store.thumbs
    try:
        with Image.open(
            thumbs.there(image.sha256) or thumbs.ensure(image.sha256, blobs.held(image.sha256, image.media_type))
        ) as picture:
            return likeness.Sketch.of(picture)
    except (UnreadableImage, StoreError, OSError):
        log.warning("image %s could not be held beside a picture that is looked for", image.image_id)
        return None


def _take_looks(services: Services, owner: str | None) -> int:
    """Takes looks that were never taken, for some seconds; how many are left of those it saw."""
    unseen = services.store.read(lambda db: looks.unseen(db, owner, _UNSEEN))
    ends_at = time.monotonic() + _UNSEEN_S
    for done, image in enumerate(unseen):
        if time.monotonic() > ends_at:
            return len(unseen) - done
        _take_look(services, image)
    return 0


def _take_look(services: Services, image: StoredImage) -> None:
    checks, phash = image.checks, None
    try:
        original = services.store.blobs.held(image.sha256, image.media_type)
        phash = delivery.phash_of(services.store.thumbs.look(image.sha256, original).small)
    except UnreadableImage:
        checks = (*checks, "damaged")
    except (StoreError, OSError):
        return
    services.store.write(lambda db: runs.set_checks(db, image.image_id, checks, phash))
