"""How battles begin: drawn from history or made now; each ends in two neutral copies and one row. Those between images that
the voter picked stand in `arena.choosing`.

Until the vote a battle is a random id, a prompt and two copies that were made alike; nothing that is returned here
tells the makers.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from arena import bank_battles, board, copies, pairing, prompts
from arena.blind import UnfitImage
from arena.drawing import chances_of
from playground import library
from playground.engine import Engine
from playground.keys import KeyFinder
from playground.plan import make_plan
from playground.services import Services, timestamp
from playground.uploads import in_image_thread
from providers.types import ImageRequest
from storage import battles
from storage.battles import BattleImage, BattleSide
from storage.engine import Database
from storage.records import Battle, BattleSource, RunView

LIFE = timedelta(hours=24)
"""How long a battle waits for its vote, and how long its copies are kept."""

UNFIT = ("blank", "damaged")
"""Checks that keep an image out of battles."""

BANK_ONLY = "Battles here are fought over the prompts that ship with the app. Choose one of those."


class BattleOff(ValueError):
    """A battle that cannot take place. The message can be shown."""

    def __init__(self, message: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.reasons = tuple(reasons)
        """What each run said, as "model: sentence"."""


Task = Literal["any", "generate", "edit"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which battles a voter would like to see."""

    task: Task = "any"
    category: str | None = None
    """Of the prompt bank, or `own`; `None`: any."""


ANYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class BlindBattle:
    """All that may be known of a battle before its vote."""

    battle_id: str
    prompt: str
    operation: str
    inputs: tuple[str, ...]
    """SHA-256 of the source images of an edit; show their thumbnails, which hold no note of origin."""
    width: int
    """Pixels of both copies."""
    height: int
    source: BattleSource
    category: str
    """Of the prompt bank, or `own`."""
    is_free: bool
    """Made for this battle by drawn models; its price was told before it began."""


async def next_battle(services: Services, voter: str, wanted: Wanted = ANYTHING) -> BlindBattle | None:
    """The voter's open battle, or a new one drawn from what they made, or `None` when no pair is left."""
    await asyncio.to_thread(_sweep, services, voter)
    waiting = await asyncio.to_thread(_resume, services, voter, wanted)
    return waiting or await start_from_history(services, voter, wanted)


async def start_from_history(services: Services, voter: str, wanted: Wanted = ANYTHING) -> BlindBattle | None:
    """A battle between two images the voter's runs made, or `None` when no pair is left to vote on."""
    unfit: set[str] = set()
    while True:
        pair = await asyncio.to_thread(_draw, services, voter, wanted, frozenset(unfit))
        if pair is None:
            return None
        try:
            return await _open(services, voter, pair, "history")
        except UnfitImage as error:
            unfit.add((pair.image_a, pair.image_b)[error.position])


async def start_new(
    services: Services,
    engine: Engine,
    voter: str,
    request: ImageRequest,
    offers: Sequence[str],
    probability: float = 1.0,
    *,
    keys: KeyFinder | None = None,
) -> BlindBattle:
    """A battle between two offers that are asked now; returns when both have answered. `probability` is the chance with
    which the two were drawn. The request's quality is asked of the models that have it. `keys`: as `Engine.submit`.

    If the caller goes away meanwhile, the runs go on, and their images may meet later as a pair from history.

    Raises:
        BattleOff: not two different offers of one kind, a prompt of one's own where only the bank's are fought over, or a run
            made no image that can be shown.
        PlanRefused, MissingKey, EngineStopping, StoreError: as `Engine.submit`; nothing was sent.
    """
    if len(set(offers)) != 2:
        raise BattleOff("A battle needs two different models. Choose another one.")
    if len({pairing.is_demo(offer) for offer in offers}) != 1:
        raise BattleOff("Drawn demo models only meet each other. Choose two of a kind.")
    hashes = [image.sha256 for image in request.images]
    if services.settings.arena_prompts == "bank" and not _is_bank(request.prompt, request.operation, hashes):
        raise BattleOff(BANK_ONLY)
    asked = replace(request, n=1, quality=None)
    plan = make_plan(asked, offers, services.catalog, default_quality=request.quality)
    group_id = await engine.submit(plan, voter, kind="battle", keys=keys)
    async for _ in engine.follow(group_id, voter):
        pass
    group = await library.group(services, group_id, voter)
    views = group.runs if group else ()
    fit = [image.image_id for view in views for image in view.images[:1] if not set(image.checks) & set(UNFIT)]
    if len(fit) != 2:
        raise BattleOff("The battle is off: not both models made an image.", _reasons(services, views))
    image_a, image_b = pairing.draw_sides(fit[0], fit[1], services.rng)
    return await open_or_off(services, voter, pairing.Pair(image_a, image_b, probability), "new")


