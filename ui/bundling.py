"""The page's scripts as one file, and its styles as another: fifty small files are fifty requests before the page stands.

The files of `ui/assets` stay what they are, modules that a browser could load one by one. Here each becomes a function that
is called once, in the order of their imports, and hands over what it exports. Only the forms of `import` and `export` that
are written there are known; any other is an error, so nothing can be left out in silence.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import brotli

_IMPORT = re.compile(r'^import (?:\{(?P<names>[^}]*)\} from )?"\./(?P<file>[\w-]+\.js)";$', re.M)
_EXPORT = re.compile(r"^export (?=(?:const|(?:async )?function) (\w+))", re.M)
_OTHER = re.compile(r"^\s*(?:import|export)\b.*|\bimport[.(].*", re.M)

_REFUSED = re.compile(r";\s*q\s*=\s*0(\.0*)?\s*$")
"""A weight of nothing; any other is as good as none (RFC 9110, 12.4.2)."""


class CannotBundle(ValueError):
    """A script uses a form of import or export that is not known here; the message names it."""


@dataclass(frozen=True)
class Bundle:
    """A text that is served, and its zipped forms, made once."""

    media_type: str
    text: bytes

    @cached_property
    def forms(self) -> Mapping[str, bytes]:
        """Content encoding -> body, the smallest first."""
        return {
            "br": brotli.compress(self.text, mode=brotli.MODE_TEXT, quality=9),
            "gzip": gzip.compress(self.text, 9, mtime=0),
        }

    def accepted(self, accept_encoding: str) -> tuple[str | None, bytes]:
        """The encoding that whoever asks understands, and the body in it; `None`: as it is."""
        known = {
            part.partition(";")[0].strip() for part in accept_encoding.lower().split(",") if not _REFUSED.search(part)
        }
        return next(((name, body) for name, body in self.forms.items() if name in known), (None, self.text))


def script_bundle(folder: Path, entries: Iterable[str]) -> Bundle:
    """One module that does what loading the entries one after another would do.

    Raises:
        CannotBundle: a form of import or export is unknown, or files import each other in a circle.
    """
    parts: dict[str, str] = {}
    for entry in entries:
        _add(folder, entry, parts, ())
    return Bundle("text/javascript", "".join(parts.values()).encode())


def style_bundle(folder: Path, names: Iterable[str]) -> Bundle:
    """The style sheets in their order. What they name by `url()` lies beside them, so it must lie beside the bundle too."""
    return Bundle("text/css", "\n".join((folder / name).read_text(encoding="utf-8") for name in names).encode())


def _add(folder: Path, name: str, parts: dict[str, str], above: tuple[str, ...]) -> None:
    """Puts the file behind all that it imports."""
    if name in above:
        raise CannotBundle(f"{' imports '.join([*above, name])}: in a circle")
    if name in parts:
        return
    text = (folder / name).read_text(encoding="utf-8")
    for found in _IMPORT.finditer(text):
        _add(folder, found["file"], parts, (*above, name))
    exported = _EXPORT.findall(text)
    body = _EXPORT.sub("", _IMPORT.sub(_taken, text))
    unknown = _OTHER.search(body)
    if unknown:
        raise CannotBundle(f"{name}: {unknown[0].strip()[:80]}")
    parts[name] = f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();\n"


def _taken(found: re.Match[str]) -> str:
    """An import as constants of the function."""
    if found["names"] is None:
        return ""
    return f"const {{{found['names'].replace(' as ', ': ')}}} = {_variable(found['file'])};"


def _variable(name: str) -> str:
    return "$" + name.removesuffix(".js").replace("-", "_")
