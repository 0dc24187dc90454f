"""Battles between images that the voter picked: two of one press of Run, drawn, or two named one by one.

Whoever names two has read who made them on the page before, so such a vote counts on the voter's own board only. Both kinds
end as every battle begins, in `arena.opening`.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from arena import opening, pairing
from arena.opening import UNFIT, BattleOff, BlindBattle
from arena.pairing import Pair
from playground import library
from playground.services import Services
from storage import battles
from storage.battles import Met
from storage.engine import Database
from storage.records import RunView

REPORTED = "You have reported these two images, so they do not meet again. Choose two others."
ALL_REPORTED = "You have reported every pair of these runs. Choose others, or run the prompt again."


async def start_from_images(services: Services, voter: str, image_id_1: str, image_id_2: str) -> BlindBattle:
    """A battle between two images that the voter chose.

    Raises:
        BattleOff: they are not the voter's, not of the same prompt and inputs, of one offer, damaged or blank, or reported.
    """
    await asyncio.to_thread(_refuse_unlike, services, voter, image_id_1, image_id_2)
    met = await asyncio.to_thread(_met, services, voter, [(image_id_1, image_id_2)])
    if any(one.state == "reported" for one in met):
        raise BattleOff(REPORTED)
    image_a, image_b = pairing.draw_sides(image_id_1, image_id_2, services.rng)
    return await opening.open_or_off(services, voter, Pair(image_a, image_b, 1.0), "chosen")


async def start_from_group(services: Services, voter: str, group_id: str) -> BlindBattle:
    """A battle between two images of one press of Run, drawn among the pairs not voted on yet, if there are any.

    Raises:
        BattleOff: the group is not the voter's, no two of its images can meet, or all its pairs were reported.
    """
    group = await library.group(services, group_id, voter)
    pairs = pairs_of(group.runs if group else ())
    if not pairs:
        raise BattleOff("These runs have no two images of different models that can meet.")
    met = await asyncio.to_thread(_met, services, voter, pairs)
    allowed = _without(pairs, [one for one in met if one.state == "reported"])
    if not allowed:
        raise BattleOff(ALL_REPORTED)
    among = _without(allowed, [one for one in met if one.state == "voted"]) or allowed
    image_a, image_b = pairing.draw_sides(*services.rng.choice(among), services.rng)
    return await opening.open_or_off(services, voter, Pair(image_a, image_b, 1 / len(among)), "history")


def pairs_of(views: Sequence[RunView]) -> list[tuple[str, str]]:
    """Ids of images that can meet: of one prompt and two offers, both drawn or both real, neither damaged nor blank."""
    fit = [(image.image_id, view) for view in views for image in view.images if not set(image.checks) & set(UNFIT)]
    return [
        (one, other)
        for (one, view), (other, against) in itertools.combinations(fit, 2)
        if _can_meet(view.run.offer, against.run.offer) and _kin(view) == _kin(against)
    ]


def _can_meet(offer: str, other: str) -> bool:
    return offer != other and pairing.is_demo(offer) == pairing.is_demo(other)


def _met(services: Services, voter: str, pairs: Sequence[tuple[str, str]]) -> list[Met]:
    def read(db: Database) -> list[Met]:
        return battles.met(db, voter, list({image for pair in pairs for image in pair}))

    return services.store.read(read)


def _without(pairs: Sequence[tuple[str, str]], met: Sequence[Met]) -> list[tuple[str, str]]:
    gone = {one.pair for one in met}
    return [pair for pair in pairs if frozenset(pair) not in gone]


def _refuse_unlike(services: Services, voter: str, image_id_1: str, image_id_2: str) -> None:
    """Raises: BattleOff when the two images cannot meet."""
    one, two = opening.side_of(services, voter, image_id_1), opening.side_of(services, voter, image_id_2)
    if one is None or two is None:
        raise BattleOff("One of the two images is not there any more. Choose again.")
    if _kin(one.view) != _kin(two.view):
        raise BattleOff("A blind vote needs two images of the same prompt and the same inputs. Choose again.")
    offers = (one.view.run.offer, two.view.run.offer)
    if offers[0] == offers[1]:
        raise BattleOff("Both images are from the same model at the same provider. Choose images of two.")
    if not _can_meet(*offers):
        raise BattleOff("Drawn demo images only meet each other. Choose two of a kind.")
    if set(one.image.checks + two.image.checks) & set(UNFIT):
        raise BattleOff("A blank or damaged image cannot take part. Choose another one.")


def _kin(view: RunView) -> tuple[object, ...]:
    inputs = tuple((given.role, given.position, given.sha256) for given in view.inputs)
    return view.run.operation, view.run.prompt, inputs
