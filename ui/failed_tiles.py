"""A tile without an image: who did what, why, what to do next, and what that may cost. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from storage.records import RunError, RunView
from ui import views

_TITLES: Mapping[str, str] = {
    "permission": "{provider} does not allow this",
    "validation": "{provider} refused a setting",
    "moderation": "{provider} refused this prompt",
    "quota": "No credit left at {provider}",
    "rate_limit": "{provider} asks to slow down",
    "not_found": "{provider} does not have this model",
    "timeout": "No answer from {provider}{after}",
    "server": "{provider} had an error",
    "network": "{provider} could not be reached",
    "malformed": "The answer could not be read",
    "cancelled": "Stopped",
}


def failure_view(run: RunView, end: str, provider: str) -> dict[str, object]:
    """The words of a tile without an image. `end`: how the run ended, as `tiles` names it."""
    error = run.run.error or RunError("unknown", "Nobody knows how this run ended.", retryable=True)
    if end == "missing":
        title = f"{len(run.all_images)} of {run.run.asked.get('n')} images came"
        text = run.run.error.message.removeprefix(f"{title}.").strip() if run.run.error else ""
        text = text or "The provider sent no more."
        return {"icon": "warn", "tone": "warn", "title": title, "text": text, "action": "", "label": "", "aside": ""}
    action, label = _next_step(error)
    title = _title(run, error, provider)
    return {
        "icon": "ban"
        if end == "refused"
        else "stop"
        if end == "stopped"
        else "key"
        if error.kind == "auth"
        else "warn",
        "tone": "" if end == "stopped" else "warn" if end in ("refused", "unknown") else "bad",
        "title": title,
        "text": error.message.removeprefix(f"{title}. "),
        "action": action,
        "label": label,
        "aside": _aside(run, error) if action == "retry" else "",
        "key_link": f"#settings/{run.run.offer.partition('/')[0]}",
    }


def _title(run: RunView, error: RunError, provider: str) -> str:
    if error.kind == "auth":
        return f"{provider} refused the key" if error.status else f"No key for {provider}"
    if run.run.state == "unknown" and error.kind in ("network", "unknown", "not_found"):
        return "The answer was lost"
    after = f" in {views.seconds(run.run.latency_ms)}" if run.run.latency_ms else ""
    return _TITLES.get(error.kind, "{provider} gave no image").format(provider=provider, after=after)


def _next_step(error: RunError) -> tuple[str, str]:
    if error.kind == "moderation":
        return "edit_prompt", "Edit the prompt"
    if error.kind in ("auth", "quota", "permission"):
        return "key", "Check the key"
    # A job that nobody finds again may have been billed, and another setting would not help.
    if error.kind == "validation" or (error.kind == "not_found" and not error.may_have_been_billed):
        return "remix", "Change the settings"
    return "retry", "Run again" if error.kind == "cancelled" else "Retry"


def _aside(run: RunView, error: RunError) -> str:
    if error.may_have_been_billed:
        return "A new charge is possible"
    return views.about(run.run.estimate_microusd, run.run.estimate_microusd)
