"""Battles over the prompt bank: a prompt by chance, its source images as inputs, and whether a request is the bank's own."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from functools import cache

from arena import bank, prompts
from arena.bank import BankPrompt, BrokenBank, SourceImage
from providers.types import InputImage
from storage.images import read_header


def draw_prompt(
    rng: random.Random, task: bank.Operation, category: str | None = None, *, other_than: str | None = None
) -> BankPrompt:
    """A prompt of the task and the category by chance, another one than `other_than` where there is one.

    Raises:
        UnknownCategory: there is no such category.
        UnknownPrompt: the category has no prompt of this task.
    """
    found = bank.prompts(task, category)
    fresh = [one for one in found if one.prompt_id != other_than] or list(found)
    if not fresh:
        raise bank.UnknownPrompt(f"The category {category!r} has no prompt of the task {task!r}. Choose another one.")
    return rng.choice(fresh)


def images_of(prompt: BankPrompt) -> tuple[InputImage, ...]:
    """The prompt's source images as inputs, byte for byte as they ship. Blocking."""
    return tuple(input_of(bank.source(name)) for name in prompt.sources)


@cache
def input_of(image: SourceImage) -> InputImage:
    """A source image as an input, byte for byte as it ships. Blocking.

    Raises:
        BrokenBank: the file is not the one that was drawn.
    """
    data = bank.path_of(image).read_bytes()
    if hashlib.sha256(data).hexdigest() != image.sha256:
        raise BrokenBank(f"The file of source image {image.source_id!r} is not the one that was drawn.")
    header = read_header(data)
    return InputImage(data, header.media_type, header.width, header.height, image.sha256)


def place_of(text: str, operation: str, hashes: Sequence[str]) -> tuple[str, str | None]:
    """Category and id of the bank's prompt with this text on these very images; without an id when there is none, and then
    `own` but for a prompt that ships for the Demo.
    """
    category, prompt_id = prompts.place_of(text, operation)
    if prompt_id is None:
        return category, None
    given = [bank.source(name).sha256 for name in bank.prompt(prompt_id).sources]
    return (category, prompt_id) if list(hashes) == given else (bank.OWN, None)
