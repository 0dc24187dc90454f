"""What the Arena shows, as plain JSON. Pure: battles in, words and figures out.

What `battle_view` returns is all that a browser learns before the vote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from arena import bank
from arena.battle import UNDO, Reported, RevealedSide, VoteResult
from arena.elo_days import RatingChange
from arena.opening import BlindBattle
from providers.catalog import Catalog, UnknownOffer
from storage.performance import OfferTimes
from ui import views

View = dict[str, object]

SOURCES = {
    "history": "pair already made, free",
    "new": "made for this battle",
    "chosen": "picked by you, counts for your own board only",
}
UNKNOWN = "unknown"
FREE = "free"
"""Where a battle of drawn models came from: one press makes the next."""
TAKEN_BACK = "Your vote was taken back. It stays in the record and counts no more."
REPORTS = {
    "broken": "Image is broken",
    "offensive": "Offensive",
    "maker_shown": "Shows its maker",
    "other": "Something else",
}


def maker(catalog: Catalog, offer_id: str) -> tuple[str, str]:
    """Name of the model and of its provider; the provider is empty where the model's name says it already."""
    try:
        offer = catalog.offer(offer_id)
    except UnknownOffer:
        provider, _, model = offer_id.partition("/")
        return model or offer_id, provider
    name, provider = catalog.spec(offer).name, catalog.provider(offer.provider_id).name
    return name, "" if name.startswith(provider) else provider


def offer_words(catalog: Catalog, offer_id: str) -> str:
    """Model and provider on one line, as in a list of choices."""
    return views.sentence(maker(catalog, offer_id))


def category_name(slug: str) -> str:
    """A category of the bank in words; empty for a prompt of one's own."""
    return next((one.name for one in bank.categories() if one.slug == slug), "")


def battle_view(battle: BlindBattle, origin: str | None = None) -> View:
    """A battle before its vote. `origin`: what the next one comes from, where that does not follow from this one."""
    return {
        "state": "battle",
        "origin": origin or (FREE if battle.is_free else battle.source),
        "battle_id": battle.battle_id,
        "prompt": battle.prompt,
        "inputs": [views.thumb_url(sha256) for sha256 in battle.inputs],
        "width": battle.width,
        "height": battle.height,
        "a": f"blind/{battle.battle_id}/a.webp",
        "b": f"blind/{battle.battle_id}/b.webp",
        "source": views.sentence([SOURCES[battle.source], category_name(battle.category)]),
    }


def revealed_view(shown: View, outcome: str, result: VoteResult, catalog: Catalog) -> View:
    """The battle that is shown, with its makers and what became of the vote."""
    steps = _steps(result.change if result.counted else None)
    return shown | {
        "state": "revealed",
        "outcome": outcome,
        "said": counted_words(result),
        # The page counts down from when it hears of it; the server's clock decides.
        "undo_s": UNDO.total_seconds() if result.counted or result.is_own else 0,
        "reveal": {
            "a": _side(result.reveal.a, catalog) | {"rating": steps[0]},
            "b": _side(result.reveal.b, catalog) | {"rating": steps[1]},
        },
        "open_run": (result.reveal.b if outcome == "b" else result.reveal.a).run_id,
    }


def counted_words(result: VoteResult) -> str:
    """Whether the vote counted, and why not."""
    if result.counted:
        return "Your vote counted."
    return result.reason or "" if result.is_own else f"Your vote did not count. {result.reason or ''}".strip()


def _steps(change: RatingChange | None) -> tuple[str, str]:
    """What a vote changed of the ratings on both sides; empty where it changed none, or nobody knows."""
    if change is None:
        return "", ""
    return _step(change.a_before, change.a_after), _step(change.b_before, change.b_after)


def _step(before: float, after: float) -> str:
    return f"rating {rating(before)} to {rating(after)} ({signed(after - before)})"


def _side(side: RevealedSide, catalog: Catalog) -> View:
    model, provider = maker(catalog, side.offer)
    cost = "cost unknown" if side.cost_microusd is None else views.money(side.cost_microusd)
    return {
        "model": model,
        "provider": provider,
        "facts": views.sentence([cost, views.seconds(side.latency_ms)]),
    }


