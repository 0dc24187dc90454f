"""What up to four images have in common and where their runs differ, as the rows of a table. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from providers.catalog import Catalog
from ui import views
from ui.naming import format_word, offer_names
from ui.pages.playground.planning import FIELD_WORDS
from ui.picked import Picked

MOST = 4
"""Images side by side; more are too small to be judged."""
_ASKED = (
    "size", "aspect_ratio", "resolution", "quality", "background", "output_format", "output_compression", "moderation",
    "input_fidelity", "n",
)  # fmt: skip

Json = dict[str, object]


def comparison_view(shown: Sequence[Picked], catalog: Catalog) -> Json:
    """A row for each thing that is said of some image: `{field, values, differs}`. Empty when nothing is shown."""
    getters: Mapping[str, Callable[[Picked], str]] = {
        "Model": lambda one: offer_names(one.run.run.offer, catalog)[0],
        "Provider": lambda one: offer_names(one.run.run.offer, catalog)[1],
        "Prompt": lambda one: one.run.run.prompt,
        **{FIELD_WORDS[field]: _asked(field) for field in _ASKED},
        "References": _references,
        "Mask": lambda one: "yes" if one.run.run.asked.get("mask") else "",
        "Rewritten prompt": lambda one: one.image.revised_prompt or "",
        "Seed": lambda one: "" if one.image.seed is None else str(one.image.seed),
        "Image": lambda one: views.size(one.image.width, one.image.height),
        "File": _file,
        "Cost": _cost,
        "Time": lambda one: views.seconds(one.run.run.latency_ms),
        "First preview": lambda one: views.seconds(one.run.run.first_preview_ms),
    }
    rows = [{"field": name, "values": [get(one) for one in shown]} for name, get in getters.items()]
    told = [row for row in rows if any(row["values"])]
    return {"rows": [{**row, "differs": len(set(row["values"])) > 1} for row in told]}


def _asked(field: str) -> Callable[[Picked], str]:
    def get(one: Picked) -> str:
        value = one.run.run.asked.get(field)
        if value is None or (field == "n" and value == 1):
            return ""
        return views.size_text(str(value)) if field == "size" else str(value)

    return get


def _references(one: Picked) -> str:
    count = sum(item.role == "image" for item in one.run.inputs)
    return views.counted(count, "image") if count else ""


def _file(one: Picked) -> str:
    return f"{format_word(one.image.media_type)}, {views.bytes_text(one.image.size_bytes)}"


def _cost(one: Picked) -> str:
    if one.run.ledger_state == "released":
        return "$0, not billed"
    cost = one.run.cost_microusd
    if cost is None or one.run.ledger_state == "unknown":
        return "unknown"
    many = f" for {len(one.run.images)} images" if len(one.run.images) > 1 else ""
    return f"{views.cost(cost)}, {one.run.cost_source}{many}" if cost else "free"
