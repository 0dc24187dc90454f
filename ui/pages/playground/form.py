"""The form's components, and their values as `FormValues`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr

from providers.types import MAX_TIMEOUT_S, MIN_TIMEOUT_S
from ui import drafts, forms, views
from ui.components import drawn, segment
from ui.forms import ANY_TIER, AUTO, CUSTOM, LANDSCAPE, OTHER, PORTRAIT, RATIO, RATIOS, SQUARE, TIERS, FormValues
from ui.pages.playground.examples import EXAMPLES

FORMAT_WORDS = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP", "gif": "GIF", "avif": "AVIF"}
BACKGROUND_WORDS = {"auto": "Auto", "opaque": "Opaque", "transparent": "Transparent"}
MODERATION_WORDS = {"auto": "Auto", "low": "Low"}
FIDELITY_WORDS = {forms.MODEL_DECIDES: "Model’s pick", "low": "Low", "high": "High"}


@dataclass(frozen=True, slots=True)
class Fields:
    """The components a person sets, in the order in which handlers are given their values."""

    prompt: Any
    variables: Any
    offers: Any
    size: Any
    other_size: Any
    width: Any
    height: Any
    ratio: Any
    ratio_text: Any
    resolution: Any
    quality: Any
    references: Any
    n: Any
    background: Any
    output_format: Any
    output_compression: Any
    moderation: Any
    input_fidelity: Any
    partial_images: Any
    user: Any
    timeout_s: Any
    sweep: Any


NAMES = tuple(Fields.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Form:
    """The form's components."""

    fields: Fields
    counter: Any
    """Counts the prompt; its `input` tells of typing in any field of the form."""
    templates: Any
    """The menu of saved templates."""
    examples: Any
    snap: Any
    """Draws the note under Size and its button."""
    upload: Any
    mask_upload: Any
    outlook: Any
    """Draws nothing itself: hands offers, tray, counter and problems what the server says. Its `back` tells that the tab was
    opened again."""
    draft: Any
    """The form as this browser keeps it."""
    more: Any
    sweep_time: Any
    """Hands the sweep how long it is likely to take."""

    @property
    def inputs(self) -> list[Any]:
        """What a handler that needs the form lists as inputs; `read` takes their values."""
        return [getattr(self.fields, name) for name in NAMES]

    @property
    def shown(self) -> list[Any]:
        """Outputs of `updates`."""
        return [self.outlook, self.draft, *self.inputs]


TEMPLATE_EVENTS = ("open", "save", "insert", "rename", "delete")


def build_prompt() -> tuple[Any, Any, Any, Any, Any]:
    """The menu of templates, the prompt's counter, the prompt, the table of its variables, and its examples."""
    templates = drawn("templates", None, elem_id="pg-templates", events=TEMPLATE_EVENTS)
    counter = drawn("counter", None, elem_id="pg-counter", events=["input"])
    prompt = gr.Textbox(
        label="Prompt",
        placeholder="Describe the image. {name} makes a variable.",
        lines=3,
        max_lines=10,
        elem_id="pg-prompt",
        interactive=True,
    )
    drawn("prompt_note", None, elem_id="pg-prompt-note")
    variables = drawn("variables", {"rows": []}, elem_id="pg-vars", events=["input"], is_field=True)
    return (
        templates,
        counter,
        prompt,
        variables,
        drawn("examples", list(EXAMPLES), elem_id="pg-examples", events=["pick"]),
    )


