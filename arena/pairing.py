"""Which two images meet, and on which sides. Pure: images and a source of randomness in, a pair with its chance out.

Images are kin when they answer the same prompt, operation and inputs. A pair is two kin images of different offers;
drawn images meet drawn images only. Which offers meet is drawn first, then the prompt, then the images, so that a prompt
with many images does not crowd out the others.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
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
    board: str = "generate"

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


@dataclass(frozen=True, slots=True)
class _Slot:
    """Pairs of images of one kin by two offers."""

    league: League
    offers: tuple[str, str]
    """In order of their names."""
    pairs: list[tuple[str, str]]


ImagePair = frozenset[str]
League = tuple[str, bool]
"""(board, whether drawn by the Demo): offers of two leagues never meet."""
Chances = Callable[[League, Sequence[tuple[str, str]]], Sequence[float]]
"""For two offers each, how likely they are to meet; the sum is 1."""


def uniform(_league: League, meetings: Sequence[tuple[str, str]]) -> Sequence[float]:
    """All alike."""
    return [1 / len(meetings)] * len(meetings)


def is_demo(offer: str) -> bool:
    """Whether the offer is the Demo provider's."""
    return offer.startswith(DEMO_PREFIX)


def draw_pair(
    candidates: Iterable[Candidate],
    *,
    spent: Collection[ImagePair],
    seen: Collection[ImagePair],
    rng: random.Random,
    chances: Chances = uniform,
) -> Pair | None:
    """A pair at random, or `None` when there is none left.

    Pairs of `spent` never come (they have a vote or a report); those of `seen` (skipped, or run out of time) only when no
    other is left.
    `candidates` come newest first. `chances` says how likely each two offers of a league are to meet.
    """
    slots = _slots(candidates, spent)
    fresh = [
        replace(slot, pairs=free) for slot in slots if (free := [p for p in slot.pairs if frozenset(p) not in seen])
    ]
    slots = fresh or slots
    if not slots:
        return None
    league = rng.choice(slots).league
    here = [slot for slot in slots if slot.league == league]
    meetings = sorted({slot.offers for slot in here})
    chance = chances(league, meetings)
    (index,) = rng.choices(range(len(meetings)), weights=chance)
    among = [slot for slot in here if slot.offers == meetings[index]]
    slot = rng.choice(among)
    first, second = rng.choice(slot.pairs)
    image_a, image_b = draw_sides(first, second, rng)
    return Pair(image_a, image_b, len(here) / len(slots) * chance[index] / len(among) / len(slot.pairs))


def draw_sides(first: str, second: str, rng: random.Random) -> tuple[str, str]:
    """The two in an order that a fair coin gives."""
    return (first, second) if rng.random() < 0.5 else (second, first)


def _slots(candidates: Iterable[Candidate], spent: Collection[ImagePair]) -> list[_Slot]:
    """For each kin and each two offers that may meet: the pairs that are not spent. Empty ones are left out."""
    families: dict[tuple[str, int], dict[str, list[str]]] = {}
    for one in candidates:
        images = families.setdefault((one.board, one.kin), {}).setdefault(one.offer, [])
        if len(images) < MAX_IMAGES_PER_OFFER:
            images.append(one.image_id)
    slots = []
    for (board, _), family in families.items():
        for offer, other in combinations(sorted(family), 2):
            if is_demo(offer) == is_demo(other):
                free = [pair for pair in product(family[offer], family[other]) if frozenset(pair) not in spent]
                if free:
                    slots.append(_Slot((board, is_demo(offer)), (offer, other), free))
    return slots
