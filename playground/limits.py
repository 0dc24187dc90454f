"""Limits on what is spent: of one run, a session, a day, a month, and of each visitor. Checked where money is reserved.

A limit comes from the environment or was set on the Costs page; both hold. What counts is settled, reserved and unknown
money together, so that a call that may have been billed is not forgotten. A run whose price nobody knows counts as nothing
until it is settled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playground.plan import Plan
from playground.refusals import PlanRefused, operators_only
from playground.run_keys import billed_here
from playground.services import Services
from playground.settings import Settings
from providers.checks import Problem
from storage import ledger
from storage import limits as stored
from storage.engine import Database
from storage.limits import Standing, StoredLimit
from storage.records import LimitAction, LimitSpan

FIELD = "limit"
"""Under which the problem is told."""
LOCAL_SPANS: tuple[LimitSpan, ...] = ("run", "session", "day", "month")
"""Those that mean something where there is one owner."""
EVERYBODYS: tuple[LimitSpan, ...] = ("day", "month")
"""Those that all owners share."""
PUBLIC_SPANS: tuple[LimitSpan, ...] = ("run", "day", "month", "visitor_day", "visitor_month")
"""Those that hold in public mode, for what the server's keys pay."""
NAMES: dict[LimitSpan, str] = {
    "run": "One run",
    "session": "This session",
    "day": "Day",
    "month": "Month",
    "visitor_day": "Your day",
    "visitor_month": "Your month",
}
OPERATORS_NAMES: dict[LimitSpan, str] = NAMES | {
    "visitor_day": "Each visitor's day",
    "visitor_month": "Each visitor's month",
}
"""As whoever runs a public server reads them."""
_NEAR = 80
"""Percent of a limit from which it is near."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit in force."""

    span: LimitSpan
    amount_microusd: int
    action: LimitAction
    is_fixed: bool
    """Set in the environment: the page can add a stricter one, not take it away."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A limit that a press would pass."""

    limit: Limit
    held_microusd: int
    asked_microusd: int

    @property
    def left_microusd(self) -> int:
        """What may still be reserved; never below 0."""
        return max(0, self.limit.amount_microusd - self.held_microusd)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What limits say of a press."""

    blocked: Passed | None = None
    """The first that stands in the way."""
    warned: tuple[Passed, ...] = ()
    words: str = ""
    """Why it is not sent, or what it passes all the same; empty when nothing is passed."""
    label: str = ""
    """The same in a few words, for the button."""


class LimitReached(PlanRefused):
    """The press would pass a limit; nothing was stored or sent."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__((Problem(FIELD, verdict.words),))
        self.verdict = verdict


def in_force(settings: Settings, set_here: Sequence[StoredLimit]) -> tuple[Limit, ...]:
    """All limits that hold, in the order in which they are told. Those of visitors hold in public mode alone."""
    spans = PUBLIC_SPANS if settings.mode == "public" else LOCAL_SPANS
    found = []
    for span in spans:
        fixed = settings.limits.get(span)
        if fixed is not None:
            found.append(Limit(span, fixed, settings.limit_action, is_fixed=True))
        found += [Limit(span, row.amount_microusd, row.action, is_fixed=False) for row in set_here if row.span == span]
    return tuple(found)


def passed(limits: Sequence[Limit], standing: Standing, amounts: Sequence[int | None]) -> tuple[Passed, ...]:
    """Which limits a press of these amounts (micro-dollars for each run) would pass. One that costs nothing passes none."""
    return tuple(_passed(limits, standing, [amount for amount in amounts if amount]))


def _passed(limits: Sequence[Limit], standing: Standing, amounts: Sequence[int]) -> Iterator[Passed]:
    if not amounts:
        return
    for limit in limits:
        asked = max(amounts) if limit.span == "run" else sum(amounts)
        held = standing.of(limit.span)
        if held + asked > limit.amount_microusd:
            yield Passed(limit, held, asked)


def verdict_of(found: Sequence[Passed], standing: Standing, *, is_local: bool, hides: bool = False) -> Verdict:
    """What they come to, in words. `hides`: a blind battle waits, so that no exact sum may be told."""
    blocked = next((each for each in found if each.limit.action == "block"), None)
    warned = tuple(each for each in found if each.limit.action == "warn")
    if blocked:
        would = _would(blocked, hides=hides, is_local=is_local)
        words = f"{would} Nothing was sent. {_next(blocked, standing, is_local=is_local)}"
        return Verdict(blocked, warned, words, _LABELS[blocked.limit.span])
    told = [_would(each, hides=hides, is_local=is_local) for each in warned]
    words = " ".join(f"{each} It only warns." for each in told)
    return Verdict(None, warned, words, _LABELS[warned[0].limit.span] if warned else "")


_WHAT: dict[LimitSpan, str] = {
    "run": "The limit of {limit} for one run",
    "session": "This session's limit of {limit}",
    "day": "Today's limit of {limit}",
    "month": "This month's limit of {limit}",
    "visitor_day": "Your limit of {limit} for today",
    "visitor_month": "Your limit of {limit} for this month",
}


def _would(found: Passed, *, hides: bool, is_local: bool) -> str:
    what = _WHAT[found.limit.span].format(limit=money(found.limit.amount_microusd))
    if found.limit.span == "run":
        return f"{what} would be passed: the dearest run of this press costs about {money(found.asked_microusd)}."
    costs = f"and this press costs about {money(found.asked_microusd)}"
    if not is_local and found.limit.span in EVERYBODYS:
        # What others spent is theirs.
        return f"{what} would be passed, which all visitors share, {costs}."
    if hides:
        # A sum beside a battle would tell its makers.
        return f"{what} would be passed, {costs}. What a waiting battle cost counts too, and shows after your vote."
    return (
        f"{what} would be passed: {money(found.held_microusd)} is spent or held, {money(found.left_microusd)} is left, "
        f"{costs}."
    )


