"""Money, time and states as words, for every page. Pure: records in, texts and plain JSON out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from storage.blobs import EXTENSIONS
from storage.ledger import LedgerTotals
from storage.records import RunView

_LOW = 10_000
_DOLLAR = 1_000_000


def money(microusd: int | None) -> str:
    """`$0.0059`, `$0.041`, `$1.24`; `free` for 0 and `unknown` for `None`."""
    if microusd is None:
        return "unknown"
    return "free" if microusd == 0 else dollars(microusd)


def dollars(microusd: int) -> str:
    """The amount with as many digits as matter, 0 as `$0`."""
    if microusd == 0:
        return "$0"
    if abs(microusd) < 50:
        return "under $0.0001"
    places = 4 if abs(microusd) < _LOW else 3 if abs(microusd) < _DOLLAR else 2
    return _dollars(microusd, places)


def cost(microusd: int) -> str:
    """An amount that was paid: four digits below a dollar, so that it can be held against a bill."""
    if microusd == 0 or abs(microusd) < 50:
        return dollars(microusd)
    return _dollars(microusd, 4 if abs(microusd) < _DOLLAR else 2)


def _dollars(microusd: int, places: int) -> str:
    amount = (Decimal(microusd) / _DOLLAR).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    text = f"{abs(amount):,}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(2, "0") if fraction else ""
    return f"{'−' if amount < 0 else ''}${whole}.{fraction}"


def price(low_microusd: int | None, high_microusd: int | None) -> str:
    """An expected amount: `free`, `$0.041`, `$0.006 to $0.21`, `price unknown`."""
    if low_microusd is None or high_microusd is None:
        return "price unknown"
    low, high = money(low_microusd), money(high_microusd)
    if low == high:
        return high
    return f"{'$0' if low_microusd == 0 else low} to {high}"


def at_most(low_microusd: int | None, high_microusd: int | None) -> str:
    """The same where there is little room: `$0.041`, `up to $0.21`."""
    text = price(low_microusd, high_microusd)
    return f"up to {text.partition(' to ')[2]}" if " to " in text else text


def about(low_microusd: int | None, high_microusd: int | None) -> str:
    """The same, said as an estimate where it is one figure: `about $0.126`."""
    text = price(low_microusd, high_microusd)
    return f"about {text}" if text.startswith("$") and " to " not in text else text


@dataclass(frozen=True, slots=True)
class Total:
    """What several runs are expected to cost: the sum of the known prices, and how many are not known."""

    low_microusd: int
    high_microusd: int
    unknown: int = 0
    runs: int = 1

    @property
    def is_known(self) -> bool:
        """Whether there is any price to say."""
        return self.unknown < self.runs

    def about(self) -> str:
        """`about $0.126`, `free`, `price unknown`, `$0.126 and 1 unknown`."""
        if not self.is_known:
            return price(None, None)
        known = about(self.low_microusd, self.high_microusd)
        return f"{known.removeprefix('about ')} and {self.unknown} unknown" if self.unknown else known

    def at_most(self) -> str:
        """The same where there is little room: `$0.126`, `up to $0.21`, `over $0.126`."""
        if not self.is_known or not self.unknown:
            return at_most(self.low_microusd, self.high_microusd) if self.is_known else price(None, None)
        return f"over {money(self.low_microusd)}" if self.low_microusd else "not all known"


def total(amounts: Sequence[tuple[int | None, int | None]]) -> Total:
    """The sum of the least and the most of each run; `None` where a price is not known."""
    known = [(low, high) for low, high in amounts if low is not None and high is not None]
    return Total(sum(low for low, _ in known), sum(high for _, high in known), len(amounts) - len(known), len(amounts))


def estimated(runs: Sequence[RunView]) -> str:
    """What the runs were estimated at together, as `about $0.13`."""
    return total([(run.run.estimate_microusd, run.run.estimate_microusd) for run in runs]).about()


def run_label(cost: Total) -> str:
    """The words on the Run button: `Run 4 · about $0.126`, `Run · free`."""
    if not cost.runs:
        return "Run"
    return f"Run · {cost.about()}" if cost.runs == 1 else f"Run {cost.runs} · {cost.about()}"


def seconds(milliseconds: int | None) -> str:
    """`24.8 s`, `300 s`; empty when nobody measured it."""
    if milliseconds is None:
        return ""
    if milliseconds < 50:
        return "under 0.1 s"
    value = milliseconds / 1000
    return f"{value:.0f} s" if value >= 100 else f"{value:.1f} s"


def after(start: str | None, at: str) -> str:
    """` at 0.7 s`: how long after `start`, both as stored; empty where nobody knows when it began."""
    if start is None:
        return ""
    passed = datetime.fromisoformat(at) - datetime.fromisoformat(start)
    return f" at {seconds(max(0, round(passed.total_seconds() * 1000)))}"


def size(width: int, height: int) -> str:
    """`1536 × 1024`."""
    return f"{width} × {height}"


def size_text(text: str) -> str:
    """`1536x1024` as `1536 × 1024`; `auto` stays."""
    return text.replace("x", " × ") if text[:1].isdigit() else text


def bytes_text(size_bytes: int) -> str:
    """`2.41 MB`, `18 kB`, `312 bytes`."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= factor:
            value = size_bytes / factor
            return f"{value:.0f} {unit}" if value >= 100 or unit == "kB" else f"{value:.2f} {unit}"
    return f"{size_bytes} bytes"


def counted(number: int, noun: str) -> str:
    """`1 run`, `2 runs`, `1,204 images`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ordinal(number: int) -> str:
    """`First`, `Second`, …, `12th`."""
    names = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth")
    if 1 <= number <= len(names):
        return names[number - 1]
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def sentence(parts: Sequence[str]) -> str:
    """The parts that say something, as `a · b`."""
    return " · ".join(part for part in parts if part)


def media_url(sha256: str, media_type: str) -> str:
    """Where the original lies, relative to the page."""
    return f"media/{sha256}.{EXTENSIONS.get(media_type, 'bin')}"


def thumb_url(sha256: str) -> str:
    """Where its 512 px copy lies, relative to the page."""
    return f"thumbs/{sha256}.webp"


def strip_view(
    ready: Sequence[str],
    keyless: Sequence[str],
    totals: LedgerTotals | None,
    running: int,
    limit_microusd: int | None = None,
    *,
    is_private: bool = False,
) -> dict[str, object]:
    """The figures at the right of the header. `ready` and `keyless`: names of providers; the limit is that of the day."""
    spent = totals.settled_microusd if totals else 0
    told = [f"Ready: {', '.join(ready)}" if ready else "", f"No key: {', '.join(keyless)}" if keyless else ""]
    return {
        "providers": len(ready) + len(keyless),
        "ready": len(ready),
        "names": ". ".join(part for part in told if part),
        "spent": dollars(spent),
        "limit": "" if limit_microusd is None else dollars(limit_microusd),
        "unknown": totals.unknown_count if totals else 0,
        "running": running,
        "is_private": is_private,
    }
