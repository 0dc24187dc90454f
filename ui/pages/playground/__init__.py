"""The Playground: form at the left, results at the right, the run bar outside the form's scroll.

`form` holds the components, `outlook` what they say, `updates` turns that into Gradio's updates; `editing` and `running`
are the handlers, `page` is what those share.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import gradio as gr

from ui.app import App, Tabs
from ui.components import QUIET, bound, drawn, trouble_place
from ui.pages.playground import curating, editing, first, running, saved, sweeping, xray
from ui.pages.playground.form import NAMES, build_form
from ui.pages.playground.page import Page

RESULT_EVENTS = (
    *("base", "reference", "remix", "retry", "again", "holes", "stop_run", "more", "demo"),
    *("favourite", "retag", "trash", "restore"),
)


DRAFT = "(kept) => window.diptych?.draft() ?? kept"
"""What the browser gives for the draft when the page is opened. Set by a script at the start, the component would lose it."""


def build(app: App) -> Page:
    """Puts the components on the tab."""
    with gr.Row(elem_id="pg"):
        with gr.Column(elem_id="pg-side", min_width=0):
            with gr.Column(elem_id="pg-form", min_width=0):
                trouble_place("form")
                form = build_form()
            with gr.Column(elem_id="pg-bar", min_width=0):
                drawn("estimate", None, elem_id="pg-estimate")
                problems = drawn("problems", None, elem_id="pg-problems", events=["agreed"])
                with gr.Row(elem_id="pg-buttons"):
                    run = gr.Button("Run", variant="primary", elem_id="pg-run", min_width=0)
                    stop = gr.Button("Stop", variant="secondary", elem_id="pg-stop", interactive=False, min_width=0)
                    gr.Button("X-ray", variant="secondary", elem_id="pg-xray-open", min_width=0)
                drawer = drawn("xray", None, elem_id="pg-xray", events=["look"])
        with gr.Column(elem_id="pg-main", min_width=0):
            trouble_place("playground")
            results = drawn("results", None, elem_id="pg-results", events=RESULT_EVENTS)
            drawn("compare_bar", None, elem_id="pg-cmp")
    page = Page(form, run, stop, problems, results, drawer)
    first.begin_with(page.shown, first.first_form(app))
    return page


def wire(page: Page, app: App, tabs: Tabs) -> None:
    """Attaches the listeners."""
    _wire_form(page, app, tabs)
    _wire_results(page, app)
    watched = [page.results, tabs.strip, page.stop]
    _listen(tabs.demo.load, bound(running.on_open_results, app), [], watched)
    _listen(page.run.click, bound(running.on_run, app), page.form.inputs, [*watched, page.form.outlook], many=True)
    _listen(
        page.problems.agreed, bound(running.on_agreed, app), page.form.inputs, [*watched, page.form.outlook], many=True
    )
    sweep = page.form.fields.sweep
    _listen(sweep.start, bound(sweeping.on_start, app), page.form.inputs, [*watched, page.form.outlook], many=True)
    _listen(sweep.forecast, bound(sweeping.on_forecast, app), page.form.inputs, [page.form.sweep_time], latest=True)
    _listen(page.stop.click, bound(running.on_stop, app), [], watched)
    _listen(page.xray.look, bound(xray.on_look, app), page.form.inputs, [page.xray], latest=True)
    _listen(page.results.retry, bound(running.on_retry, app), [], watched, many=True)
    _listen(page.results.again, bound(running.on_again, app), [], watched, many=True)
    _listen(page.results.stop_run, bound(running.on_stop_run, app), [], watched, many=True)
    _listen(page.results.holes, bound(sweeping.on_holes, app), [], watched, many=True)
    _listen(page.results.more, bound(running.on_more, app), [], [page.results])


def _wire_form(page: Page, app: App, tabs: Tabs) -> None:
    form, inputs, shown = page.form, page.form.inputs, page.shown
    fields = form.fields
    _listen(tabs.demo.load, bound(_opening(page), app), [form.draft], shown, js=DRAFT)
    chosen = (
        fields.size, fields.other_size, fields.ratio, fields.resolution, fields.quality, fields.output_format,
        fields.moderation, fields.input_fidelity, fields.partial_images, fields.references, fields.variables,
        fields.sweep,
    )  # fmt: skip
    # `input` is what a person does. `change` would answer our own updates too, and while only half of them are in place.
    # Of text and numbers Gradio's `input` misses what comes without a key press, so the counter listens for those.
    triggers = [field.input for field in (*chosen, form.counter)]
    _listen(partial(gr.on, triggers), bound(editing.on_change, app), inputs, shown, latest=True)
    _listen(fields.offers.input, bound(editing.on_tick, app), [form.draft, *inputs], shown, latest=True)
    _listen(form.outlook.back, bound(editing.on_return, app), inputs, shown)
    _listen(fields.background.input, bound(editing.on_background, app), inputs, shown, latest=True)
    _listen(form.examples.pick, bound(editing.on_pick, app), inputs, shown)
    _listen(form.snap.snap, bound(editing.on_snap, app), inputs, shown)
    _listen(form.upload.upload, bound(editing.on_upload, app), [form.upload, *inputs], shown)
    _listen(fields.references.take, bound(editing.on_take, app), inputs, shown)
    _wire_templates(page, app)
    _listen(form.mask_upload.upload, bound(editing.on_mask, app), [form.mask_upload, *inputs], shown)


def _opening(page: Page) -> Callable[..., Awaitable[list[Any]]]:
    async def on_open_form(app: App, request: gr.Request, draft: object) -> list[Any]:
        return first.unsaid(page.shown, await editing.on_open_form(app, request, draft))

    return on_open_form


def _wire_templates(page: Page, app: App) -> None:
    menu, inputs = page.form.templates, page.form.inputs
    _listen(menu.open, bound(saved.on_open_templates, app), [], [menu])
    _listen(menu.save, bound(saved.on_save_template, app), inputs, [menu])
    _listen(menu.insert, bound(saved.on_insert_template, app), inputs, page.shown)
    _listen(menu.rename, bound(saved.on_rename_template, app), [], [menu])
    _listen(menu.delete, bound(saved.on_delete_template, app), [], [menu])


def _wire_results(page: Page, app: App) -> None:
    inputs, shown = page.form.inputs, page.shown
    _listen(page.results.base, bound(editing.on_base, app), inputs, shown)
    _listen(page.results.reference, bound(editing.on_reference, app), inputs, shown)
    _listen(page.results.remix, bound(editing.on_remix, app), inputs, shown)
    for event, handler in (
        (page.results.favourite, curating.on_favourite),
        (page.results.retag, curating.on_retag),
        (page.results.trash, curating.on_trash),
        (page.results.restore, curating.on_restore),
    ):
        _listen(event, bound(handler, app), [], [page.results], many=True)
    _listen(page.results.demo, bound(editing.on_demo, app), inputs, shown)


def _listen(
    trigger: Any,
    handler: Callable[..., Any],
    inputs: list[Any],
    outputs: list[Any],
    *,
    latest: bool = False,
    many: bool = False,
    js: str | None = None,
) -> None:
    """`latest`: of several changes in a row the last one counts. `many`: a second press does not wait for the first."""
    # Gradio looks at each value in a thread of its own, some twenty for the form; `form.read` looks at them anyway.
    is_form_only = bool(inputs) and len(inputs) == len(NAMES)
    mode = "always_last" if latest else "multiple" if many else "once"
    trigger(
        handler, inputs, outputs,
        trigger_mode=mode, concurrency_limit=None, js=js, preprocess=not is_form_only, **QUIET,
    )  # fmt: skip
