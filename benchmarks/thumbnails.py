"""What it takes to look at a new picture: decode it, make its thumbnail, pack that. Beside Pillow alone, one after the other
and by two threads, as the app does it.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from benchmarks.slow_answers import Pictures
from storage.images import decode
from storage.thumbnails import THUMBNAIL_EDGE_PX, THUMBNAIL_QUALITY, WEBP_METHOD

THREADS = 2
ROUNDS, PICTURES = 15, 8
EDGES = (1024, 2048)
Look = Callable[[bytes], None]


def measure(*, quick: bool = False) -> Iterator[str]:
    """For each size and format the processor's time and the clock's, and their ratio to Pillow alone."""
    rounds, many = (2, 2) if quick else (ROUNDS, PICTURES)
    for edge in EDGES:
        files = _pngs(edge, many)
        yield from _lines(f"{edge}x{edge} PNG, {len(files[0]) / 1e6:.1f} MB", files, rounds)
    yield from _lines(f"{EDGES[0]}x{EDGES[0]} JPEG", [_as_jpeg(data) for data in _pngs(EDGES[0], many)], rounds)


def _pngs(edge: int, many: int) -> list[bytes]:
    pictures = Pictures(many, edge)
    return [pictures.next() for _ in range(many)]


def _as_jpeg(data: bytes) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(data)) as one:
        one.save(out, "JPEG", quality=90)
    return out.getvalue()


def _lines(what: str, files: Sequence[bytes], rounds: int) -> Iterator[str]:
    yield what
    for name, threads in (("one by one", 1), (f"{THREADS} threads", THREADS)):
        # In turn, since a machine is not the same from one second to the next.
        pairs = [(_took(_by_pillow, files, threads), _took(_ours, files, threads)) for _ in range(rounds)]
        (cpu, clock), (our_cpu, our_clock) = (
            [statistics.median(times) for times in zip(*column, strict=True)] for column in zip(*pairs, strict=True)
        )
        yield (
            f"  {name:12} Pillow {cpu:6.1f} ms CPU {clock:6.1f} ms clock   ours {our_cpu:6.1f} ms CPU {our_clock:6.1f} ms clock"
            f"   {our_cpu / cpu:.2f}x CPU {our_clock / clock:.2f}x clock"
        )


def _took(look: Look, files: Sequence[bytes], threads: int) -> tuple[float, float]:
    """Milliseconds of processor and of clock for each picture."""
    with ThreadPoolExecutor(threads) as pool:
        clock, cpu = time.perf_counter(), time.process_time()
        list(pool.map(look, files))
        took = time.process_time() - cpu, time.perf_counter() - clock
    return took[0] * 1000 / len(files), took[1] * 1000 / len(files)


def _ours(data: bytes) -> None:
    _packed(decode(data, edge_px=THUMBNAIL_EDGE_PX))


def _by_pillow(data: bytes) -> None:
    with Image.open(io.BytesIO(data)) as image:
        image.thumbnail((THUMBNAIL_EDGE_PX, THUMBNAIL_EDGE_PX), Image.Resampling.LANCZOS, reducing_gap=1.0)
        _packed(image)


def _packed(small: Image.Image) -> None:
    small.save(io.BytesIO(), "WEBP", quality=THUMBNAIL_QUALITY, method=WEBP_METHOD)
