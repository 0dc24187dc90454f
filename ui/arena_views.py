"""What the Arena shows, as plain JSON. Pure: battles in, words and figures out.

What `battle_view` returns is all that a browser learns before the vote.
"""

from __future__ import annotations

from collections.abc import Sequence

from arena.battle import RevealedSide, VoteResult
from arena.opening import BlindBattle
from providers.catalog import Catalog, UnknownOffer
from ui import views

View = dict[str, object]

SOURCES = {"history": "Pair already made · free", "new": "Made for this battle"}
OUTCOME_WORDS = {"a": "A better", "b": "B better", "tie": "a tie", "both_bad": "both bad"}
UNKNOWN = "unknown"


def maker(catalog: Catalog, offer_id: str) -> tuple[str, str]:
    """Name of the model and of its provider; the provider is empty where the model's name says it already."""
    try:
        offer = catalog.offer(offer_id)
    except UnknownOffer:
        provider, _, model = offer_id.partition("/")
        return model or offer_id, provider
    name, provider = catalog.spec(offer).name, catalog.provider(offer.provider_id).name
    return name, "" if name.startswith(provider) else provider


def battle_view(battle: BlindBattle) -> View:
    """A battle before its vote."""
    return {
        "state": "battle",
        "battle_id": battle.battle_id,
        "prompt": battle.prompt,
        "inputs": [views.thumb_url(sha256) for sha256 in battle.inputs],
        "width": battle.width,
        "height": battle.height,
        "a": f"blind/{battle.battle_id}/a.webp",
        "b": f"blind/{battle.battle_id}/b.webp",
        "source": SOURCES[battle.source],
    }


def revealed_view(shown: View, outcome: str, result: VoteResult, catalog: Catalog) -> View:
    """The battle that is shown, with its makers and what became of the vote."""
    change = result.change
    counted = "Your vote counted." if result.counted else f"Your vote did not count. {result.reason or ''}".strip()
    return shown | {
        "state": "revealed",
        "outcome": outcome,
        "said": counted,
        "reveal": {
            "a": _side(result.reveal.a, change.a_before, change.a_after, catalog),
            "b": _side(result.reveal.b, change.b_before, change.b_after, catalog),
        },
        "open_run": (result.reveal.b if outcome == "b" else result.reveal.a).run_id,
    }


def _side(side: RevealedSide, before: float, after: float, catalog: Catalog) -> View:
    model, provider = maker(catalog, side.offer)
    return {
        "model": model,
        "provider": provider,
        "facts": views.sentence(
            [
                "cost unknown" if side.cost_microusd is None else views.money(side.cost_microusd),
                views.seconds(side.latency_ms),
                f"rating {rating(before)} to {rating(after)} ({signed(after - before)})",
            ]
        ),
    }


def rating(points: float) -> str:
    """`1,043.2`: with one digit, because a vote moves a rating by 4 points at most."""
    return f"{points:,.1f}"


def signed(points: float) -> str:
    """`+2.0`, `−1.9`, `0`; the minus is a real one."""
    if abs(points) < 0.05:
        return "0"
    return f"{'+' if points > 0 else '−'}{abs(points):.1f}"


def refused_view(shown: View, message: str) -> View:
    """The battle that is shown, whose vote could not be taken."""
    return shown | {"state": "refused", "said": message}


def empty_view(*, has_voted: bool, has_demo: bool, has_models: bool) -> View:
    """Nothing to vote on: the first time, or because every pair has its vote."""
    text = (
        "Every pair you have made has its vote. New images of one prompt make new pairs."
        if has_voted
        else "Two images of the same prompt make a pair. Run a prompt on two models, or start a battle here."
    )
    return {
        "state": "empty",
        "title": "No pairs left to vote on" if has_voted else "No pairs to vote on yet",
        "text": text,
        "has_demo": has_demo,
        "has_models": has_models,
    }


def working_view(prompt: str) -> View:
    """Both models are asked; the boxes stand already."""
    return {"state": "working", "prompt": prompt, "width": 1024, "height": 1024, "inputs": []}


def off_view(message: str, reasons: Sequence[str] = ()) -> View:
    """A battle that did not take place."""
    return {"state": "off", "title": "The battle is off", "text": message, "reasons": list(reasons)}


NOTHING: View = {"state": "none"}
"""The board makes room for the form of a new battle."""


def start_label(low_microusd: int | None, high_microusd: int | None) -> str:
    """The words on the button that starts a battle, with its price."""
    return f"Start battle · {views.about(low_microusd, high_microusd)}"
