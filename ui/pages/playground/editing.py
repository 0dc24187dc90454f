"""Handlers of the form: what changes when somebody types, ticks, drops an image or takes one from the results."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from playground import library, preferences, uploads
from playground.asked import request_of
from playground.image_hygiene import shown_name
from playground.kept_masks import forget_mask, keep_mask, kept_mask
from playground.ready import sources_of
from storage.errors import ImagesAway
from storage.records import RunView
from ui import drafts, forms, views
from ui.app import App, drop_transfers, owner_of
from ui.forms import AUTO, FormValues, Reference
from ui.pages.playground import form, offers, outlook
from ui.pages.playground.examples import EXAMPLES
from ui.pages.playground.page import ALL, answer
from ui.pages.playground.updates import Note

SIZE_FIELDS = ("size", "other_size", "width", "height", "ratio", "ratio_text", "resolution")
REFERENCE_FIELDS = ("references", *SIZE_FIELDS)


async def on_open_form(app: App, request: gr.Request, draft: object) -> list[Any]:
    """The form as this browser left it, or as a first visit finds it."""
    owner = owner_of(app, request)
    sources = sources_of(app.services, owner)
    liked = await preferences.of_owner(app.services, owner)
    start = forms.begun_with(forms.first_visit(offers.free_offers(sources), offers.default_offer(sources)), liked)
    values = drafts.from_draft(draft, start)
    kept = await _still_there(app, owner, values)
    return answer(app, owner, kept, fill=ALL)


async def on_change(app: App, request: gr.Request, *values: Any) -> list[Any]:
    """Prices, controls and the words on Run for what the form holds now. An image that comes back has its mask again."""
    owner, read = owner_of(app, request), form.read(values)
    if form.is_mask_dropped(values) and read.references:
        await forget_mask(app.services, owner, read.references[0].sha256)
    masked = await _with_kept_mask(app, owner, read)
    return answer(app, owner, masked, fill=("references",) if masked != read else ())


async def on_tick(app: App, request: gr.Request, draft: object, *values: Any) -> list[Any]:
    """The same after an offer was ticked. Previews come with free offers; the first priced one turns them off."""
    owner, read = owner_of(app, request), form.read(values)
    sources = sources_of(app.services, owner)
    before = drafts.from_draft(draft, FormValues()).offers
    if read.partial_images and offers.are_free(before, sources) and not offers.are_free(read.offers, sources):
        return answer(app, owner, replace(read, partial_images=0), fill=("partial_images",))
    return answer(app, owner, read)


async def on_return(app: App, request: gr.Request, *values: Any) -> list[Any]:
    """The same when the tab is opened again: a key may have come or gone meanwhile."""
    return answer(app, owner_of(app, request), form.read(values))


async def on_background(app: App, request: gr.Request, *values: Any) -> list[Any]:
    """A transparent background needs a format that can be transparent."""
    read = form.read(values)
    if read.background == "transparent" and read.output_format == "jpeg":
        gr.Info("JPEG cannot be transparent, so the format is now PNG.")
        return answer(app, owner_of(app, request), replace(read, output_format="png"), fill=("output_format",))
    return answer(app, owner_of(app, request), read)


async def on_pick(app: App, request: gr.Request, event: gr.EventData, *values: Any) -> list[Any]:
    """An example in place of the prompt. Never runs."""
    index = getattr(event, "index", None)
    example = EXAMPLES[index] if isinstance(index, int) and 0 <= index < len(EXAMPLES) else EXAMPLES[0]
    read = replace(form.read(values), prompt=example["prompt"])
    return answer(app, owner_of(app, request), read, fill=("prompt",))


async def on_demo(app: App, request: gr.Request, *values: Any) -> list[Any]:
    """A first run that costs nothing, ready to be started."""
    owner = owner_of(app, request)
    first = forms.first_visit(offers.free_offers(sources_of(app.services, owner)))
    read = form.read(values)
    prompt = read.prompt if read.prompt.strip() else EXAMPLES[2]["prompt"]
    changed = replace(read, prompt=prompt, offers=first.offers, partial_images=first.partial_images)
    return answer(app, owner, changed, fill=("prompt", "offers", "partial_images"))


async def on_snap(app: App, request: gr.Request, *values: Any) -> list[Any]:
    """The nearest size that the ticked models make."""
    owner, read = owner_of(app, request), form.read(values)
    sources = sources_of(app.services, owner)
    usable = [name for name in read.offers if sources.is_usable(name)]
    _, nearest = outlook.size_advice(read.size, offers.specs_of(usable, sources.catalog))
    return answer(app, owner, replace(read, size=nearest or read.size, is_custom_size=False), fill=SIZE_FIELDS)


# Images to edit


async def on_upload(app: App, request: gr.Request, paths: list[str] | None, *values: Any) -> list[Any]:
    """Uploaded files as further references, each cleaned and stored; one that is refused does not hold up the others."""
    owner, read = owner_of(app, request), form.read(values)
    taken: list[Reference] = []
    notes: list[Note] = []
    for path in (paths or [])[: forms.MAX_REFERENCES]:
        name = Path(path).name
        try:
            upload = await uploads.take_upload(app.services, owner, Path(path), name)
        except uploads.TooLarge as error:
            notes.append(await _smaller(app, owner, Path(path), str(error)))
            continue
        except uploads.UploadRefused as error:
            notes.append(Note(str(error), is_refusal=True))
            continue
        taken.append(forms.as_reference(upload.input, name))
        notes += [Note(text) for text in upload.notes]
    drop_transfers(app, paths or [])
    if len(read.references) + len(taken) > forms.MAX_REFERENCES:
        notes.append(Note(f"At most {forms.MAX_REFERENCES} reference images are kept; the rest was left out."))
    changed = await _with_kept_mask(app, owner, forms.add_references(read, taken))
    return answer(app, owner, changed, fill=REFERENCE_FIELDS, notes=notes)


async def on_take(app: App, request: gr.Request, event: gr.EventData, *values: Any) -> list[Any]:
    """Images of the visitor's that are kept already, as further references: picked from history, or a smaller copy."""
    owner, read = owner_of(app, request), form.read(values)
    asked = drafts.references_of(getattr(event, "items", None))
    added = [item for item in asked if await _is_there(app, owner, item)]
    gone = len(asked) - len(added)
    notes = [Note(f"{views.counted(gone, 'image')} could not be added: not there any more.")] if gone else []
    changed = await _with_kept_mask(app, owner, forms.add_references(read, added))
    return answer(app, owner, changed, fill=REFERENCE_FIELDS, notes=notes)