def build_form() -> Form:
    """Puts the form on the page."""
    templates, counter, prompt, variables, examples = build_prompt()
    offers = drawn("offers", {"ticked": []}, elem_id="pg-offers", events=["input"], is_field=True)
    size = segment(size_choices(FormValues()), SQUARE, label="Size", elem_id="pg-size")
    other_size = gr.Dropdown(
        [("Auto, the model’s pick", AUTO), ("Custom", CUSTOM)],
        value=AUTO,
        label="Other size",
        elem_id="pg-size-other",
        visible=False,
        interactive=True,
        filterable=False,
    )
    with gr.Row(elem_id="pg-custom"):
        width = _number("Width, px", 1024, 1, 8192, "pg-width", visible=False)
        height = _number("Height, px", 1024, 1, 8192, "pg-height", visible=False)
    shape = _build_shape()
    snap = drawn("snap", None, elem_id="pg-size-note", events=["snap"])
    quality = segment(
        [("Low", "low"), ("Medium", "medium"), ("High", "high"), ("Auto", "auto")],
        "low",
        label="Quality",
        elem_id="pg-quality",
    )
    references = drawn(
        "references",
        {"items": [], "mask": None, "notes": []},
        elem_id="pg-refs",
        events=["input", "take"],
        is_field=True,
    )
    upload, mask_upload = (
        _upload("Add reference images", "pg-upload", many=True),
        _upload("Add a mask", "pg-mask-upload", many=False),
    )
    with gr.Accordion("More settings", open=False, elem_id="pg-more", elem_classes="fold") as more:
        rest = _build_more()
    with gr.Accordion("Sweep", open=False, elem_id="pg-sweep-fold", elem_classes="fold"):
        sweep = drawn(
            "sweep", asdict(forms.SweepText()), elem_id="pg-sweep", events=["input", "forecast", "start"], is_field=True
        )
        sweep_time = drawn("sweep_time", None, elem_id="pg-sweep-time")
    return Form(
        fields=Fields(
            prompt, variables, offers, size, other_size, width, height, *shape, quality, references, **rest, sweep=sweep
        ),
        counter=counter,
        templates=templates,
        examples=examples,
        snap=snap,
        upload=upload,
        mask_upload=mask_upload,
        outlook=drawn("outlook", None, elem_id="pg-outlook", events=["back"]),
        # Not Gradio's own store, whose script of 70 kB every visit would load to scramble what has no secret in it.
        draft=drawn("draft", {}, elem_id="pg-draft", is_field=True),
        more=more,
        sweep_time=sweep_time,
    )


def _build_shape() -> tuple[Any, Any, Any]:
    """Aspect ratio, one typed by hand, and resolution: another way to say the size."""
    ratio = segment(
        [*((ratio, ratio) for ratio in RATIOS), ("Custom", CUSTOM)],
        RATIOS[0],
        label="Aspect ratio",
        info="In place of a size in pixels, which would go before it.",
        elem_id="pg-ratio",
        visible=False,
    )
    typed = gr.Textbox(
        "5:4",
        label="Width : height",
        placeholder="5:4",
        max_lines=1,
        max_length=16,
        elem_id="pg-ratio-typed",
        visible=False,
        interactive=True,
    )
    resolution = segment(
        [*((tier, tier) for tier in TIERS), ("Not set", ANY_TIER)],
        TIERS[0],
        label="Resolution",
        elem_id="pg-resolution",
        visible=False,
    )
    return ratio, typed, resolution


def _build_more() -> dict[str, Any]:
    return {
        "n": _number("Images per run", 1, 1, 10, "pg-n"),
        "background": segment(choices_of(BACKGROUND_WORDS), AUTO, label="Background", elem_id="pg-background"),
        "output_format": segment(choices_of(FORMAT_WORDS), "png", label="Format", elem_id="pg-format"),
        "output_compression": gr.Slider(
            0,
            100,
            value=forms.DEFAULT_COMPRESSION,
            step=1,
            label="Compression",
            info="100 is the best quality and the largest file.",
            elem_id="pg-compression",
            visible=False,
            interactive=True,
        ),
        "moderation": segment(choices_of(MODERATION_WORDS), AUTO, label="Moderation", elem_id="pg-moderation"),
        "input_fidelity": segment(
            choices_of(FIDELITY_WORDS),
            forms.MODEL_DECIDES,
            label="Input fidelity",
            elem_id="pg-fidelity",
            visible=False,
        ),
        "partial_images": segment(
            [(str(count), str(count)) for count in range(4)],
            "0",
            label="Previews while it is made",
            elem_id="pg-partials",
        ),
        "user": gr.Textbox(
            label="End-user id",
            info="Passed on to the provider, for its abuse detection.",
            placeholder="none",
            max_lines=1,
            elem_id="pg-user",
            interactive=True,
        ),
        "timeout_s": _number("Time limit, seconds", 300, MIN_TIMEOUT_S, MAX_TIMEOUT_S, "pg-timeout"),
    }


def _number(label: str, value: int, low: float, high: float, elem_id: str, *, visible: bool = True) -> Any:
    # Bounds are not given to Gradio: it would refuse the whole event; `read` keeps the value within them.
    return gr.Number(
        value,
        label=label,
        precision=0,
        elem_id=elem_id,
        visible=visible,
        interactive=True,
        min_width=100,
        info=f"{low:g} to {high:g}" if visible else None,
    )


