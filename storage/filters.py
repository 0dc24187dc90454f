"""The filters of the search box: `name:value` as a condition on `run_facts as f`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal


class Misread(ValueError):
    """A value that a filter cannot take; the message says what it takes."""


@dataclass(frozen=True, slots=True)
class Part:
    """A condition and its parameters, in the order of their question marks."""

    sql: str
    values: tuple[object, ...] = ()

    def negated(self) -> Part:
        """What this one does not match; what is unknown counts as not matched."""
        return Part(" ".join(["not coalesce((", self.sql, "), false)"]), self.values)


_STATES: Mapping[str, Part] = {
    "fav": Part("f.favourite = 1"),
    "favourite": Part("f.favourite = 1"),
    "favorite": Part("f.favourite = 1"),
    "failed": Part("f.state in ('failed', 'unknown')"),
    "unknown": Part("f.state = 'unknown'"),
    "stopped": Part("f.state = 'cancelled'"),
    "done": Part("f.state = 'succeeded'"),
    "running": Part("f.state in ('queued', 'sending', 'waiting', 'downloading')"),
    "edit": Part("f.operation = 'edit'"),
    "generate": Part("f.operation = 'generate'"),
    "unrated": Part("f.stars = 0 and f.images > 0"),
    "starred": Part("f.stars > 0"),
    "free": Part("f.cost_microusd = 0"),
    "demo": Part("f.offer like 'demo/%'"),
    "trashed": Part("f.has_trash = 1"),
}
_HAVING: Mapping[str, Part] = {
    "mask": Part("f.has_mask = 1"),
    "references": Part("f.sources > 0"),
    "image": Part("f.images > 0"),
    "images": Part("f.images > 0"),
    "note": Part("f.seq in (select seq from runs where note != '')"),
    "tag": Part("f.seq in (select r.seq from tags as t join runs as r on r.run_id = t.run_id)"),
    "cost": Part("f.cost_microusd is not null"),
}
_NUMBER = re.compile(
    r"(?P<sign>>=|<=|>|<|=|)\$?(?P<from>\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(?:\.\.\$?(?P<to>\d{1,9}(?:\.\d{1,9})?))?"
)
_DAY = re.compile(r"(?P<sign>>=|<=|>|<|=|)(?P<from>[\d-]{4,10}|today|yesterday)(?:\.\.(?P<to>[\d-]{4,10}|today))?")
_SIZE = re.compile(r"(\d{1,5})[x×](\d{1,5})")
_MICRO = Decimal(1_000_000)
_MILLI = Decimal(1000)


def _provider(value: str) -> Part:
    return Part("substr(f.offer, 1, instr(f.offer, '/') - 1) = ?", (value.lower(),))


def _model(value: str) -> Part:
    return Part("instr(substr(f.offer, instr(f.offer, '/') + 1), ?) > 0", (value.lower(),))


def _offer(value: str) -> Part:
    return Part("instr(f.offer, ?) > 0", (value.lower(),))


def _quality(value: str) -> Part:
    return Part("f.quality = ?", (value.lower(),))


def _size(value: str) -> Part:
    found = _SIZE.fullmatch(value.lower())
    if found:
        return Part("f.size = ?", (f"{found[1]}x{found[2]}",))
    if value.lower() == "auto":
        return Part("f.size = 'auto'")
    raise Misread("a size is written as 1024x1536.")


def _tag(value: str) -> Part:
    of_tag = "f.seq in (select r.seq from tags as t join runs as r on r.run_id = t.run_id where t.tag = ?)"
    return Part(of_tag, (" ".join(value.split()).casefold(),))


def _note(value: str) -> Part:
    words = '"' + value.replace('"', '""') + '"'
    if not any(letter.isalnum() for letter in value):
        raise Misread("a note is searched for by words.")
    return Part("f.seq in (select rowid from runs_fts where runs_fts match ?)", (f"note : {words}*",))


def _run(value: str) -> Part:
    return Part("f.seq in (select seq from runs where run_id = ?)", (value.lower(),))


def _is(value: str) -> Part:
    if value.lower() in _STATES:
        return _STATES[value.lower()]
    raise Misread(
        "it takes fav, failed, edit, generate, done, running, stopped, unknown, unrated, starred, free, demo or trashed."
    )


def _has(value: str) -> Part:
    if value.lower() in _HAVING:
        return _HAVING[value.lower()]
    raise Misread("it takes mask, references, image, note, tag or cost.")


def _cost(value: str) -> Part:
    if value.lower() == "unknown":
        return Part("f.cost_microusd is null")
    return _number(value, "f.cost_microusd", _MICRO, "a cost is written as 0.02, >0.02, 0.02..0.05 or unknown.")


def _seconds(value: str) -> Part:
    return _number(value, "f.latency_ms", _MILLI, "seconds are written as 20, >20 or 10..20.")


def _stars(value: str) -> Part:
    return _number(value, "f.stars", Decimal(1), "stars are written as 4, >3 or 2..4.")


def _images(value: str) -> Part:
    return _number(value, "f.images", Decimal(1), "a number of images is written as 2 or >1.")


def _number(value: str, column: str, units: Decimal, words: str) -> Part:
    found = _NUMBER.fullmatch(value)
    if not found or (found["to"] and found["sign"]):
        raise Misread(words)
    low = int(Decimal(found["from"]) * units)
    if found["to"]:
        return Part(f"{column} between ? and ?", (low, int(Decimal(found["to"]) * units)))
    if found["sign"] in (">", ">=", "<", "<="):
        return Part(f"{column} {found['sign']} ?", (low,))
    # As it is shown: 0.04 is also what rounds to it.
    decimals = len(found["from"].partition(".")[2])
    half = int(units / (Decimal(10) ** decimals) / 2) if decimals else 0
    return Part(f"{column} between ? and ?", (low - half, low + max(half - 1, 0)))


def _date(value: str) -> Part:
    found = _DAY.fullmatch(value.lower())
    if not found or (found["to"] and found["sign"]):
        raise Misread("a date is written as 2026, 2026-11, 2026-11-21, >2026-11-01 or 2026-10..2026-11, in UTC.")
    start, after = _span(found["from"])
    sign = found["sign"]
    if found["to"]:
        return Part("f.queued_at >= ? and f.queued_at < ?", (start, _span(found["to"])[1]))
    if sign in (">", ">="):
        return Part("f.queued_at >= ?", (after if sign == ">" else start,))
    if sign in ("<", "<="):
        return Part("f.queued_at < ?", (start if sign == "<" else after,))
    return Part("f.queued_at >= ? and f.queued_at < ?", (start, after))


def _span(text: str) -> tuple[str, str]:
    """First day of a year, month or day, and the first day after it."""
    if text in ("today", "yesterday"):
        day = datetime.now(UTC).date() - timedelta(days=text == "yesterday")
        return day.isoformat(), (day + timedelta(days=1)).isoformat()
    pieces = text.split("-")
    try:
        year, month, day_of = (int(each) for each in [*pieces, "1", "1"][:3])
        start = date(year, month, day_of)
        if len(pieces) == 1:
            return start.isoformat(), date(year + 1, 1, 1).isoformat()
        if len(pieces) == 2:
            return start.isoformat(), (start.replace(day=28) + timedelta(days=4)).replace(day=1).isoformat()
        if len(pieces) > 3:
            raise Misread(f"{text} is no day.")
        return start.isoformat(), (start + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        raise Misread(f"there is no day {text}; a date is written as 2026-11-21, in UTC.") from None


FILTERS: Mapping[str, Callable[[str], Part]] = {
    "provider": _provider,
    "model": _model,
    "offer": _offer,
    "cost": _cost,
    "tag": _tag,
    "size": _size,
    "quality": _quality,
    "is": _is,
    "has": _has,
    "stars": _stars,
    "images": _images,
    "date": _date,
    "seconds": _seconds,
    "note": _note,
    "run": _run,
}
"""By name."""
