"""Battles from the draw to the reveal, on a real store."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Coroutine
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest

from arena import battle, board, choosing, opening
from arena.battle import VoteRefused
from arena.board import BoardQuery
from arena.opening import BattleOff
from playground.services import Services
from tests.arena.world import Clock, add_run, picture

SECRETS = ("openai", "gpt-image", "fal/", "demo/", "SECRETMAKER", "4711", "24800", "41200", "req_1")
"""Makers, a seed, a latency, a cost, a request id: nothing of it may be seen before the vote."""


def go(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def a_pair(services: Services, prompt: str = "A lighthouse at dusk", **more: Any) -> list[str]:
    return add_run(services, "openai/gpt-image-2", prompt, **more) + add_run(
        services, "openai/gpt-image-1-mini", prompt, **more
    )


def next_of(services: Services, voter: str = "local") -> Any:
    return go(opening.next_battle(services, voter))


def vote(services: Services, battle_id: str, outcome: str = "a", voter: str = "local") -> Any:
    return go(battle.vote(services, battle_id, voter, outcome, 1234))


def test_no_byte_before_the_vote_tells_the_maker(services: Services) -> None:
    add_run(services, "openai/gpt-image-2", data=picture((96, 64), form="PNG"))
    add_run(
        services, "openai/gpt-image-1-mini", data=picture((64, 64), form="JPEG"), latency_ms=9_100, cost_microusd=11_000
    )
    blind = next_of(services)
    told = json.dumps(asdict(blind)).encode()
    files = [battle.blind_file(services, blind.battle_id, side, "local") for side in ("a", "b")]
    for data in [told, *(path.read_bytes() for path in files), *(str(path).encode() for path in files)]:
        for secret in (*SECRETS, "9100", "11000"):
            assert secret.lower().encode() not in data.lower(), secret
    first, second = (path.stat() for path in files)
    assert (first.st_size, first.st_mtime_ns, first.st_mode) == (second.st_size, second.st_mtime_ns, second.st_mode)
    assert (blind.width, blind.height) == (64, 64)


def test_a_vote_counts_reveals_and_moves_ratings(services: Services) -> None:
    a_pair(services)
    blind = next_of(services)
    result = vote(services, blind.battle_id, "a")
    assert result.counted
    assert result.reason is None
    assert {result.reveal.a.offer, result.reveal.b.offer} == {"openai/gpt-image-2", "openai/gpt-image-1-mini"}
    assert result.reveal.a.cost_microusd == 41_200
    assert result.reveal.a.latency_ms == 24_800
    assert asdict(result.change) == {"a_before": 1000, "a_after": 1002, "b_before": 1000, "b_after": 998}
    rows = {row.rated.competitor: row for row in go(board.leaderboard(services, BoardQuery())).rows}
    assert rows[result.reveal.a.offer].elo == result.change.a_after
    assert rows[result.reveal.b.offer].rated.wins == 0


def test_second_vote_other_voter_and_unknown_outcome_are_refused(services: Services) -> None:
    a_pair(services)
    blind = next_of(services)
    for outcome in ("A", "bothbad", "", "a "):
        with pytest.raises(VoteRefused) as refused:
            vote(services, blind.battle_id, outcome)
        assert refused.value.kind == "unknown_outcome"
    with pytest.raises(VoteRefused) as refused:
        vote(services, blind.battle_id, voter="somebody")
    assert refused.value.kind == "unknown_battle"
    vote(services, blind.battle_id)
    with pytest.raises(VoteRefused) as refused:
        vote(services, blind.battle_id, "b")
    assert refused.value.kind == "already_voted"
    assert go(board.leaderboard(services, BoardQuery())).votes == 1


def test_skipped_and_expired_battles_take_no_vote(services: Services, clock: Clock) -> None:
    a_pair(services)
    skipped = next_of(services)
    go(battle.skip(services, skipped.battle_id, "local"))
    with pytest.raises(VoteRefused) as refused:
        vote(services, skipped.battle_id)
    assert refused.value.kind == "skipped"
    again = next_of(services)
    assert again.battle_id != skipped.battle_id
    clock.move(opening.LIFE + timedelta(milliseconds=1))
    with pytest.raises(VoteRefused) as refused:
        vote(services, again.battle_id)
    assert refused.value.kind == "expired"
    assert battle.blind_file(services, again.battle_id, "a", "local") is None
    assert go(board.leaderboard(services, BoardQuery())).votes == 0


def test_copies_are_the_voters_alone_and_old_ones_are_swept(services: Services, clock: Clock) -> None:
    a_pair(services)
    old = next_of(services)
    path = battle.blind_file(services, old.battle_id, "b", "local")
    assert path is not None
    for battle_id, side, voter in [
        (old.battle_id, "b", "somebody"), (old.battle_id, "c", "local"), ("0" * 32, "a", "local"),
        ("../../diptych", "a", "local"), (old.battle_id.upper(), "a", "local"), ("", "a", "local"),
    ]:  # fmt: skip
        assert battle.blind_file(services, battle_id, side, voter) is None
    clock.move(opening.LIFE + timedelta(minutes=1))
    new = next_of(services)
    assert new.battle_id != old.battle_id
    assert not path.parent.exists()
    assert battle.blind_file(services, new.battle_id, "b", "local") is not None


def test_an_open_battle_is_taken_up_again(services: Services) -> None:
    a_pair(services)
    assert next_of(services) == next_of(services)


def test_pairs_share_prompt_operation_inputs_and_owner(services: Services) -> None:
    base, other = picture(), picture()
    add_run(services, "openai/gpt-image-2", "One")
    add_run(services, "openai/gpt-image-1-mini", "Another")
    add_run(services, "openai/gpt-image-1-mini", "One", owner="somebody")
    add_run(services, "openai/gpt-image-2", "Edit", inputs=[base])
    add_run(services, "openai/gpt-image-1-mini", "Edit", inputs=[other])
    add_run(services, "openai/gpt-image-1-mini", "Edit", inputs=[base, other])
    add_run(services, "openai/gpt-image-1-mini", "Edit")
    add_run(services, "demo/flat", "One")
    add_run(services, "openai/gpt-image-2", "One")
    add_run(services, "openai/gpt-image-1-mini", "One", checks=("blank",))
    add_run(services, "openai/gpt-image-1-mini", "One", state="failed")
    assert next_of(services) is None
    add_run(services, "openai/gpt-image-1-mini", "Edit", inputs=[base])
    found = next_of(services)
    assert found.operation == "edit"
    assert len(found.inputs) == 1


def test_every_pair_comes_once_then_none_is_left(services: Services) -> None:
    for offer in ("openai/gpt-image-2", "openai/gpt-image-1-mini", "openai/gpt-image-1.5"):
        add_run(services, offer, images=2)
    for _ in range(12):
        vote(services, next_of(services).battle_id, "tie")
    assert next_of(services) is None
    assert go(board.leaderboard(services, BoardQuery())).votes == 12


def test_a_pair_whose_file_is_damaged_is_passed_over(services: Services) -> None:
    add_run(services, "openai/gpt-image-2")
    add_run(services, "openai/gpt-image-1-mini")
    bad = services.store.read(lambda db: db.execute("select sha256 from images limit 1").fetchone()[0])
    services.store.blobs.find(bad).write_bytes(b"\x89PNG\r\n\x1a\n garbage")
    assert next_of(services) is None
    add_run(services, "openai/gpt-image-1.5")
    assert next_of(services) is not None


def test_two_results_can_be_sent_to_a_blind_vote(services: Services) -> None:
    one, two = a_pair(services)
    three = add_run(services, "openai/gpt-image-2")[0]
    foreign = add_run(services, "openai/gpt-image-1-mini", owner="somebody")[0]
    elsewhere = add_run(services, "openai/gpt-image-1-mini", "Another prompt")[0]
    blind = go(choosing.start_from_images(services, "local", one, two))
    assert go(opening.next_battle(services, "local")) == blind
    for image in (three, foreign, elsewhere, one, "nothing"):
        with pytest.raises(BattleOff):
            go(choosing.start_from_images(services, "local", one, image))


def test_a_second_vote_on_the_same_two_images_does_not_count_and_says_why(services: Services) -> None:
    one, two = a_pair(services)
    vote(services, next_of(services).battle_id, "a")
    before = go(board.leaderboard(services, BoardQuery()))
    again = go(choosing.start_from_images(services, "local", two, one))
    result = vote(services, again.battle_id, "a")
    assert not result.counted
    assert result.reason == battle.REPEATED
    assert (result.change.a_before, result.change.b_before) == (result.change.a_after, result.change.b_after)
    after = go(board.leaderboard(services, BoardQuery()))
    assert (after.rows, after.votes, after.left_out.votes) == (before.rows, before.votes, 1)


def test_demo_votes_are_a_board_of_their_own(services: Services) -> None:
    add_run(services, "demo/flat")
    add_run(services, "demo/sketch")
    vote(services, next_of(services).battle_id)
    shown = go(board.leaderboard(services, BoardQuery()))
    assert (shown.is_demo, shown.has_demo, shown.has_real, shown.votes) == (True, True, False, 1)
    a_pair(services)
    vote(services, next_of(services).battle_id)
    shown = go(board.leaderboard(services, BoardQuery()))
    assert (shown.is_demo, shown.votes) == (False, 1)
    assert {row.rated.competitor for row in shown.rows} == {"openai/gpt-image-2", "openai/gpt-image-1-mini"}
    assert go(board.leaderboard(services, BoardQuery(demo=True))).votes == 1
    assert go(board.leaderboard(services, BoardQuery("edit-single"))).rows == ()


def test_the_change_of_each_vote_is_the_step_of_the_board(services: Services) -> None:
    for n in range(9):
        a_pair(services, f"Prompt {n}")
    ratings: dict[str, float] = {}
    for outcome in ("a", "b", "tie", "both_bad", "a", "a", "b", "a", "tie"):
        result = vote(services, next_of(services).battle_id, outcome)
        for side, before, after in (
            (result.reveal.a, result.change.a_before, result.change.a_after),
            (result.reveal.b, result.change.b_before, result.change.b_after),
        ):
            assert ratings.get(side.offer, 1000) == before
            ratings[side.offer] = after
    shown = go(board.leaderboard(services, BoardQuery()))
    assert {row.rated.competitor: row.elo for row in shown.rows} == ratings
    assert sum(ratings.values()) == pytest.approx(2000)


def test_400_battles_have_one_vote_each_under_eight_threads(services: Services) -> None:
    a_pair(services)
    one = next_of(services)
    voters = {one.battle_id: "local"}

    def copy(db: Any, number: int) -> str:
        row = db.execute("select * from battles where battle_id = ?", [one.battle_id]).fetchone()
        new = f"{number:032x}"
        db.execute(f"insert into battles values ({', '.join('?' * len(row))})", [new, f"voter {number}", *row[2:]])
        return new

    # A voter of its own for each: a second vote on the same two images would not count.
    voters |= {services.store.write(lambda db, n=n: copy(db, n)): f"voter {n}" for n in range(1, 400)}
    taken, refused = Counter(), Counter()
    start = threading.Barrier(8)

    async def vote_on_all(outcome: str) -> None:
        for battle_id, whose in voters.items():
            try:
                await battle.vote(services, battle_id, whose, outcome)
                taken[battle_id] += 1
            except VoteRefused as error:
                refused[error.kind] += 1

    def voter(number: int) -> None:
        start.wait()
        asyncio.run(vote_on_all(("a", "b", "tie", "both_bad")[number % 4]))

    threads = [threading.Thread(target=voter, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken == Counter(dict.fromkeys(voters, 1))
    assert refused == {"already_voted": 7 * 400}
    shown = go(board.leaderboard(services, BoardQuery()))
    assert shown.votes == 400
    assert sum(row.elo for row in shown.rows) == pytest.approx(2000)