def _upload(label: str, elem_id: str, *, many: bool) -> Any:
    # Out of sight: the tray hands it files. Gradio puts the file field beside its button, so the id stands around both.
    with gr.Column(elem_id=elem_id, elem_classes="upload-door", min_width=0):
        return gr.UploadButton(
            label,
            file_count="multiple" if many else "single",
            file_types=["image"],
            type="filepath",
            elem_id=f"{elem_id}-button",
        )


def choices_of(words: Mapping[str, str], values: Collection[str] | None = None) -> list[tuple[str, str]]:
    """Word and value of each choice, or of those among `values`, in the order of the words."""
    return [(word, value) for value, word in words.items() if values is None or value in values]


def size_choices(values: FormValues) -> list[tuple[str, str]]:
    """The size segment; Other says which size is meant when it is another."""
    is_other = values.is_custom_size or values.size not in (SQUARE, LANDSCAPE, PORTRAIT)
    other = views.size_text(values.size) if is_other else "size or ratio"
    if values.is_by_ratio:
        other = views.sentence([values.aspect_ratio, values.resolution])
    return [
        (f"Square\n{views.size_text(SQUARE)}", SQUARE),
        (f"Landscape\n{views.size_text(LANDSCAPE)}", LANDSCAPE),
        (f"Portrait\n{views.size_text(PORTRAIT)}", PORTRAIT),
        (f"Other\n{other}", OTHER),
    ]


# Values


def read(values: Collection[Any]) -> FormValues:
    """The form as its components hold it. Everything comes from a browser, so nothing is taken on trust."""
    given = {name: _plain(name, value) for name, value in zip(NAMES, values, strict=True)}
    tray = given["references"] if isinstance(given["references"], Mapping) else {}
    offers = given["offers"] if isinstance(given["offers"], Mapping) else {}
    table = given["variables"] if isinstance(given["variables"], Mapping) else {}
    is_by_ratio = given["size"] == OTHER and given["other_size"] == RATIO
    shape = forms.chosen_ratio(given["ratio"], given["ratio_text"], given["resolution"]) if is_by_ratio else ("", "")
    return FormValues(
        prompt=given["prompt"] or "",
        offers=drafts.texts(offers.get("ticked")),
        size=forms.chosen_size(given["size"], given["other_size"], given["width"], given["height"]),
        is_custom_size=given["size"] == OTHER and given["other_size"] == CUSTOM,
        aspect_ratio=shape[0],
        resolution=shape[1],
        quality=given["quality"] or "low",
        n=int(drafts.clamp_number(given["n"], 1, 10, 1)),
        background=given["background"] or AUTO,
        output_format=given["output_format"] or "png",
        output_compression=int(drafts.clamp_number(given["output_compression"], 0, 100, forms.DEFAULT_COMPRESSION)),
        moderation=given["moderation"] or AUTO,
        input_fidelity=given["input_fidelity"] or forms.MODEL_DECIDES,
        partial_images=int(drafts.clamp_number(_whole(given["partial_images"]), 0, 3, 0)),
        user=given["user"] or "",
        timeout_s=drafts.clamp_number(given["timeout_s"], MIN_TIMEOUT_S, MAX_TIMEOUT_S, forms.FormValues().timeout_s),
        references=drafts.references_of(tray.get("items")),
        mask=drafts.reference_of(tray.get("mask")),
        lock_outside_mask=tray.get("lock") is not False,
        variables=drafts.rows_of(table.get("rows")),
        sweep=drafts.sweep_of(given["sweep"]),
    )


_TEXTS = frozenset(
    {
        *(
            "prompt",
            "size",
            "other_size",
            "ratio",
            "ratio_text",
            "resolution",
            "quality",
            "background",
            "output_format",
        ),
        *("moderation", "input_fidelity", "partial_images", "user"),
    }
)
_SIDES = ("width", "height")


def _plain(name: str, value: object) -> Any:
    """The value where it is of the kind its component gives; else as if it were empty."""
    if name in _TEXTS:
        return value if isinstance(value, str) else None
    return drafts.clamp_number(value, 0, 100_000, 0) if name in _SIDES else value


def is_mask_dropped(values: Collection[Any]) -> bool:
    """Whether the person has just taken the mask away, which is other than having none."""
    tray = dict(zip(NAMES, values, strict=True))["references"]
    return isinstance(tray, Mapping) and tray.get("is_dropped") is True and not tray.get("mask")


def _whole(text: object) -> object:
    return int(text) if isinstance(text, str) and text.isdecimal() else text
