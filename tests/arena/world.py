"""A store with runs in it, made row by row, so that arena tests need no engine and no provider."""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from PIL import Image
from sqlite_utils import Database

from playground.keys import KeyRing
from playground.services import Services, new_ulid
from playground.settings import Settings
from providers.catalog import Catalog
from providers.rows import CATALOG
from storage import ledger, runs
from storage.database import Store
from storage.records import Group, LedgerLine, Run, RunState, StoredImage, StoredInput
from tests.fresh_store import fresh
from tests.noon import NOON

VOTER = "local"


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def move(self, delta: timedelta) -> None:
        self.at += delta


def make_services(folder: Path, *, seed: int = 7, clock: Clock | None = None, catalog: Catalog = CATALOG) -> Services:
    settings = Settings(data_dir=folder)
    return Services(
        settings=settings,
        store=Store.open(fresh(folder)),
        client=cast("Any", None),
        catalog=catalog,
        keys=KeyRing(settings),
        clock=clock or Clock(),
        new_id=new_ulid,
        rng=random.Random(seed),
    )


_numbers = itertools.count(1)


def picture(
    size: tuple[int, int] = (64, 48), *, form: str = "PNG", number: int | None = None, note: str = "made by SECRETMAKER"
) -> bytes:
    """A file of its own colours that carries a note of its maker, as real ones do."""
    n = next(_numbers) if number is None else number
    image = Image.new("RGB", size, (n * 37 % 256, n * 91 % 256, n * 13 % 256))
    image.paste(Image.effect_noise((size[0] // 2, size[1] // 2), 60), (size[0] // 4, size[1] // 4))
    exif = Image.Exif()
    exif[0x010E] = note
    buffer = io.BytesIO()
    image.save(buffer, form, exif=exif)
    return buffer.getvalue()


def add_run(
    services: Services,
    offer: str = "openai/gpt-image-2",
    prompt: str = "A lighthouse at dusk",
    *,
    owner: str = VOTER,
    data: bytes | None = None,
    images: int = 1,
    inputs: Sequence[bytes] = (),
    state: RunState = "succeeded",
    checks: tuple[str, ...] = (),
    cost_microusd: int | None = 41_200,
    latency_ms: int | None = 24_800,
) -> list[str]:
    """Ids of the images of a new run that ended."""
    now = services.now()
    operation = "edit" if inputs else "generate"
    group = Group(services.new_id(), owner, "run", operation, prompt, now)
    run = Run(
        run_id=services.new_id(),
        group_id=group.group_id,
        owner=owner,
        position=0,
        offer=offer,
        operation=operation,
        prompt=prompt,
        asked={"prompt": prompt, "n": images, "size": "1024x1024", "quality": "low"},
        sent={"prompt": prompt, "size": "1024x1024", "quality": "low"},
        got={"size": "1024x1024", "quality": "medium"},
        state="queued",
        queued_at=now,
        estimate_microusd=cost_microusd,
    )
    blobs = services.store.blobs
    given = [
        StoredInput(run.run_id, n, "image", blobs.put(d, "image/png"), "image/png", 64, 48)
        for n, d in enumerate(inputs)
    ]
    made = []
    for position in range(images if state == "succeeded" else 0):
        each = data or picture()
        with Image.open(io.BytesIO(each)) as opened:
            size, media_type = opened.size, opened.get_format_mimetype() or "image/png"
        sha256 = blobs.put(each, media_type)
        made.append(
            StoredImage(
                services.new_id(),
                run.run_id,
                position,
                sha256,
                media_type,
                *size,
                len(each),
                now,
                seed=4711,
                checks=checks,
            )
        )

    def write(db: Database) -> None:
        runs.insert_group(db, group)
        runs.insert_runs(
            db,
            [run],
            given,
            [LedgerLine(services.new_id(), run.run_id, "reserved", cost_microusd, "estimated", None, now)],
        )
        for image in made:
            runs.add_image(db, image)
        if cost_microusd is not None:
            ledger.settle(db, run.run_id, cost_microusd, "computed", None, now)
        runs.finish(
            db, run.run_id, state=state, finished_at=now, latency_ms=latency_ms, got={"size": "1024x1024"}, request_id="req_1",
            error=None,
        )  # fmt: skip

    services.store.write(write)
    return [image.image_id for image in made]
