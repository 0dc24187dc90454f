"""With which chance a pair was drawn, as it is stored, and whose failures keep an offer out of draws."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest
from sqlite_utils import Database

from arena import battle, choosing, drawing
from arena.opening import BattleOff
from playground.services import LOCAL_OWNER, Services
from storage import battles
from storage.outages import FAILURES, KEY_KINDS, OUTAGE_KINDS, failing_offers
from storage.records import Battle
from tests.arena.world import add_run

STRANGER = "somebody"
OFFER = "openai/gpt-image-2"
LONG_AGO = "2000-01-01T00:00:00.000Z"


def go(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


# Groups


def a_group(services: Services, *offers: str, prompts: tuple[str, ...] = ("A fox",)) -> str:
    """One press of Run on these offers; with several prompts, as a table of variables makes them."""
    images = [add_run(services, offer, prompt)[0] for prompt in prompts for offer in offers]

    def join(db: Database) -> str:
        rows = [db.execute("select run_id from images where image_id = ?", [one]).fetchone()[0] for one in images]
        group = db.execute("select group_id from runs where run_id = ?", [rows[0]]).fetchone()[0]
        for run_id in rows:
            db.execute("update runs set group_id = ? where run_id = ?", [group, run_id])
        return str(group)

    return services.store.write(join)


def stored(services: Services, battle_id: str) -> Battle:
    found = services.store.read(lambda db: battles.get(db, battle_id, LOCAL_OWNER))
    assert found is not None
    return found


def test_a_pair_of_a_group_is_stored_with_the_chance_it_was_drawn_with(services: Services) -> None:
    group = a_group(services, "openai/x", "openai/y", "fal/x", "fal/y")
    seen: Counter[frozenset[str]] = Counter()
    for left in range(6, 0, -1):
        found = stored(services, go(choosing.start_from_group(services, LOCAL_OWNER, group)).battle_id)
        assert (found.probability, found.source) == (pytest.approx(1 / left), "history")
        seen[frozenset((found.offer_a, found.offer_b))] += 1
        go(battle.vote(services, found.battle_id, LOCAL_OWNER, "tie"))
    assert set(seen.values()) == {1}
    again = stored(services, go(choosing.start_from_group(services, LOCAL_OWNER, group)).battle_id)
    assert again.probability == pytest.approx(1 / 6), "all have their vote, and are drawn again"


def test_a_reported_pair_of_a_group_is_not_drawn_again(services: Services) -> None:
    group = a_group(services, "openai/x", "fal/x")
    found = go(choosing.start_from_group(services, LOCAL_OWNER, group))
    go(battle.report(services, found.battle_id, LOCAL_OWNER, "broken"))
    with pytest.raises(BattleOff, match="reported"):
        go(choosing.start_from_group(services, LOCAL_OWNER, group))


def test_pairs_of_a_group_are_of_one_prompt(services: Services) -> None:
    group = a_group(services, "openai/x", "fal/x", prompts=("A fox", "A cat"))
    chances = set()
    for _ in range(2):
        found = stored(services, go(choosing.start_from_group(services, LOCAL_OWNER, group)).battle_id)
        chances.add(found.probability)
        go(battle.vote(services, found.battle_id, LOCAL_OWNER, "a"))
    assert chances == {0.5, 1.0}


# Failing offers


def fail(services: Services, owner: str, kind: str, times: int = FAILURES, offer: str = OFFER) -> None:
    for _ in range(times):
        add_run(services, offer, owner=owner, state="failed")

    def say(db: Database) -> None:
        db.execute("update runs set error = json_object('kind', ?) where state = 'failed' and error is null", [kind])

    services.store.write(say)


def failing(services: Services, owner: str = LOCAL_OWNER) -> set[str]:
    return services.store.read(lambda db: failing_offers(db, owner, since=LONG_AGO))


@pytest.mark.parametrize("kind", OUTAGE_KINDS)
def test_a_strangers_key_and_quota_say_nothing_of_an_offer_its_outages_do(services: Services, kind: str) -> None:
    fail(services, STRANGER, kind)
    assert (OFFER in failing(services)) == (kind not in KEY_KINDS)
    assert failing(services, STRANGER) == {OFFER}


def test_a_strangers_bad_key_hides_no_outage_and_ones_own_is_not_hidden(services: Services) -> None:
    fail(services, LOCAL_OWNER, "server", 2)
    fail(services, STRANGER, "auth")
    assert failing(services) == set()
    fail(services, LOCAL_OWNER, "timeout", 1)
    assert failing(services) == {OFFER}
    add_run(services, OFFER, owner=STRANGER)
    fail(services, LOCAL_OWNER, "auth", 2)
    add_run(services, OFFER, owner=STRANGER)
    assert failing(services) == {OFFER}, "one's own newest three all failed"
    assert failing(services, STRANGER) == set()
    add_run(services, OFFER)
    assert failing(services) == set()


def test_a_refused_prompt_is_no_failure_of_the_offer(services: Services) -> None:
    fail(services, LOCAL_OWNER, "refused")
    assert failing(services) == set()


def test_one_visitors_bad_key_takes_an_offer_out_of_their_own_draws_only(services: Services) -> None:
    ready = [OFFER, "openai/gpt-image-1-mini", "openai/gpt-image-1.5"]
    fail(services, STRANGER, "auth")

    def drawn(voter: str) -> set[str]:
        found = [go(drawing.draw_offers(services, voter, ready, None, None)) for _ in range(30)]
        return {offer for one in found for offer in one.offers}

    assert drawn(LOCAL_OWNER) == set(ready)
    assert drawn(STRANGER) == set(ready) - {OFFER}
