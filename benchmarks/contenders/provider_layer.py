"""Our client with the OpenAI adapter, and the folder of image files; no database, no thumbnail.

So: the body built from a request, keys taken out of the answer, strict JSON and base64, then SHA-256, fsync and rename.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from providers.adapters import ADAPTERS
from providers.client import Client, Errand
from providers.client_events import ClientEvent
from providers.rows import CATALOG
from providers.transport import Access, Transport
from providers.types import GeneratedImage, ImageRequest
from storage.blobs import BlobFolder


async def _pass_over(_event: ClientEvent) -> None:
    pass


@asynccontextmanager
async def calls(base_url: str, folder: Path) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """See `benchmarks.contenders.__main__`."""
    offer = CATALOG.offer("openai/gpt-image-2")
    spec = CATALOG.model(offer.model_id)
    access = Access(CATALOG.provider("openai"), base_url, "sk-test-0123456789")
    client, blobs = Client(Transport()), BlobFolder(folder / "blobs")

    async def call() -> None:
        request = ImageRequest("A red fox", size="1024x1024", quality="low")
        built, _ = ADAPTERS["openai"].build(request, offer, spec)
        result = await client.generate(Errand(built, access, timeout_s=60), _pass_over)
        for image in result.images:
            if isinstance(image, GeneratedImage):
                await asyncio.to_thread(blobs.put, image.data, "image/png")

    yield call
    await client.close()
