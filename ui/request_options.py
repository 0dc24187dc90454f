"""The options of `generate` and `estimate` as a request: files are read and cleaned, and nothing is stored."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from playground.image_hygiene import UploadRefused
from playground.local_files import read_image, read_mask
from playground.refusals import PlanRefused
from providers.checks import Problem
from providers.types import ImageRequest
from ui.arguments import DEFAULT_EDIT_SIZE, DEFAULT_SIZE


def read_request(options: argparse.Namespace, say: Callable[[str], None]) -> ImageRequest:
    """The request that the options describe; image files are read and cleaned, and nothing is stored.

    `say` is told what was changed in them. Raises: UploadRefused when an image, PlanRefused when a mask cannot be used.
    """
    images = [read_image(Path(name)) for name in options.image]
    if options.mask and not images:
        raise PlanRefused((Problem("mask", "A mask needs an image to edit. Add it with --image."),))
    try:
        mask = read_mask(Path(options.mask), images[0].input) if options.mask else None
    except UploadRefused as error:
        raise PlanRefused((Problem("mask", str(error)),)) from error
    for taken in [*images, *([mask] if mask else [])]:
        for note in taken.notes:
            say(note)
    return ImageRequest(
        prompt=options.prompt,
        n=options.n,
        size=options.size or _default_size(options, is_edit=bool(images)),
        aspect_ratio=options.aspect_ratio,
        resolution=options.resolution,
        quality=options.quality,
        background=options.background,
        output_format=options.format,
        output_compression=options.compression,
        moderation=options.moderation,
        input_fidelity=options.fidelity,
        partial_images=options.partials,
        user=options.user,
        timeout_s=options.timeout,
        images=tuple(taken.input for taken in images),
        mask=mask.input if mask else None,
        # Said of no mask, "no" asks for nothing.
        lock_outside_mask=options.lock_outside_mask if mask or options.lock_outside_mask else None,
    )


def _default_size(options: argparse.Namespace, *, is_edit: bool) -> str | None:
    if options.aspect_ratio or options.resolution:
        return None
    return DEFAULT_EDIT_SIZE if is_edit else DEFAULT_SIZE
