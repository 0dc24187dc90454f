"""Code that makes a planned call anywhere else, built from the very object that is sent. Pure.

A `Subject` is one `HttpCall` with how its provider is reached, without its key. `samples_of` writes it in four ways; what
they have in common stands in `literals` (values as source text) and `jobs` (what is done until a job has ended).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.samples.javascript import javascript_code
from playground.samples.openai_sdk import sdk_code, why_not
from playground.samples.python import python_code
from playground.samples.request_text import LiteralRequest, bytes_text, literal_request
from playground.samples.shell import shell_code
from playground.samples.subject import SentFile, Subject, subject_of

__all__ = [
    "LiteralRequest",
    "Sample",
    "SentFile",
    "Subject",
    "bytes_text",
    "literal_request",
    "samples_of",
    "subject_of",
]


@dataclass(frozen=True, slots=True)
class Sample:
    """The call in one language."""

    sample_id: str
    name: str
    code: str
    """Runs as it stands; empty: it cannot be said in this language, and the notes say why."""
    notes: tuple[str, ...]
    """What it needs, reads and writes, in sentences."""


def samples_of(subject: Subject) -> tuple[Sample, ...]:
    """The call in every language."""
    return (
        _sample("curl", "curl", "Needs curl and jq.", shell_code, subject, why=_why_no_shell(subject)),
        _sample("python", "Python httpx", "Needs httpx: pip install httpx.", python_code, subject),
        _sample("sdk", "OpenAI SDK", "Needs openai: pip install openai.", sdk_code, subject, why=why_not(subject)),
        _sample("javascript", "JavaScript", "A module for Node.js 18 or later.", javascript_code, subject),
    )


def _sample(
    sample_id: str, name: str, needs: str, write: Callable[[Subject], str], subject: Subject, *, why: str = ""
) -> Sample:
    if why:
        return Sample(sample_id, name, "", (why,))
    return Sample(sample_id, name, write(subject), (needs, *_notes(subject)))


def _why_no_shell(subject: Subject) -> str:
    has_nul = any("\0" in value for _, value in subject.call.form)
    return "The prompt holds a NUL character, which no command line can pass on." if has_nul else ""


def _notes(subject: Subject) -> tuple[str, ...]:
    found = [_files_note(subject)]
    if not subject.base_url:
        found.append(
            f"{subject.provider_name} answers inside this app and has no address: set {subject.base_variable} to a server "
            "with the same routes."
        )
    return tuple(note for note in (*found, subject.calls_note) if note)


def _files_note(subject: Subject) -> str:
    results = f"result-1.{subject.ending}"
    if not subject.files:
        return f"Writes {results}."
    return f"Reads {_listed([file.name for file in subject.files])} from its folder and writes {results}."


def _listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