def taken_back_view(shown: View) -> View:
    """The battle whose vote was taken back: its makers stay in sight, its ratings are as they were."""
    reveal = shown.get("reveal")
    sides = {side: told | {"rating": ""} for side, told in reveal.items()} if isinstance(reveal, dict) else {}
    return shown | {"reveal": sides, "outcome": "", "said": TAKEN_BACK, "undo_s": 0}


def reported_view(shown: View, reason: str, was: Reported) -> View:
    """A battle that was reported: before the vote it has ended, after it the vote stays. `was`: the battle before."""
    if shown.get("state") == "revealed":
        return shown | {
            "said": f"{shown.get('said', '')} Reported: {REPORTS[reason].lower()}.".strip(),
            "reported": True,
        }
    is_voted = was.state == "voted"
    return {
        "state": "reported",
        "prompt": shown.get("prompt", ""),
        "inputs": [],
        "origin": shown.get("origin", "history"),
        "battle_id": shown.get("battle_id"),
        "title": "Reported; its vote stays" if is_voted else "Reported, and ended without a vote",
        "text": f"{REPORTS[reason]}. The report is kept with the battle. {_after_report(was)}",
        "said": "",
    }


def _after_report(was: Reported) -> str:
    """What becomes of the two images."""
    if was.state == "voted":
        return "This pair does not come again."
    if was.source == "new":
        return "Both images are in History now, with their makers, and do not come again as a pair."
    return "This pair does not come again, and its makers are not named here."


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


def empty_view(*, has_voted: bool, has_demo: bool, has_models: bool, is_filtered: bool = False) -> View:
    """Nothing to vote on: the first time, because every pair has its vote, or because no pair is of the kind asked for."""
    title = "No pairs left to vote on" if has_voted else "No pairs to vote on yet"
    text = "Two images of the same prompt make a pair. Run a prompt on two models, or start a battle here."
    if is_filtered:
        title, text = "No pairs of this kind", "No pair that waits for your vote is of this task and category."
    elif has_voted:
        text = "No other pair of yours waits for a vote. New images of one prompt make new pairs."
    elif not has_models:
        text = "Two images of the same prompt make a pair, and no two models are ready. Add a key to make some."
    return {
        "state": "empty",
        "title": title,
        "text": text,
        "has_demo": has_demo,
        "has_models": has_models,
        "is_filtered": is_filtered,
    }


def working_view(
    prompt: str, *, size: str = "1024x1024", inputs: Sequence[str] = (), origin: str = "new", began_s: int = 0
) -> View:
    """Both models are asked; the boxes stand already. `began_s`: so many seconds ago."""
    width, height = map(int, size.split("x"))
    return {
        "state": "working",
        "origin": origin,
        "prompt": prompt,
        "width": width,
        "height": height,
        "inputs": list(inputs),
        "began_s": began_s,
    }


def off_view(message: str, reasons: Sequence[str] = ()) -> View:
    """A battle that did not take place."""
    return {"state": "off", "title": "The battle is off", "text": message, "reasons": list(reasons)}


def start_label(low_microusd: int | None, high_microusd: int | None) -> str:
    """The words on the button that starts a battle, with its price."""
    return f"Start battle · {views.about(low_microusd, high_microusd)}"


def filters() -> list[list[str]]:
    """Slug, name and operation of each category of the bank; prompts of one's own come last."""
    operations = {one.category: one.operation for one in bank.prompts()}
    listed = [[one.slug, one.name, operations[one.slug]] for one in bank.categories()]
    return [*listed, [bank.OWN, "Own prompts", "any"]]


def time_words(offers: Sequence[str], first: str | None, second: str | None, known: Mapping[str, OfferTimes]) -> str:
    """How long a battle between these is likely to take, by own runs: the slower of the two decides. Empty without any."""
    asked = [first, second] if first and second else [*filter(None, (first, second)), *offers]
    times = {name: known[name] for name in asked if name in known}
    medians = sorted(one.p50_ms for one in times.values() if one.p50_ms is not None)
    if not medians:
        return ""
    runs = views.counted(sum(one.succeeded for one in times.values()), "own run")
    if first and second:
        return f"Takes about {views.seconds(medians[-1])}, by {runs} of the last 30 days." if len(times) > 1 else ""
    low, high = views.seconds(medians[0]), views.seconds(medians[-1])
    span = f"about {high}" if low == high else f"{low} to {high}"
    return f"Takes {span}, by {runs} of the last 30 days."
