"""How often a changed picture is found again, and how fast among 150,000: `python -m benchmarks.recall [PICTURES]`.

Pictures are the Demo's, each of another prompt of the bank and of one of its three models, and the bank's source images. Each
is changed in one way and looked for among all; a match is a best image within the default distance.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable

import numpy
from PIL import Image, ImageEnhance, ImageOps

from arena import bank
from playground import likeness
from playground.delivery import phash_of
from providers.demo.studio import Order, draw

IMAGES = 150_000
CANDIDATES, LAID_OVER = 24, 6


def saved(picture: Image.Image, form: str, quality: int) -> Image.Image:
    """The picture after an encoder."""
    out = io.BytesIO()
    picture.save(out, form, quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


def scaled(picture: Image.Image, share: float) -> Image.Image:
    """The picture smaller."""
    return picture.resize((round(picture.width * share), round(picture.height * share)), Image.Resampling.LANCZOS)


def cropped(picture: Image.Image, part: float) -> Image.Image:
    """The picture without a part of each side."""
    width, height = picture.size
    return picture.crop(
        (round(width * part), round(height * part), round(width * (1 - part)), round(height * (1 - part)))
    )


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG 60, half size": lambda p: saved(scaled(p, 0.5), "JPEG", 60),
    "JPEG 30, a third": lambda p: saved(scaled(p, 0.33), "JPEG", 30),
    "WebP 50": lambda p: saved(p, "WEBP", 50),
    "crop 5 %": lambda p: saved(cropped(p, 0.05), "JPEG", 75),
    "crop 10 %": lambda p: saved(cropped(p, 0.1), "JPEG", 75),
    "white border 6 %": lambda p: saved(ImageOps.expand(p, round(p.width * 0.06), "white"), "JPEG", 60),
    "black border 15 %": lambda p: saved(ImageOps.expand(p, round(p.width * 0.15), "black"), "JPEG", 60),
    "12 % brighter": lambda p: saved(ImageEnhance.Brightness(p).enhance(1.12), "JPEG", 75),
    "less contrast": lambda p: saved(ImageEnhance.Contrast(p).enhance(0.85), "JPEG", 75),
}


def pictures(drawn: int) -> list[Image.Image]:
    """What is looked for."""
    prompts = [prompt.prompt for prompt in bank.prompts("generate")]
    sizes = ((512, 512), (768, 512), (512, 768))
    made = []
    for number in range(drawn):
        model, size = ("painterly", "flat", "sketch")[number % 3], sizes[number // 3 % 3]
        prompt = prompts[number * len(prompts) // drawn]
        order = Order(model=model, prompt=prompt, size=size, quality="low", transparent=False, index=0)
        made.append(draw(order).convert("RGB"))
    return made + [Image.open(bank.path_of(source)).convert("RGB") for source in bank.sources()]


def main(drawn: int) -> None:
    """Prints a line for each change, and the time of the first step among `IMAGES`."""
    originals = pictures(drawn)
    thumbs = []
    for each in originals:
        small = each.copy()
        small.thumbnail((512, 512), Image.Resampling.LANCZOS)
        thumbs.append(saved(small, "WEBP", 82))
    packed = numpy.array([likeness.bits_of(phash_of(each)) for each in thumbs], numpy.uint64)
    sketches = [likeness.Sketch.of(each) for each in thumbs]
    for name, change in CHANGES.items():
        counts = {"found": 0, "wrong": 0, "nothing": 0}
        began = time.perf_counter()
        for number, picture in enumerate(originals):
            changed = change(picture)
            query = likeness.Sketch.of(changed)
            near = likeness.nearest(likeness.guesses(changed), packed, CANDIDATES)
            first = sorted((likeness.at_first_sight(query, sketches[place]), place) for place in near)
            apart, best = min((likeness.apart(query, sketches[place]), place) for _, place in first[:LAID_OVER])
            counts["nothing" if apart > likeness.MATCH_APART else "found" if best == number else "wrong"] += 1
        took_ms = (time.perf_counter() - began) / len(originals) * 1000
        print(f"{name:20} {counts['found']:4} of {len(originals)}, {counts['wrong']} wrong, {took_ms:.0f} ms each")
    many = numpy.random.default_rng(1).integers(0, 2**63, IMAGES, numpy.uint64)
    guessed = likeness.guesses(originals[0])
    began = time.perf_counter()
    likeness.nearest(guessed, many, CANDIDATES)
    print(f"{len(guessed)} guesses against {IMAGES:,} hashes: {(time.perf_counter() - began) * 1000:.0f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
