"""What tests of adapters that speak OpenAI's shape share: plain images, and calls built of requests."""

from __future__ import annotations

import io
from hashlib import sha256

from PIL import Image

from providers.adapter import Adapter, HttpCall
from providers.catalog import Catalog
from providers.types import FieldHandling, ImageRequest, InputImage


def made_image(colour: str = "red", mode: str = "RGB") -> InputImage:
    out = io.BytesIO()
    Image.new(mode, (32, 32), colour).save(out, "PNG")
    data = out.getvalue()
    return InputImage(data, "image/png", 32, 32, sha256(data).hexdigest())


def built_by(
    adapter: Adapter, request: ImageRequest, offer_id: str, catalog: Catalog
) -> tuple[HttpCall, dict[str, FieldHandling]]:
    """The call, and what became of each field: one row each, and a reason where it is refused."""
    offer = catalog.offer(offer_id)
    call, rows = adapter.build(request, offer, catalog.spec(offer))
    assert len({row.field for row in rows}) == len(rows)
    for row in rows:
        assert (row.handling == "refused") <= (row.sent_as is None and row.note != "")
    return call, {row.field: row for row in rows}
