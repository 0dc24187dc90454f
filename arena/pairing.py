"""Which two images meet, and on which sides. Pure: images and a source of randomness in, a pair with its chance out.

Images are kin when they answer the same prompt, operation and inputs. A pair is two kin images of different offers;
drawn images meet drawn images only. A pair is drawn by kin and offers first, so that a prompt with many images does not
crowd out the others.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import combinations, product

DEMO_PREFIX = "demo/"
"""Offers of the Demo provider; its battles are a board of their own."""

MAX_IMAGES_PER_OFFER = 8
"""Newest images of one offer that are considered within one kin, which bounds the pairs of a slot to 64."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that may meet another."""

    image_id: str
    offer: str
    kin: int
    """Equal for images of the same prompt, operation and inputs."""

    @property
    def is_demo(self) -> bool:
        """Whether it was drawn by the Demo provider."""
        return is_demo(self.offer)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images with their sides drawn."""

    image_a: str
    image_b: str
    probability: float
    """Chance with which these two were drawn, whichever the sides."""


ImagePair = frozenset[str]


def is_demo(offer: str) -> bool:
    """Whether the offer is the Demo provider's."""
    return offer.startswith(DEMO_PREFIX)


def draw_pair(
    candidates: Iterable[Candidate],
    *,
    voted: Collection[ImagePair],
    seen: Collection[ImagePair],
    rng: random.Random,
) -> Pair | None:
    """A pair at random, or `None` when there is none left.

    Pairs of `voted` never come; those of `seen` (skipped, or run out of time) only when no other is left.
    `candidates` come newest first.
    """
    slots = _slots(candidates, voted)
    fresh = [free for slot in slots if (free := [pair for pair in slot if frozenset(pair) not in seen])]
    slots = fresh or slots
    if not slots:
        return None
    slot = rng.choice(slots)
    first, second = rng.choice(slot)
    image_a, image_b = draw_sides(first, second, rng)
    return Pair(image_a, image_b, 1 / (len(slots) * len(slot)))


def draw_sides(first: str, second: str, rng: random.Random) -> tuple[str, str]:
    """The two in an order that a fair coin gives."""
    return (first, second) if rng.random() < 0.5 else (second, first)


def _slots(candidates: Iterable[Candidate], voted: Collection[ImagePair]) -> list[list[tuple[str, str]]]:
    """For each kin and each two offers that may meet: the pairs not voted on. Empty ones are left out."""
    families: dict[int, dict[str, list[str]]] = {}
    for one in candidates:
        images = families.setdefault(one.kin, {}).setdefault(one.offer, [])
        if len(images) < MAX_IMAGES_PER_OFFER:
            images.append(one.image_id)
    slots = []
    for family in families.values():
        for offer, other in combinations(sorted(family), 2):
            if is_demo(offer) == is_demo(other):
                free = [pair for pair in product(family[offer], family[other]) if frozenset(pair) not in voted]
                if free:
                    slots.append(free)
    return slots