def _draw(services: Services, voter: str, wanted: Wanted, without: frozenset[str]) -> pairing.Pair | None:
    """A pair among what the voter's runs made, leaving out the images `without`."""

    def read(db: Database) -> pairing.Pair | None:
        bank_only = services.settings.arena_prompts == "bank"
        # A stranger's archive can say of any picture who made it, and these votes count for everybody.
        is_local = services.settings.mode == "local"
        rows = [
            row
            for row in battles.candidates(db, voter, with_brought=is_local)
            if row.image_id not in without and _is_wanted(row, wanted, bank_only=bank_only)
        ]
        met = battles.met(db, voter, [row.image_id for row in rows])
        return pairing.draw_pair(
            [pairing.Candidate(row.image_id, row.offer, row.kin, row.board) for row in rows],
            spent={one.pair for one in met if one.is_spent},
            seen={one.pair for one in met},
            rng=services.rng,
            # An image that is there can be shown, whatever has become of its maker.
            chances=chances_of(db, ()),
        )

    return services.store.read(read)


def _is_wanted(row: BattleImage, wanted: Wanted, *, bank_only: bool) -> bool:
    """The source images are looked at when the battle begins: here only the words are known."""
    operation = "generate" if row.board == "generate" else "edit"
    if wanted.task not in ("any", operation):
        return False
    category, prompt_id = prompts.place_of(row.prompt, operation)
    return wanted.category in (None, category) and (prompt_id is not None or not bank_only)


def _is_bank(prompt: str, operation: str, hashes: Sequence[str]) -> bool:
    return bank_battles.place_of(prompt, operation, hashes)[1] is not None


def side_of(services: Services, voter: str, image_id: str) -> BattleSide | None:
    """The voter's image with its run; `None` when there is none. Blocking."""

    def read(db: Database) -> BattleSide | None:
        return battles.side(db, image_id, voter)

    return services.store.read(read)


async def open_or_off(services: Services, voter: str, pair: pairing.Pair, source: BattleSource) -> BlindBattle:
    """A battle between these two. Raises: BattleOff when an image is gone or cannot be read."""
    try:
        return await _open(services, voter, pair, source)
    except UnfitImage as error:
        raise BattleOff(f"The battle is off. {error}") from None


