"""The prompt bank: prompts, source images and categories that ship with the app, for battles without an idea of one's own.

Everything is data in three TOML files beside this one. Ids are kept with votes, so they never change and are never reused.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Operation = Literal["generate", "edit"]
Board = Literal["generate", "edit-single", "edit-multi"]
"""Which leaderboard a vote on a prompt belongs to."""

SOURCES_DIR = Path(__file__).parent / "sources"
MAX_SOURCES = 3
OWN = "own"
"""Category of a prompt that is not from here."""
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class BankError(LookupError):
    """Something the bank was asked for and has not. The message can be shown.

    BankError
    ├── UnknownPrompt
    ├── UnknownSource
    ├── UnknownCategory
    └── UnknownTask
    """


class UnknownPrompt(BankError):
    """No prompt has this id."""


class UnknownSource(BankError):
    """No source image has this id."""


class UnknownCategory(BankError):
    """No category has this slug."""


class UnknownTask(BankError):
    """Neither an operation nor a board."""


class BrokenBank(ValueError):
    """The bank's own files do not fit together: a fault of this program, not of who asked."""


@dataclass(frozen=True, slots=True)
class Category:
    """Prompts that try the same ability."""

    slug: str
    name: str
    about: str
    """One sentence on what its prompts try."""


@dataclass(frozen=True, slots=True)
class BankPrompt:
    """A prompt and the images it works on."""

    prompt_id: str
    category: str
    """The category's slug."""
    operation: Operation
    prompt: str
    sources: tuple[str, ...]
    """Ids of the source images in the order they are sent; empty when nothing is edited."""

    @property
    def board(self) -> Board:
        """Follows from the number of source images."""
        if not self.sources:
            return "generate"
        return "edit-single" if len(self.sources) == 1 else "edit-multi"


@dataclass(frozen=True, slots=True)
class SourceImage:
    """An image that ships with the app."""

    source_id: str
    name: str
    path: str
    """File name within the bank; `path_of` says where it lies."""
    media_type: str
    alt: str
    """What is seen, in words."""
    sha256: str
    """Of the file's bytes, as it was drawn."""


@dataclass(frozen=True, slots=True)
class Bank:
    """All of it, in the order of the files."""

    categories: tuple[Category, ...]
    prompts: tuple[BankPrompt, ...]
    sources: tuple[SourceImage, ...]


def load_bank(folder: Path = SOURCES_DIR.parent) -> Bank:
    """The bank whose files lie in `folder`.

    Raises:
        BrokenBank: an id is no slug or stands twice, or a prompt names sources that are not there.
    """
    source_images = _read_sources(folder)
    known = {source.source_id for source in source_images}
    found: list[BankPrompt] = []
    kinds: list[Category] = []
    for file in ("prompts.toml", "edits.toml"):
        for slug, section in _tables(folder / file):
            kinds.append(Category(_checked_slug(slug), _words(section, "name"), _words(section, "about")))
            found += _read_prompts(slug, section)
    for one in found:
        strange = set(one.sources) - known
        if strange or len(one.sources) > MAX_SOURCES:
            raise BrokenBank(f"Prompt {one.prompt_id!r} names {sorted(strange) or len(one.sources)} as sources.")
    ids = [one.prompt_id for one in found] + [kind.slug for kind in kinds]
    if len(ids) != len(set(ids)):
        raise BrokenBank(f"Ids stand twice: {sorted({name for name in ids if ids.count(name) > 1})}.")
    return Bank(tuple(kinds), tuple(found), source_images)


def categories() -> tuple[Category, ...]:
    """All categories, those without source images first."""
    return BANK.categories


