"""What is said of the copy of the store that is kept elsewhere. Pure."""

from __future__ import annotations

from playground.snapshotting import Standing

UNKEPT = (
    "This Space keeps nothing when it restarts: runs, images and votes are then gone. Download what you want to keep."
)


def snapshot_view(standing: Standing, *, is_host: bool, is_lost: bool) -> dict[str, object] | None:
    """A line for Settings, or `None` where no copy is asked for. What went wrong in detail is the host's alone to read."""
    if standing.state == "off":
        host = " The host can have it kept: see docs/deploy.md." if is_host else ""
        return _line("warn", "warn", f"{UNKEPT}{host}") if is_lost else None
    at = f" at {standing.place}" if is_host else ""
    last = f" The last one is of {_day_and_time(standing.kept_at)}." if standing.kept_at else " There is none yet."
    told = f" {standing.words}" if is_host and standing.words else ""
    if standing.state == "blocked":
        return _line(
            "warn",
            "bad",
            f"The snapshot{at} could not be put back at the start, so this run of the app keeps none: what is made now is gone "
            f"at its end.{told}{' Mend that and start again.' if is_host else ''}",
        )
    if standing.state == "failed":
        return _line("warn", "bad", f"The last snapshot failed and is tried again.{last}{told}")
    if standing.state == "begun":
        return _line("clock", "", f"Snapshots are taken{at}; the next one comes soon.{last}")
    return _line("check", "ok", f"Snapshots are kept{at}.{last}")


def _line(icon: str, tone: str, text: str) -> dict[str, object]:
    return {"icon": icon, "tone": tone, "text": text}


def _day_and_time(at: str) -> str:
    """`2026-11-21T10:15:30.123Z` as `2026-11-21 10:15 UTC`."""
    return f"{at[:10]} {at[11:16]} UTC"
