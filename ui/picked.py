"""Images as the page names them, `RUN:POSITION`, and back to what is stored."""

from __future__ import annotations

from dataclasses import dataclass

from playground import library
from playground.services import Services
from storage.records import RunView, StoredImage


@dataclass(frozen=True, slots=True)
class Picked:
    """An image with the run that made it."""

    run: RunView
    image: StoredImage


async def picked_image(services: Services, owner: str, name: str) -> Picked | None:
    """The owner's image of this name, or `None` when there is none."""
    run_id, _, position = name.partition(":")
    view = await library.run(services, run_id, owner)
    images = view.images if view else ()
    image = next((one for one in images if str(one.position) == position), None)
    return Picked(view, image) if view and image else None
