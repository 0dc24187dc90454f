"""Keeping what a run brings: bytes to disk first, rows after. The one place that turns a provider's words into records."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from sqlite_utils import Database

from playground.outcome import Outcome
from playground.services import Services
from providers.types import GeneratedImage, PartialImage
from storage import ledger, runs
from storage.images import ImageHeader, UnreadableImage, is_blank, read_header
from storage.records import Run, StoredImage, StoredPartial

log = logging.getLogger(__name__)

_RAW = "application/octet-stream"


@dataclass(slots=True)
class Kept:
    """What one run has brought so far."""

    images: int = 0
    unreadable_sha256: str | None = None
    why_unreadable: str = ""
    hashes: set[str] = field(default_factory=set)


async def keep_image(services: Services, run: Run, image: GeneratedImage, kept: Kept) -> bool:
    """Stores an image of the run; whether it could be read as one. Bytes that cannot are kept all the same."""
    return await asyncio.to_thread(_keep_image, services, run, image, kept)


def _keep_image(services: Services, run: Run, image: GeneratedImage, kept: Kept) -> bool:
    try:
        header = read_header(image.data)
    except UnreadableImage as error:
        kept.unreadable_sha256 = services.store.blobs.put(image.data, _RAW)
        kept.why_unreadable = str(error)
        return False
    sha256 = services.store.blobs.put(image.data, header.media_type)
    checks = _checks(services, run, header, sha256, kept)
    row = StoredImage(
        image_id=services.new_id(),
        run_id=run.run_id,
        position=kept.images,
        sha256=sha256,
        media_type=header.media_type,
        width=header.width,
        height=header.height,
        size_bytes=len(image.data),
        created_at=services.now(),
        seed=image.seed,
        revised_prompt=image.revised_prompt,
        checks=checks,
    )

    def add(db: Database) -> None:
        runs.add_image(db, row)

    services.store.write(add)
    kept.images += 1
    kept.hashes.add(sha256)
    return True


def _checks(services: Services, run: Run, header: ImageHeader, sha256: str, kept: Kept) -> tuple[str, ...]:
    """What is worth a badge. Making the thumbnail decodes the image, and so finds a damaged one."""
    found = []
    asked = run.asked.get("size")
    if isinstance(asked, str) and asked != "auto" and asked != f"{header.width}x{header.height}":
        found.append("size_differs")
    if run.asked.get("background") == "transparent" and not header.has_alpha:
        found.append("no_alpha")
    if sha256 in kept.hashes:
        found.append("duplicate")
    original = services.store.blobs.find(sha256)
    if original is not None:
        try:
            if is_blank(services.store.thumbs.ensure(sha256, original)):
                found.append("blank")
        except UnreadableImage:
            found.append("damaged")
    return tuple(found)


async def keep_partial(services: Services, run: Run, partial: PartialImage, preview_ms: int) -> bool:
    """Stores a preview; whether it could be read. A preview is never worth failing a run for."""
    return await asyncio.to_thread(_keep_partial, services, run, partial, preview_ms)


def _keep_partial(services: Services, run: Run, partial: PartialImage, preview_ms: int) -> bool:
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


async def keep_outcome(services: Services, run: Run, outcome: Outcome, *, latency_ms: int | None, kept: Kept) -> bool:
    """Ends the run and its ledger line in one transaction; `False` when it had ended already."""
    price_id = run_price_id(services, run)
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
            unreadable_sha256=kept.unreadable_sha256,
        )
        if ended:
            _enter(db, run.run_id, outcome, price_id, now)
        return ended

    return await asyncio.to_thread(services.store.write, end)


def _enter(db: Database, run_id: str, outcome: Outcome, price_id: str | None, now: str) -> None:
    if outcome.entry == "settle":
        ledger.settle(db, run_id, outcome.amount_microusd or 0, outcome.source, price_id, now)
    elif outcome.entry == "release":
        ledger.release(db, run_id, now)
    else:
        ledger.mark_unknown(db, run_id, now)


def run_price_id(services: Services, run: Run) -> str | None:
    """The price row of the run's offer, where one is known."""
    price = services.catalog.offer(run.offer).price
    return price.price_id if price else None
