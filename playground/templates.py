"""Saved templates: a prompt under a name, alone or with the form's settings. Each belongs to its owner."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from playground.services import Services
from storage import templates
from storage.engine import Database
from storage.records import Template
from storage.rows import document

MOST = 100
"""Templates of one owner."""
NAME_CHARS = 80
PROMPT_CHARS = 32_000
"""What the most patient model takes."""
SETTINGS_CHARS = 100_000
"""Of the settings as JSON. Only a long table of variables comes near."""
GONE = "This template is not there any more."


class TemplateRefused(Exception):
    """A template that cannot be kept, or is not there; the message is for the person."""


async def saved(services: Services, owner: str) -> list[Template]:
    """The owner's templates by name."""
    return await asyncio.to_thread(services.store.read, lambda db: templates.of_owner(db, owner, MOST))


async def load(services: Services, owner: str, template_id: str) -> Template:
    """The owner's template. Raises: TemplateRefused when it is not there."""
    found = await asyncio.to_thread(services.store.read, lambda db: templates.get(db, owner, template_id))
    if found is None:
        raise TemplateRefused(GONE)
    return found


async def save(
    services: Services,
    owner: str,
    *,
    name: str,
    prompt: str,
    settings: Mapping[str, object] | None,
    may_replace: bool = False,
) -> None:
    """Keeps the prompt under the name. `settings`: what is kept with it; `None`: the prompt alone.

    Raises: TemplateRefused when the name is empty, too long, or taken and may not be replaced; when prompt or settings are
        empty or too long; and when the owner has `MOST` already.
    """
    if not prompt.strip():
        raise TemplateRefused("There is no prompt to save yet. Type one first.")
    if len(prompt) > PROMPT_CHARS:
        raise TemplateRefused(f"The prompt has {len(prompt):,} characters; a template holds {PROMPT_CHARS:,}.")
    if settings is not None and len(document(settings) or "") > SETTINGS_CHARS:
        raise TemplateRefused("The table of variables is too long for a template. Save the prompt alone.")
    row = Template(services.new_id(), owner, clean_name(name), prompt, settings, services.now())

    def write(db: Database) -> None:
        is_there = templates.named(db, owner, row.name) is not None
        if is_there and not may_replace:
            raise TemplateRefused(_taken(row.name))
        if not is_there and templates.count(db, owner) >= MOST:
            raise TemplateRefused(f"{MOST} templates are kept already. Delete one first.")
        templates.put(db, row)

    await asyncio.to_thread(services.store.write, write)


async def rename(services: Services, owner: str, template_id: str, name: str) -> None:
    """Gives the template another name.

    Raises: TemplateRefused when it is not there, or the name is empty, too long or another template's.
    """
    new = clean_name(name)

    def write(db: Database) -> None:
        other = templates.named(db, owner, new)
        if other is not None and other.template_id != template_id:
            raise TemplateRefused(_taken(new))
        if not templates.rename(db, owner, template_id, new):
            raise TemplateRefused(GONE)

    await asyncio.to_thread(services.store.write, write)


async def delete(services: Services, owner: str, template_id: str) -> None:
    """Drops the template; one that is gone already is no error."""
    await asyncio.to_thread(services.store.write, lambda db: templates.delete(db, owner, template_id))


def clean_name(name: str) -> str:
    """The name on one line, without what cannot be seen. Raises: TemplateRefused when nothing is left, or too much."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())
    if not plain:
        raise TemplateRefused("Give the template a name.")
    if len(plain) > NAME_CHARS:
        raise TemplateRefused(f"The name has {len(plain)} characters; at most {NAME_CHARS} are kept.")
    return plain


def _taken(name: str) -> str:
    return f"There is a template named “{name}” already. Choose another name, or replace it."
