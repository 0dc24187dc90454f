"""Keeping what a run brings: bytes to disk first, rows after. The one place that turns a provider's words into records."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from PIL import Image

from playground import delivery, lock_keeping
from playground.asked import request_of
from playground.outcome import Outcome
from playground.services import Services
from providers.catalog import SizeRule, UnknownOffer
from providers.types import MADE_HERE, GeneratedImage, PartialImage
from storage import coming, ledger, locks, runs
from storage.blobs import sha256_of
from storage.coming import Coming
from storage.converted import convert
from storage.engine import Database
from storage.errors import StoreError, StoreFull, StoreNotWritable
from storage.images import ImageHeader, UnreadableImage, read_header
from storage.records import Run, StoredImage, StoredPartial
from storage.thumbnails import Look

log = logging.getLogger(__name__)

_RAW = "application/octet-stream"
_MOST_LOOKS = 8
"""So many images of the press whose hash is near are held beside a new one, the nearest first."""


@dataclass(slots=True)
class Kept:
    """What one run has brought so far; its calls share it."""

    unreadable_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class KeptImages:
    """What became of some images: the places in the run where they lie, and why one of them could not be used."""

    places: tuple[int, ...]
    why_unreadable: str = ""
    sizes: tuple[str, ...] = ()
    """`WIDTHxHEIGHT` of the image at each of the places."""


def keep_images(
    services: Services,
    run: Run,
    images: Sequence[GeneratedImage],
    first: int,
    kept: Kept,
    again: range | None = None,
    *,
    on_sight: Callable[[], None],
) -> KeptImages:
    """Stores images of the run from place `first` on: all bytes, then all rows, and only then what needs decoding: looks,
    conversions, locks.

    Bytes that cannot be read as an image are kept too, the first of them. `again`: the places of a call whose images may
    be stored in part already, and may come in another order now; what is there stays, once. `on_sight` is called when rows
    can be shown: who asks for a thumbnail then waits for the decoding that is under way. Not where something else is to be
    shown in their stead. Blocking.
    """
    rows, why = [], ""
    looks: dict[str, Future[Look]] = {}
    for position, image in enumerate(images, start=first):
        try:
            header, sha256 = read_header(image.data), sha256_of(image.data)
            # While the bytes go to disk; what is seen is written after their row.
            looks[sha256] = services.store.thumbs.begin(sha256, image.data)
            rows.append(_keep_bytes(services, run, image, header, sha256, position))
        except UnreadableImage as error:
            why = why or str(error)
            if kept.unreadable_sha256 is None and image.data:
                kept.unreadable_sha256 = services.store.blobs.put(image.data, _RAW)

    def add(db: Database) -> tuple[list[StoredImage], list[StoredImage]]:
        placed = _placed(rows, _there(db, run), again) if again is not None else rows
        added = [row for row in placed if runs.add_image(db, row)]
        if lock_keeping.is_locked(run):
            for row in added:
                locks.owe(db, row.image_id, row.created_at)
        return placed, added

    placed, added = services.store.write(add)
    coming.settle(services.store.blobs, map(_coming, rows))
    if any(_is_shown_as_it_came(run, row) for row in added):
        on_sight()
    _look_at_all(services, run, [(row, looks[row.sha256]) for row in added])
    places = tuple(row.position for row in placed)
    lock_keeping.lock_images(services, run, places)
    return KeptImages(places, why, tuple(f"{row.width}x{row.height}" for row in placed))


def _there(db: Database, run: Run) -> dict[int, str]:
    view = runs.get(db, run.run_id, None)
    return {image.position: image.sha256 for image in view.all_images} if view else {}


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


def _keep_bytes(
    services: Services, run: Run, image: GeneratedImage, header: ImageHeader, sha256: str, position: int
) -> StoredImage:
    coming.announce(services.store.blobs, Coming(run.run_id, position, sha256))
    services.store.blobs.put(image.data, header.media_type, sha256=sha256)
    return _row(services, run, image, header, sha256, position)


def _coming(row: StoredImage) -> Coming:
    return Coming(row.run_id, row.position, row.sha256)


def take_in(services: Services, run: Run, found: Sequence[Coming]) -> int:
    """Gives images their rows whose bytes an ended process had just put; how many there were. Blocking.

    Their places are those they were meant for; one that is taken, or whose bytes never came whole or are there elsewhere, is
    let go.
    """
    rows = []
    for one in found:
        with suppress(FileNotFoundError, UnreadableImage):
            # Whoever put them did so on this disk.
            path = services.store.blobs.here(one.sha256)
            if path is None:
                continue
            image = GeneratedImage(path.read_bytes())
            rows.append(_row(services, run, image, read_header(image.data), one.sha256, one.position))

    def add(db: Database) -> int:
        there = _there(db, run)
        missing = [row for row in rows if row.position not in there and row.sha256 not in there.values()]
        return sum(runs.add_image(db, row) for row in missing)

    return services.store.write(add) if rows else 0


def _row(
    services: Services, run: Run, image: GeneratedImage, header: ImageHeader, sha256: str, position: int
) -> StoredImage:
    found = delivery.header_checks(request_of(run.asked, (), None), _size_rule(services, run), header, image.said_type)
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
        checks=(*found, *(("flagged",) if image.is_flagged else ())),
    )


def _size_rule(services: Services, run: Run) -> SizeRule | None:
    try:
        return services.catalog.spec(services.catalog.offer(run.offer)).sizes
    except UnknownOffer:
        return None


def _convert(services: Services, run: Run, row: StoredImage) -> None:
    """Makes the GIF or AVIF that was asked for, beside the original, where the provider sent another format."""
    if not _is_converted(run, row):
        return
    wanted = run.asked.get("output_format")
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


def _is_shown_as_it_came(run: Run, row: StoredImage) -> bool:
    """Nothing that is made of it, as a lock, is to be shown in its stead."""
    return not (lock_keeping.is_locked(run) or _is_converted(run, row))


def _look_at_all(services: Services, run: Run, begun: Sequence[tuple[StoredImage, Future[Look]]]) -> None:
    """Thumbnails of all first, which pages wait for; then what is noticed about them, and their conversions."""
    looks = [(row, _look_at(services, row, under_way)) for row, under_way in begun]
    # Pages wait for those of other runs, too, that came at the same time.
    services.store.thumbs.behind(partial(_notice_all, services, run, looks)).result()


def _notice_all(services: Services, run: Run, looks: Sequence[tuple[StoredImage, Look | None]]) -> None:
    for row, look in looks:
        if look:
            _notice(services, run, row, look)
        _convert(services, run, row)


def _is_converted(run: Run, row: StoredImage) -> bool:
    wanted = run.asked.get("output_format")
    return wanted in MADE_HERE and row.media_type != f"image/{wanted}"


def _look_at(services: Services, row: StoredImage, under_way: Future[Look]) -> Look | None:
    """Writes the thumbnail, and gives what its decoding showed; `None` where there was nothing to see.

    The image is safe by now: a thumbnail that cannot be written is made again when a page asks for it.
    """
    try:
        look = under_way.result()
        services.store.thumbs.keep(row.sha256, look)
    except UnreadableImage:
        _note_checks(services, row, (*row.checks, "damaged"))
        return None
    except (StoreError, OSError):
        log.exception("run %s: a thumbnail could not be made", row.run_id)
        return None
    return look


def _notice(services: Services, run: Run, row: StoredImage, look: Look) -> None:
    """Writes the checks that need the image's pixels."""
    seen = delivery.picture_checks(request_of(run.asked, (), None), look.small, look.lowest_alpha)
    checks = tuple(dict.fromkeys((*row.checks, *seen)))
    phash = delivery.phash_of(look.small)
    # From here on others find it, and whichever of two images is written later is the duplicate.
    others = _note_checks(services, row, checks, phash, run.group_id)
    again = _repeated(services, row, look.small, phash, others)
    if again and "blank" not in checks:
        _note_checks(services, row, (*checks, again), phash)