async def _open(services: Services, voter: str, pair: pairing.Pair, source: BattleSource) -> BlindBattle:
    """Makes the copies, then the row, so that a battle never points at missing files.

    Raises:
        UnfitImage: an image is gone or cannot be read, or its prompt is none of the bank's where only those are fought over.
    """
    sides = [await asyncio.to_thread(side_of, services, voter, image) for image in (pair.image_a, pair.image_b)]
    side_a, side_b = sides
    if side_a is None or side_b is None:
        raise UnfitImage("One of the two images is not there any more.", 0 if side_a is None else 1)
    run = side_a.view.run
    given = [each.sha256 for each in sorted(side_a.view.inputs, key=lambda each: each.position) if each.role == "image"]
    category, prompt_id = bank_battles.place_of(run.prompt, run.operation, given)
    if prompt_id is None and services.settings.arena_prompts == "bank":
        raise UnfitImage(BANK_ONLY, 0)
    battle_id, now = secrets.token_hex(16), services.clock()
    hashes = (side_a.image.sha256, side_b.image.sha256)
    await in_image_thread(lambda: copies.write_copies(services.store, battle_id, hashes, now))
    battle = Battle(
        battle_id=battle_id,
        voter=voter,
        operation=run.operation,
        prompt=run.prompt,
        image_a=pair.image_a,
        image_b=pair.image_b,
        offer_a=run.offer,
        offer_b=side_b.view.run.offer,
        source=source,
        is_demo=pairing.is_demo(run.offer),
        probability=pair.probability,
        state="open",
        created_at=timestamp(now),
        expires_at=timestamp(now + LIFE),
        board=battles.board_of(run.operation, len(given)),
        category=category,
        prompt_id=prompt_id,
        quality_a=_quality(side_a.view),
        quality_b=_quality(side_b.view),
        shown_at=timestamp(now),
    )

    def write(db: Database) -> None:
        battles.insert(db, battle)

    await asyncio.to_thread(services.store.write, write)
    return blind_of(services, battle, side_a.view)


def _quality(view: RunView) -> str:
    return str(view.run.asked.get("quality") or "auto")


def _resume(services: Services, voter: str, wanted: Wanted) -> BlindBattle | None:
    """The newest battle of the voter's that still waits, if its copies are there and it is what is wanted."""
    found = newest_open(services, voter)
    if found is None:
        return None
    battle = found[0]
    if wanted.task not in ("any", battle.operation) or wanted.category not in (None, battle.category):
        return None
    return show(services, battle, found[1].view)


def show(services: Services, battle: Battle, view: RunView) -> BlindBattle:
    """The open battle as it is put before its voter once more; `view` is the run of its first side. Blocking."""
    now = services.now()

    def write(db: Database) -> None:
        battles.show(db, battle.battle_id, now)

    services.store.write(write)
    return blind_of(services, battle, view)


def newest_open(services: Services, voter: str) -> tuple[Battle, BattleSide] | None:
    """The newest battle of the voter's that waits for its vote, with its first side, if its copies are there. Blocking."""
    now = services.now()

    def read(db: Database) -> tuple[Battle, BattleSide | None] | None:
        battle = battles.newest_open(db, voter, now)
        return (battle, battles.side(db, battle.image_a, None)) if battle else None

    found = services.store.read(read)
    if found is None or found[1] is None or not copies.are_there(services.store.data_dir, found[0].battle_id):
        return None
    return found[0], found[1]


def blind_of(services: Services, battle: Battle, view: RunView) -> BlindBattle:
    """What may be known of the battle; `view` is the run of its first side. Blocking."""
    width, height = copies.canvas(services.store.data_dir, battle.battle_id)
    inputs = tuple(given.sha256 for given in view.inputs if given.role == "image")
    return BlindBattle(
        battle_id=battle.battle_id,
        prompt=battle.prompt,
        operation=battle.operation,
        inputs=inputs,
        width=width,
        height=height,
        source=battle.source,
        category=battle.category,
        is_free=battle.is_demo and battle.source == "new",
    )


def _sweep(services: Services, voter: str) -> None:
    """Ends the voter's battles whose time has passed and deletes everybody's old copies. Blocking."""
    now = services.clock()

    def write(db: Database) -> None:
        battles.expire(db, voter, timestamp(now))

    services.store.write(write)
    copies.sweep(services.store.data_dir, now - LIFE)


def _reasons(services: Services, views: Sequence[RunView]) -> list[str]:
    """What stands against each run of a battle that is off."""
    found = []
    for view in views:
        name = board.competitor_name(services.catalog, view.run.offer)
        if view.run.error is not None:
            found.append(f"{name}: {view.run.error.message}")
        elif not view.images:
            found.append(f"{name}: it made no image.")
        elif set(view.images[0].checks) & set(UNFIT):
            found.append(f"{name}: its image is blank or damaged.")
    return found
