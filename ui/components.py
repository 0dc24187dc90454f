"""Component factories that more than one page uses."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import gradio as gr
import orjson

from ui import notices
from ui.app import App, app_for

Given = ParamSpec("Given")

QUIET: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "show_progress_on": []}
"""Of every listener of the page. Told of no component to show progress on, the browser need not go through all outputs, hidden
as the progress is, each time the server says something.
"""
_MOUNT = (
    "(window.diptych ??= {early: [], mount(kind, tools) { this.early.push([kind, tools]) }})"
    ".mount(%r, {element, trigger, props, watch, upload}); /* events: %s */"
)
"""Hands the element to the script that draws this kind; a script that is not there yet finds it in `early`."""


def drawn(
    kind: str,
    value: object,
    *,
    elem_id: str,
    events: Sequence[str] = (),
    classes: Sequence[str] = (),
    is_field: bool = False,
) -> gr.HTML:
    """A component whose JSON value is drawn by the script registered as `kind` (see `assets/dom.js`).

    Each name of `events` becomes a listener of the component: `component.open(handler, ...)`; the data a script gives
    to `trigger("open", {...})` are attributes of the handler's `gr.EventData`. They come from the browser: check them.
    `is_field`: it is set by `gr.update`, for which Gradio makes a component anew; its value travels as it is.
    """
    component = gr.HTML(
        value if is_field else _as_text(value),
        html_template=f"<div class='drawn {kind}'></div>",
        js_on_load=_MOUNT % (kind, " ".join(f"'{name}'" for name in events)),
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=list(classes),
    )
    if not is_field:
        # Of this one component: for a class of ours Gradio would write a stub file beside this module.
        component.postprocess, component.preprocess = _as_text, _as_value
    return component


def _as_text(value: object) -> str | None:
    """A value as it travels. Gradio compares, copies and walks a document in the server and in the browser, several times for
    each change; text it leaves alone.
    """
    return None if value is None else orjson.dumps(value).decode()


def _as_value(text: str | None) -> object:
    return orjson.loads(text) if text else None


def static(markup: str, *, elem_id: str) -> gr.HTML:
    """Markup of ours that never changes. It passes through a JavaScript template literal: no text of others in it."""
    if "${" in markup or "\\" in markup:
        raise ValueError("Static markup must not hold '${' or a backslash: Gradio would run it as a script.")
    return gr.HTML("", html_template=markup, js_on_load=None, apply_default_css=False, elem_id=elem_id)


def trouble_place(tab: str) -> None:
    """Where the banner of a disk that takes nothing stands on a tab (`assets/trouble.js`)."""
    drawn("trouble", None, elem_id=f"trouble-{tab}")


def segment(
    choices: Sequence[tuple[str, str]],
    value: str | None,
    *,
    label: str,
    elem_id: str,
    info: str | None = None,
    visible: bool = True,
) -> gr.Radio:
    """A row of choices of which one is chosen. A choice of two lines is written `name\\nfigure`."""
    return gr.Radio(
        list(choices),
        value=value,
        label=label,
        info=info,
        elem_id=elem_id,
        elem_classes="seg",
        interactive=True,
        visible=visible,
    )


def bound(handler: Callable[..., Any], app: App, *, is_shared: bool = False) -> Callable[..., Any]:
    """The handler with `app` given, for a listener: `button.click(bound(on_press, app), ...)`.

    `functools.partial` would hide the annotations by which Gradio hands out `gr.Request` and `gr.EventData`. Each call
    gives a new function, so listeners do not share a concurrency limit. This is the edge where errors become notices.

    Whoever is in a private session is given the application of private sessions, unless `is_shared` says that the handler shows
    what is everybody's.
    """

    async def theirs(args: Sequence[Any], named: Mapping[str, Any]) -> App:
        return app if is_shared else await app_for(app, _request(args, named))

    if inspect.isasyncgenfunction(handler):
        return _described(_bound_stream(handler, theirs), handler)
    return _described(_bound_call(handler, theirs), handler)


def dated(
    read: Callable[Concatenate[App, Given], Awaitable[Mapping[str, object]]],
) -> Callable[Concatenate[App, Given], Awaitable[dict[str, object]]]:
    """What reads a view, and now says in `as_of` when it began to: an answer that comes after a later one is not shown
    (`unlessOutdated` in `assets/frame.js`). What is written has to be written before it is read.
    """

    @wraps(read)
    async def call(app: App, /, *args: Given.args, **named: Given.kwargs) -> dict[str, object]:
        as_of = app.services.now()
        return {**await read(app, *args, **named), "as_of": as_of}

    return call


_Theirs = Callable[[Sequence[Any], Mapping[str, Any]], Awaitable[App]]


def _bound_call(handler: Callable[..., Awaitable[Any]], theirs: _Theirs) -> Callable[..., Any]:
    @wraps(handler)
    async def call(*args: Any, **named: Any) -> object:
        try:
            return await handler(await theirs(args, named), *args, **named)
        except Exception as error:  # the handler's edge
            raise notices.say(error) from error

    return call


def _bound_stream(handler: Callable[..., AsyncIterator[Any]], theirs: _Theirs) -> Callable[..., Any]:
    @wraps(handler)
    async def stream(*args: Any, **named: Any) -> AsyncIterator[object]:
        try:
            async for value in handler(await theirs(args, named), *args, **named):
                yield value
        except Exception as error:  # the handler's edge
            raise notices.say(error) from error

    return stream


def _request(args: Sequence[Any], named: Mapping[str, Any]) -> gr.Request | None:
    """Who asks, where the handler wants to know: what is a visitor's own it finds by its owner, and so by this."""
    return next((each for each in (*args, *named.values()) if isinstance(each, gr.Request)), None)


def _described(function: Callable[..., Any], handler: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(handler)
    parameters = list(signature.parameters.values())[1:]
    # Here `inspect` looks first (PEP 362). The type of functions has no such field; `functools.wraps` puts its own in likewise.
    vars(function)["__signature__"] = signature.replace(parameters=parameters)
    return function
