"""Sections of the results, each from a process of its own, kept line by line as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.processes import Failed, lines_of


@dataclass(frozen=True, slots=True)
class Section:
    """What is measured, and the arguments of Python that print its lines."""

    title: str
    command: Sequence[str]


def write_all(sections: Iterable[Section], keep: Callable[[str], object]) -> list[str]:
    """Gives every line of Markdown to `keep` as soon as it is there; the titles of those that failed.

    One that fails keeps the lines it had, says in its section how it ended, and the others go on.
    """
    failed = []
    for section in sections:
        keep(f"## {section.title}\n")
        keep("```")
        try:
            for line in lines_of(section.command):
                keep(line)
        except Failed as error:
            failed.append(section.title)
            keep(f"  failed: {error}")
        keep("```\n")
    return failed