async def _smaller(app: App, owner: str, path: Path, why: str) -> Note:
    """Why the file is too large, with a copy of it that is not, where one can be made."""
    try:
        shrunk = await uploads.take_shrunk(app.services, owner, path, path.name)
    except uploads.UploadRefused as error:
        return Note(str(error) if isinstance(error, uploads.TooLarge) else why, is_refusal=True)
    copy = shrunk.upload.input
    said = (
        f"{shown_name(path.name)} is too large to send: {views.size(shrunk.width, shrunk.height)} px and "
        f"{views.bytes_text(shrunk.size_bytes)}. A smaller copy has {views.size(copy.width, copy.height)} px and "
        f"{views.bytes_text(len(copy.data))}. Your file stays as it is."
    )
    return Note(" ".join([said, *shrunk.upload.notes]), smaller=forms.as_reference(copy, path.name))


async def on_mask(app: App, request: gr.Request, path: str | None, *values: Any) -> list[Any]:
    """An uploaded file as the mask of image 1."""
    owner, read = owner_of(app, request), form.read(values)
    if not path or not read.references:
        return answer(app, owner, read)
    base, name = forms.stand_in(read.references[0]), Path(path).name
    try:
        taken = await uploads.take_mask(app.services, owner, Path(path), name, base)
    except uploads.UploadRefused as error:
        return answer(app, owner, read, fill=("references",), notes=[Note(str(error), is_refusal=True)])
    drop_transfers(app, [path])
    await keep_mask(app.services, owner, base.sha256, taken.input.sha256)
    changed = replace(read, mask=forms.as_reference(taken.input, name))
    return answer(app, owner, changed, fill=("references",), notes=[Note(text) for text in taken.notes])