def prompts(task: Operation | Board | None = None, category: str | None = None) -> tuple[BankPrompt, ...]:
    """Prompts of an operation or a board ("edit" is both boards of edits), and of a category; `None` means any.

    Raises:
        UnknownTask, UnknownCategory: nothing is called so.
    """
    if task not in (None, "generate", "edit", "edit-single", "edit-multi"):
        raise UnknownTask(f"There is no task {task!r}. Choose generate, edit, edit-single or edit-multi.")
    if category is not None and category not in {kind.slug for kind in BANK.categories}:
        raise UnknownCategory(f"The bank has no category {category!r}.")
    return tuple(
        one for one in BANK.prompts if task in (None, one.operation, one.board) and category in (None, one.category)
    )


def prompt(prompt_id: str) -> BankPrompt:
    """The prompt of an id.

    Raises:
        UnknownPrompt: there is none.
    """
    for one in BANK.prompts:
        if one.prompt_id == prompt_id:
            return one
    raise UnknownPrompt(f"The bank has no prompt {prompt_id!r}. Choose one from its list.")


def place_of(text: str, operation: str) -> tuple[str, str | None]:
    """Category and id of the prompt with this text; `own` and none when it is nobody's but the asker's."""
    found = _BY_TEXT.get((operation, text.strip()))
    return (found.category, found.prompt_id) if found else (OWN, None)


def source(source_id: str) -> SourceImage:
    """The source image of an id.

    Raises:
        UnknownSource: there is none.
    """
    for one in BANK.sources:
        if one.source_id == source_id:
            return one
    raise UnknownSource(f"The bank has no source image {source_id!r}. Choose one from its list.")


def sources() -> tuple[SourceImage, ...]:
    """All source images."""
    return BANK.sources


def path_of(image: SourceImage) -> Path:
    """Where the file of a source image lies."""
    return SOURCES_DIR / image.path


def _tables(file: Path) -> Iterator[tuple[str, dict[str, object]]]:
    for slug, section in tomllib.loads(file.read_text(encoding="utf-8")).items():
        if not isinstance(section, dict):
            raise BrokenBank(f"{file.name}: {slug!r} is no table.")
        yield slug, section


def _read_sources(folder: Path) -> tuple[SourceImage, ...]:
    listed = (folder / "sources" / "sha256.txt").read_text(encoding="utf-8").splitlines()
    hashes = {name: digest for digest, name in (line.split("  ", 1) for line in listed)}
    found = []
    for source_id, section in _tables(folder / "sources.toml"):
        file = f"{_checked_slug(source_id)}.jpg"
        if file not in hashes:
            raise BrokenBank(f"Source image {source_id!r} has no file in the list of hashes.")
        name, alt = _words(section, "name"), _words(section, "alt")
        found.append(SourceImage(source_id, name, file, "image/jpeg", alt, hashes[file]))
    return tuple(found)


def _read_prompts(category: str, section: dict[str, object]) -> list[BankPrompt]:
    """A string is a prompt without images; a table names its source images."""
    rows = section.get("prompts")
    if not isinstance(rows, dict):
        raise BrokenBank(f"Category {category!r} has no prompts.")
    found = []
    for key, row in rows.items():
        prompt_id = _checked_slug(f"{category}-{key}")
        if isinstance(row, str):
            found.append(BankPrompt(prompt_id, category, "generate", row, ()))
            continue
        names = row.get("sources") if isinstance(row, dict) else None
        if not isinstance(names, list) or not names:
            raise BrokenBank(f"Prompt {prompt_id!r} needs a text, or a text and sources.")
        found.append(BankPrompt(prompt_id, category, "edit", _words(row, "prompt"), tuple(map(str, names))))
    return found


def _words(section: dict[str, object], key: str) -> str:
    value = section.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BrokenBank(f"{key!r} is missing or empty in {section!r:.80}.")
    return value


def _checked_slug(name: str) -> str:
    if not SLUG.fullmatch(name):
        raise BrokenBank(f"{name!r} is no slug: small letters, digits and single hyphens.")
    return name


BANK = load_bank()
_BY_TEXT: dict[tuple[str, str], BankPrompt] = {(one.operation, one.prompt): one for one in BANK.prompts}
