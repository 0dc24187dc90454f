"""What was asked, as stored, and back: so that a run can be sent once more exactly as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from providers.types import DEFAULT_TIMEOUT_S, ImageRequest, InputImage


def asked_document(request: ImageRequest) -> dict[str, object]:
    """The request as stored in `runs.asked`: canonical fields, images by SHA-256."""
    return {
        "prompt": request.prompt,
        "n": request.n,
        "size": request.size,
        "aspect_ratio": request.aspect_ratio,
        "resolution": request.resolution,
        "quality": request.quality,
        "background": request.background,
        "output_format": request.output_format,
        "output_compression": request.output_compression,
        "moderation": request.moderation,
        "input_fidelity": request.input_fidelity,
        "partial_images": request.partial_images,
        "user": request.user,
        "timeout_s": request.timeout_s,
        "images": [image.sha256 for image in request.images],
        "mask": request.mask.sha256 if request.mask else None,
        "lock_outside_mask": request.is_locked if request.mask else request.lock_outside_mask,
    }


def request_of(asked: Mapping[str, object], images: Sequence[InputImage], mask: InputImage | None) -> ImageRequest:
    """The request that `asked_document` was made from, given the bytes of its images."""
    timeout_s = asked.get("timeout_s")
    return ImageRequest(
        prompt=str(asked["prompt"]),
        n=_whole(asked.get("n")) or 1,
        size=_text(asked.get("size")),
        aspect_ratio=_text(asked.get("aspect_ratio")),
        resolution=_text(asked.get("resolution")),
        quality=_text(asked.get("quality")),
        background=_text(asked.get("background")),
        output_format=_text(asked.get("output_format")),
        output_compression=_whole(asked.get("output_compression")),
        moderation=_text(asked.get("moderation")),
        input_fidelity=_text(asked.get("input_fidelity")),
        partial_images=_whole(asked.get("partial_images")),
        user=_text(asked.get("user")),
        timeout_s=float(timeout_s) if isinstance(timeout_s, int | float) else DEFAULT_TIMEOUT_S,
        images=tuple(images),
        mask=mask,
        # Before there was a lock nothing was locked.
        lock_outside_mask=_flag(asked.get("lock_outside_mask", False if mask else None)),
    )


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