async def on_base(app: App, request: gr.Request, event: gr.EventData, *values: Any) -> list[Any]:
    """An image of the results as image 1, the one to edit."""
    return await _take_result(app, request, event, values, as_base=True)


async def on_reference(app: App, request: gr.Request, event: gr.EventData, *values: Any) -> list[Any]:
    """An image of the results as a further reference."""
    return await _take_result(app, request, event, values, as_base=False)


async def on_remix(app: App, request: gr.Request, event: gr.EventData, *values: Any) -> list[Any]:
    """The form as it stood for that run, to be changed and run anew."""
    owner = owner_of(app, request)
    view = await library.run(app.services, text_of(event, "run"), owner)
    if view is None:
        return answer(app, owner, form.read(values))
    inputs = [Reference(item.sha256, item.media_type, item.width, item.height) for item in _inputs(view, "image")]
    masks = [Reference(item.sha256, item.media_type, item.width, item.height) for item in _inputs(view, "mask")]
    asked = request_of(view.run.asked, (), None)
    remixed = forms.from_request(asked, [view.run.offer], inputs, masks[0] if masks else None)
    return answer(app, owner, remixed, fill=ALL)


async def _take_result(
    app: App, request: gr.Request, event: gr.EventData, values: Sequence[Any], *, as_base: bool
) -> list[Any]:
    owner, read = owner_of(app, request), form.read(values)
    view = await library.run(app.services, text_of(event, "run"), owner)
    position = getattr(event, "position", None)
    image = next((item for item in view.images if item.position == position), None) if view else None
    if image is None:
        raise uploads.UploadRefused("This image is not there any more.")
    lock = view.lock_of(image.image_id) if view else None
    # What the person sees is what is taken on: the locked image, where there is one.
    sha256 = lock.locked.sha256 if lock and lock.locked else image.sha256
    taken = await uploads.load_input(app.services, owner, sha256)
    changed = forms.add_references(read, [forms.as_reference(taken)], as_base=as_base)
    changed = await _with_kept_mask(app, owner, changed)
    return answer(app, owner, changed, fill=REFERENCE_FIELDS)


async def _with_kept_mask(app: App, owner: str, values: FormValues) -> FormValues:
    """The form with the mask that was made for its base image before, where it has none."""
    if values.mask is not None or not values.references:
        return values
    kept = await kept_mask(app.services, owner, values.references[0].sha256)
    return replace(values, mask=forms.as_reference(kept, "mask.png")) if kept else values


def _inputs(view: RunView, role: str) -> list[Any]:
    return sorted((item for item in view.inputs if item.role == role), key=lambda item: item.position)


async def _still_there(app: App, owner: str, values: FormValues) -> FormValues:
    """The draft without images whose files are gone."""
    kept = [item for item in values.references if await _is_there(app, owner, item)]
    mask = values.mask if values.mask and await _is_there(app, owner, values.mask) else None
    changed = forms.drop_foreign_mask(replace(values, references=tuple(kept), mask=mask), values)
    if not kept and values.references and changed.size == AUTO:
        return replace(changed, size=forms.SQUARE)
    return changed


async def _is_there(app: App, owner: str, item: Reference) -> bool:
    try:
        return await asyncio.to_thread(library.owned_file, app.services, item.sha256, owner) is not None
    except ImagesAway:
        # Not gone: whatever needs its bytes before they come says so.
        return True


def text_of(event: gr.EventData, name: str) -> str:
    """A text the page's script gave with the event; empty when it gave none."""
    value = getattr(event, name, "")
    return value if isinstance(value, str) else ""
