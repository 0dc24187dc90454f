"""Masks as an owner has them: the last one of each image, kept by the image's hash, and what can be done to one.

A mask that was drawn or brought is an upload of its owner (`uploads.take_mask`); here it is tied to its image, so that it is
there again after a reload, with more references, and on another day.
"""

from __future__ import annotations

import asyncio

from playground.image_hygiene import CleanImage, bare_image
from playground.masks import MaskChange, changed, coverage_of, encoded, share
from playground.services import Services
from playground.uploads import TakenUpload, UploadRefused, in_image_thread, keep_cleaned, load_input
from providers.types import InputImage
from storage import masks

_NAME = "The mask"


async def keep_mask(services: Services, owner: str, base_sha256: str, mask_sha256: str) -> None:
    """Makes this the owner's mask of that image, in the place of the one before.

    Raises: UploadRefused when one of them is not the owner's, or the mask has another size than the image.
    """
    base = await load_input(services, owner, base_sha256)
    mask = await load_input(services, owner, mask_sha256)
    if (mask.width, mask.height) != (base.width, base.height):
        raise UploadRefused(
            f"The mask is {mask.width} x {mask.height} px and the image {base.width} x {base.height} px. "
            "They must have the same size."
        )
    now = services.now()
    await asyncio.to_thread(services.store.write, lambda db: masks.keep(db, owner, base_sha256, mask_sha256, now))


async def kept_mask(services: Services, owner: str, base_sha256: str) -> InputImage | None:
    """The owner's mask of that image; `None` when there is none, or its file is gone."""
    sha256 = await asyncio.to_thread(services.store.read, lambda db: masks.get(db, owner, base_sha256))
    if sha256 is None:
        return None
    try:
        return await load_input(services, owner, sha256)
    except UploadRefused:
        return None


async def forget_mask(services: Services, owner: str, base_sha256: str) -> bool:
    """Drops the owner's mask of that image; whether there was one. Runs that used it keep theirs."""
    return await asyncio.to_thread(services.store.write, lambda db: masks.forget(db, owner, base_sha256))


async def change_mask(services: Services, owner: str, mask_sha256: str, change: MaskChange) -> TakenUpload:
    """The mask inverted, grown or feathered, as a new upload of the owner; the old one stays.

    Raises: UploadRefused when it is not the owner's, or the change leaves nothing or everything marked; ValueError when a step
        is out of bounds.
    """
    mask = await load_input(services, owner, mask_sha256)

    def made() -> CleanImage:
        return encoded(changed(coverage_of(bare_image(mask.data, _NAME)), change), _NAME)

    return await asyncio.to_thread(keep_cleaned, services, owner, await in_image_thread(made), "mask.png")


async def mask_share(services: Services, owner: str, mask_sha256: str) -> float:
    """The part of the image that the mask marks, 0 to 1. Raises: UploadRefused when it is not the owner's."""
    mask = await load_input(services, owner, mask_sha256)
    return await in_image_thread(lambda: share(coverage_of(bare_image(mask.data, _NAME))))
