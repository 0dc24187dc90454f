"""Keeping what a run brings: bytes to disk first, rows after. The one place that turns a provider's words into records."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlite_utils import Database

from playground.outcome import Outcome
from playground.services import Services
from providers.sizes import parse_size
from providers.types import MADE_HERE, GeneratedImage, PartialImage
from storage import ledger, runs
from storage.converted import convert
from storage.errors import StoreError
from storage.images import ImageHeader, UnreadableImage, is_blank, read_header
from storage.records import Run, StoredImage, StoredPartial

log = logging.getLogger(__name__)

_RAW = "application/octet-stream"


@dataclass(slots=True)
class Kept:
    """What one run has brought so far; its calls share it."""

    unreadable_sha256: str | None = None
    hashes: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class KeptImages:
    """What became of some images: the places in the run where they lie, and why one of them could not be used."""

    places: tuple[int, ...]
    why_unreadable: str = ""
    sizes: tuple[str, ...] = ()
    """`WIDTHxHEIGHT` of the image at each of the places."""


def keep_images(
    services: Services, run: Run, images: Sequence[GeneratedImage], first: int, kept: Kept, again: range | None = None
) -> KeptImages:
    """Stores images of the run from place `first` on: all bytes, then all rows, and only then what needs decoding.

    Bytes that cannot be read as an image are kept too, the first of them. `again`: the places of a call whose images may
    be stored in part already, and may come in another order now; what is there stays, once. Blocking.
    """
    rows, why = [], ""
    for position, image in enumerate(images, start=first):
        try:
            rows.append(_keep_bytes(services, run, image, position, kept))
        except UnreadableImage as error:
            why = why or str(error)
            if kept.unreadable_sha256 is None:
                kept.unreadable_sha256 = services.store.blobs.put(image.data, _RAW)

    def add(db: Database) -> tuple[list[StoredImage], list[StoredImage]]:
        placed = _placed(rows, _there(db, run), again) if again is not None else rows
        return placed, [row for row in placed if runs.add_image(db, row)]

    placed, added = services.store.write(add)
    for row in added:
        _look_at(services, row)
        _convert(services, run, row)
    sizes = tuple(f"{row.width}x{row.height}" for row in placed)
    return KeptImages(tuple(row.position for row in placed), why, sizes)


def _there(db: Database, run: Run) -> dict[int, str]:
    view = runs.get(db, run.run_id, None)
    return {image.position: image.sha256 for image in view.images} if view else {}


def _placed(rows: Sequence[StoredImage], there: dict[int, str], places: range) -> list[StoredImage]:
    """The rows with their places among what is `there` (place -> hash): an image that is there stays where it is."""
    placed = []
    for row in rows:
        where = {there[place]: place for place in places if place in there}
        position = row.position
        if there.get(position) != row.sha256:
            free = (place for place in (position, *places) if place not in there)
            position = where.get(row.sha256, next(free, position))
        there[position] = row.sha256
        placed.append(replace(row, position=position))
    return placed


def _keep_bytes(services: Services, run: Run, image: GeneratedImage, position: int, kept: Kept) -> StoredImage:
    """Raises: UnreadableImage."""
    header = read_header(image.data)
    sha256 = services.store.blobs.put(image.data, header.media_type)
    is_duplicate = sha256 in kept.hashes
    kept.hashes.add(sha256)
    return StoredImage(
        image_id=services.new_id(),
        run_id=run.run_id,
        position=position,
        sha256=sha256,
        media_type=header.media_type,
        width=header.width,
        height=header.height,
        size_bytes=len(image.data),
        created_at=services.now(),
        seed=image.seed,
        revised_prompt=image.revised_prompt,
        checks=_checks(run, header, is_duplicate=is_duplicate, is_flagged=image.is_flagged),
    )


def _convert(services: Services, run: Run, row: StoredImage) -> None:
    """Makes the GIF or AVIF that was asked for, beside the original, where the provider sent another format."""
    wanted = run.asked.get("output_format")
    if wanted not in MADE_HERE or row.media_type == f"image/{wanted}":
        return
    original = services.store.blobs.path(row.sha256, row.media_type)
    quality = run.asked.get("output_compression")
    try:
        data = convert(original, "gif" if wanted == "gif" else "avif", quality if isinstance(quality, int) else None)
        sha256 = services.store.blobs.put(data, f"image/{wanted}")
    except (UnreadableImage, StoreError, OSError):
        log.exception("run %s: the %s could not be made; the original is kept", row.run_id, wanted)
        return

    def note(db: Database) -> None:
        runs.set_converted(db, row.image_id, sha256, f"image/{wanted}")

    services.store.write(note)


def _checks(run: Run, header: ImageHeader, *, is_duplicate: bool, is_flagged: bool) -> tuple[str, ...]:
    """What is worth a badge and can be told from the header, or was told by the provider."""
    found = []
    asked = run.asked.get("size")
    if isinstance(asked, str) and parse_size(asked) and asked != f"{header.width}x{header.height}":
        found.append("size_differs")
    if run.asked.get("background") == "transparent" and not header.has_alpha:
        found.append("no_alpha")
    if is_duplicate:
        found.append("duplicate")
    if is_flagged:
        found.append("flagged")
    return tuple(found)


def _look_at(services: Services, row: StoredImage) -> None:
    """Makes the thumbnail, which decodes the image and so finds a damaged or blank one.

    The image is safe by now: a thumbnail that cannot be written is made again when a page asks for it.
    """
    original = services.store.blobs.path(row.sha256, row.media_type)
    try:
        found = "blank" if is_blank(services.store.thumbs.ensure(row.sha256, original)) else None
    except UnreadableImage:
        found = "damaged"
    except (StoreError, OSError):
        log.exception("run %s: a thumbnail could not be made", row.run_id)
        return
    if found:
        checks = (*row.checks, found)

        def note(db: Database) -> None:
            runs.set_checks(db, row.image_id, checks)

        services.store.write(note)


def keep_partial(services: Services, run: Run, partial: PartialImage, preview_ms: int) -> bool:
    """Stores a preview; whether it could be read. A preview is never worth failing a run for. Blocking."""
    try:
        header = read_header(partial.data)
    except UnreadableImage:
        log.info("run %s: a preview could not be read", run.run_id)
        return False
    row = StoredPartial(
        run_id=run.run_id,
        image_position=partial.image_position,
        partial_position=partial.partial_position,
        sha256=services.store.blobs.put(partial.data, header.media_type),
        media_type=header.media_type,
        at=services.now(),
    )

    def add(db: Database) -> None:
        runs.add_partial(db, row, first_preview_ms=preview_ms)

    services.store.write(add)
    return True


def end_run(
    services: Services,
    run: Run,
    outcome: Outcome,
    *,
    latency_ms: int | None = None,
    unreadable_sha256: str | None = None,
    price_id: str | None = None,
) -> bool:
    """Ends the run and its ledger line in one transaction; `False` when it had ended already. Blocking."""
    now = services.now()

    def end(db: Database) -> bool:
        ended = runs.finish(
            db,
            run.run_id,
            state=outcome.state,
            finished_at=now,
            latency_ms=latency_ms,
            got=outcome.got,
            request_id=outcome.request_id,
            error=outcome.error,
            unreadable_sha256=unreadable_sha256,
        )
        if ended:
            _enter(db, run.run_id, outcome, price_id, now)
        return ended

    return services.store.write(end)


def _enter(db: Database, run_id: str, outcome: Outcome, price_id: str | None, now: str) -> None:
    if outcome.entry == "settle":
        ledger.settle(db, run_id, outcome.amount_microusd or 0, outcome.source, price_id, now)
    elif outcome.entry == "release":
        ledger.release(db, run_id, now)
    else:
        ledger.mark_unknown(db, run_id, now)
