"""Masks of an owner: kept by their image, changed into new ones, and nobody else's."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from playground.kept_masks import change_mask, forget_mask, keep_mask, kept_mask, mask_share
from playground.masks import Coverage, MaskChange
from playground.services import Services
from playground.uploads import UploadRefused, take_mask, take_upload
from providers.types import InputImage
from storage.verify import verify


def go(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def uploaded(services: Services, folder: Path, *, owner: str = "me", size: tuple[int, int] = (64, 48)) -> InputImage:
    path = folder / "photo.png"
    Image.effect_noise(size, 60).convert("RGB").save(path)
    image: InputImage = go(take_upload(services, owner, path, "photo.png")).input
    return image


def masked(services: Services, folder: Path, base: InputImage, *, owner: str = "me", edge: int = 24) -> InputImage:
    path = folder / "mask.png"
    image = Image.new("L", (base.width, base.height), 0)
    image.paste(255, (8, 8, edge, edge))
    image.save(path)
    taken = go(take_mask(services, owner, path, "mask.png", base))
    assert any("white was taken" in note for note in taken.notes)
    mask: InputImage = taken.input
    return mask


def coverage(mask: InputImage) -> Coverage:
    with Image.open(io.BytesIO(mask.data)) as image:
        return 255 - numpy.asarray(image.getchannel("A"))


def test_a_mask_is_there_again_with_its_image(services: Services, tmp_path: Path) -> None:
    base = uploaded(services, tmp_path)
    assert go(kept_mask(services, "me", base.sha256)) is None
    first, second = masked(services, tmp_path, base), masked(services, tmp_path, base, edge=32)
    for mask in (first, second):
        go(keep_mask(services, "me", base.sha256, mask.sha256))
        assert go(kept_mask(services, "me", base.sha256)) == mask
    assert go(kept_mask(services, "you", base.sha256)) is None
    assert verify(services.store) == []
    assert go(forget_mask(services, "me", base.sha256)) is True
    assert go(forget_mask(services, "me", base.sha256)) is False
    assert go(kept_mask(services, "me", base.sha256)) is None


def test_only_ones_own_masks_and_images_are_kept(services: Services, tmp_path: Path) -> None:
    base = uploaded(services, tmp_path)
    mask = masked(services, tmp_path, base)
    other = uploaded(services, tmp_path, owner="you")
    for owner, one, two in (("you", base, mask), ("me", other, mask), ("you", other, mask)):
        with pytest.raises(UploadRefused, match="not there any more"):
            go(keep_mask(services, owner, one.sha256, two.sha256))
    with pytest.raises(UploadRefused, match="not there any more"):
        go(keep_mask(services, "me", "../../etc/passwd", mask.sha256))


def test_a_mask_of_another_size_is_not_kept(services: Services, tmp_path: Path) -> None:
    large, small = uploaded(services, tmp_path, size=(96, 96)), uploaded(services, tmp_path)
    mask = masked(services, tmp_path, small)
    with pytest.raises(UploadRefused, match="64 x 48 px and the image 96 x 96 px"):
        go(keep_mask(services, "me", large.sha256, mask.sha256))


def test_a_mask_whose_file_is_gone_is_none(services: Services, tmp_path: Path) -> None:
    base = uploaded(services, tmp_path)
    mask = masked(services, tmp_path, base)
    go(keep_mask(services, "me", base.sha256, mask.sha256))
    services.store.blobs.delete(mask.sha256)
    assert go(kept_mask(services, "me", base.sha256)) is None


def test_a_changed_mask_is_a_new_upload_and_the_old_one_stays(services: Services, tmp_path: Path) -> None:
    mask = masked(services, tmp_path, uploaded(services, tmp_path))
    turned = go(change_mask(services, "me", mask.sha256, MaskChange(is_inverted=True))).input
    assert (coverage(turned) == 255 - coverage(mask)).all()
    grown = go(change_mask(services, "me", mask.sha256, MaskChange(grow_px=2, feather_px=3))).input
    assert go(mask_share(services, "me", grown.sha256)) > go(mask_share(services, "me", mask.sha256)) == 256 / (64 * 48)
    assert (grown.width, grown.height, grown.media_type) == (64, 48, "image/png")
    for change, words in ((MaskChange(grow_px=-9), "marks nothing"), (MaskChange(grow_px=90), "marks the whole image")):
        with pytest.raises(UploadRefused, match=words):
            go(change_mask(services, "me", mask.sha256, change))
    with pytest.raises(UploadRefused, match="not there any more"):
        go(change_mask(services, "you", mask.sha256, MaskChange(is_inverted=True)))
    with pytest.raises(ValueError, match="512"):
        go(change_mask(services, "me", mask.sha256, MaskChange(grow_px=9999)))