def _next(found: Passed, standing: Standing, *, is_local: bool) -> str:
    resets = {
        "session": "It begins anew when the app is started again.",
        "day": f"It begins anew at midnight ({zone_name(standing.zone)}).",
        "visitor_day": f"It begins anew at midnight ({zone_name(standing.zone)}).",
        "month": f"It begins anew on the 1st ({zone_name(standing.zone)}).",
        "visitor_month": f"It begins anew on the 1st ({zone_name(standing.zone)}).",
    }.get(found.limit.span, "")
    if not is_local:
        return f"{resets} Choose a lower quality or fewer images. Whoever runs this server sets this limit.".strip()
    if found.limit.is_fixed:
        change = f"change {variable(found.limit.span)} where the app starts"
    else:
        change = "change the limit on the Costs page"
    return f"{resets} Choose a lower quality or fewer images, or {change}.".strip()


def zone_name(zone: str) -> str:
    """An IANA name as people say it: `Etc/UTC` is UTC."""
    return zone.removeprefix("Etc/").replace("_", " ")


_LABELS: dict[LimitSpan, str] = {
    "run": "Over the run limit",
    "session": "Over the session limit",
    "day": "Over the day limit",
    "month": "Over the month limit",
    "visitor_day": "Over your day limit",
    "visitor_month": "Over your month limit",
}


def variable(span: LimitSpan) -> str:
    """The environment variable of a limit."""
    return f"DIPTYCH_LIMIT_{span.upper()}"


def state_of(limit: Limit, held_microusd: int) -> str:
    """`reached`, `near` or `well`, for a bar."""
    if held_microusd >= limit.amount_microusd:
        return "reached"
    return "near" if held_microusd * 100 >= limit.amount_microusd * _NEAR else "well"


def money(microusd: int) -> str:
    """Whole cents as `$5.00`, smaller amounts with as many places as they need, at most four, rounded up."""
    if microusd % 10_000 == 0:
        return f"${microusd // 1_000_000:,}.{microusd % 1_000_000 // 10_000:02d}"
    places = -(-microusd // 100)
    return f"${places // 10_000:,}.{places % 10_000:04d}".rstrip("0")


def hold(
    db: Database,
    settings: Settings,
    owner: str,
    session: str,
    at: str,
    amounts: Sequence[int | None],
    beside: Standing | None = None,
) -> Verdict:
    """What limits say of a reservation that is about to be written in this transaction. `beside`: what `kept_standing` gave.

    Raises:
        LimitReached: one that blocks would be passed.
    """
    verdict = look(db, settings, owner, session, at, amounts, beside)
    if verdict.blocked:
        raise LimitReached(verdict)
    return verdict


def look(
    db: Database,
    settings: Settings,
    owner: str,
    session: str,
    at: str,
    amounts: Sequence[int | None],
    beside: Standing | None = None,
) -> Verdict:
    """The same without refusing, for what is shown before the press."""
    limits = in_force(settings, stored.all_set(db))
    if not limits or not any(amounts):
        return Verdict()
    standing = stored.standing(db, owner, session, at, only_server=settings.mode == "public")
    if beside is not None:
        standing = stored.together(standing, beside)
    found = passed(limits, standing, amounts)
    hides = bool(found) and bool(ledger.hidden_lines(db, owner, at))
    return verdict_of(found, standing, is_local=settings.mode == "local", hides=hides)


def tightest(settings: Settings, set_here: Sequence[StoredLimit], spans: Sequence[LimitSpan]) -> Limit | None:
    """The lowest limit of one of these spans; `None` where there is none."""
    found = [limit for limit in in_force(settings, set_here) if limit.span in spans]
    return min(found, key=lambda limit: limit.amount_microusd, default=None)


def verdict(services: Services, plan: Plan, owner: str, session: str) -> Verdict:
    """What limits say of a press now. Blocking, and quick: a handful of look-ups."""
    amounts = billed_here(services, plan, owner)
    if not any(amounts):
        return Verdict()
    at = services.now()
    beside = kept_standing(services, owner, at)

    def read(db: Database) -> Verdict:
        return look(db, services.settings, owner, session, at, amounts, beside)

    return services.store.read(read)


def kept_standing(services: Services, owner: str, at: str) -> Standing | None:
    """What counts besides the store itself: in a private session, what is spent where things are kept. Blocking."""
    if services.kept is None:
        return None
    store, session = services.kept
    is_public = services.settings.mode == "public"
    return store.read(lambda db: stored.standing(db, owner, session, at, only_server=is_public))


async def set_limit(
    services: Services,
    owner: str,
    span: LimitSpan,
    amount_microusd: int,
    action: LimitAction,
    *,
    is_operator: bool = False,
) -> None:
    """Sets a limit from now on. Raises: NotYours unless `owner` is the operator."""
    operators_only(owner, is_operator=is_operator)
    row = StoredLimit(span, amount_microusd, action, owner, services.now())

    def write(db: Database) -> None:
        stored.put(db, row)

    await asyncio.to_thread(services.store.write, write)


async def remove_limit(services: Services, owner: str, span: LimitSpan, *, is_operator: bool = False) -> None:
    """Takes away what was set here; one of the environment stays. Raises: NotYours unless `owner` is the operator."""
    operators_only(owner, is_operator=is_operator)

    def write(db: Database) -> None:
        stored.remove(db, span)

    await asyncio.to_thread(services.store.write, write)