def _note_checks(
    services: Services, row: StoredImage, checks: Sequence[str], phash: str | None = None, group_id: str = ""
) -> list[StoredImage]:
    """Writes what was noticed; the other images of the group that were looked at before."""

    def note(db: Database) -> list[StoredImage]:
        runs.set_checks(db, row.image_id, checks, phash)
        found = runs.images_looked_at(db, group_id) if group_id else []
        return [image for image in found if image.image_id != row.image_id]

    return services.store.write(note)


def _repeated(
    services: Services, row: StoredImage, small: Image.Image, phash: str, others: Sequence[StoredImage]
) -> str | None:
    """`duplicate` or `near_duplicate` where one of the others is the same file, or looks the same."""
    if any(other.sha256 == row.sha256 for other in others):
        return "duplicate"
    by_id = {other.image_id: other for other in others}
    hashes = [(other.image_id, other.phash) for other in others if other.phash is not None]
    for name in delivery.nearest_first(phash, hashes)[:_MOST_LOOKS]:
        other = by_id[name]
        try:
            thumbnail = services.store.thumbs.there(other.sha256) or services.store.thumbs.ensure(
                other.sha256, services.store.blobs.held(other.sha256, other.media_type)
            )
            with Image.open(thumbnail) as picture:
                if delivery.looks_same(small, picture):
                    return "near_duplicate"
        except (UnreadableImage, StoreError, OSError):
            log.exception("run %s: an image could not be held beside image %s", row.run_id, name)
    return None


def keep_partial(services: Services, run: Run, partial: PartialImage, preview_ms: int) -> bool:
    """Stores a preview; whether it could be read and kept. A preview is never worth failing a run for. Blocking."""
    try:
        header = read_header(partial.data)
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
    except UnreadableImage:
        log.info("run %s: a preview could not be read", run.run_id)
        return False
    except (StoreFull, StoreNotWritable):
        log.info("run %s: the disk took no preview", run.run_id)
        return False
    return True


def end_run(
    services: Services,
    run: Run,
    outcome: Outcome,
    *,
    latency_ms: int | None = None,
    first_byte_ms: int | None = None,
    unreadable_sha256: str | None = None,
    price_id: str | None = None,
) -> bool:
    """Ends the run and its ledger line in one transaction; `False` when it had ended already, or another process than the one
    that `run` names has it by now. Blocking.
    """
    now = services.now()

    def end(db: Database) -> bool:
        ended = runs.finish(
            db,
            run.run_id,
            state=outcome.state,
            finished_at=now,
            latency_ms=latency_ms,
            first_byte_ms=first_byte_ms,
            got=outcome.got,
            request_id=outcome.request_id,
            error=outcome.error,
            unreadable_sha256=unreadable_sha256,
            worker=run.worker,
        )
        if ended:
            _enter(db, run.run_id, outcome, price_id, now)
        return ended

    return services.store.write(end)


def _enter(db: Database, run_id: str, outcome: Outcome, price_id: str | None, now: str) -> None:
    if outcome.entry == "settle":
        ledger.settle(
            *(db, run_id, outcome.amount_microusd or 0, outcome.source, price_id, now),
            others_microusd=outcome.others_microusd,
        )
    elif outcome.entry == "release":
        ledger.release(db, run_id, now)
    else:
        ledger.mark_unknown(db, run_id, now)
