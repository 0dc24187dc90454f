"""Which of Gradio's own scripts and styles a page will need, read from Gradio's files.

Left alone a browser finds them in four steps, each file naming the next. They say themselves what belongs together: beside
each `import()` stands a list of places in the list of files at their top, which their bundler (Vite) wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

_ENTRY = re.compile(r'<script type="module" crossorigin src="\./assets/([\w.-]+\.js)"></script>')
_STYLE = re.compile(r'<link rel="stylesheet" crossorigin href="\./assets/([\w.-]+\.css)">')
_FILES = re.compile(r"\bm\.f=\[([^\]]*)\]")
_LATER = re.compile(r"import\(`\./([\w.-]+\.js)`\)(?:(?!import\().)*?__vite__mapDeps\(\[([\d,]*)\]\)", re.S)


class UnknownFrontend(ValueError):
    """Gradio's files are written in another way than is known here; the message says what was looked for."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Names of files in Gradio's folder, in the order in which they are needed."""

    scripts: tuple[str, ...]
    page_styles: tuple[str, ...]
    """Of the page as such: they come before the theme's."""
    component_styles: tuple[str, ...]


def needed(folder: Path, types: Iterable[str]) -> Needed:
    """What a page with components of these types loads, of the Gradio whose front end lies in this folder.

    Raises:
        UnknownFrontend: what belongs together cannot be read.
    """
    assets = folder / "assets"
    page = (folder / "index.html").read_text(encoding="utf-8")
    entry, style = _one(_ENTRY, page, "its script"), _one(_STYLE, page, "its style sheet")
    application, of_page = _first_later(assets / entry, "Index-")
    blocks, of_blocks = _first_later(assets / application, "Blocks-")
    core = next((name for name in of_page if name.startswith("core-") and name.endswith(".js")), None)
    if core is None:
        raise UnknownFrontend("the file core-….js")
    of_types = _of_components((assets / core).read_text(encoding="utf-8"), sorted(set(types)))
    framework = dict.fromkeys([entry, style, application, *of_page, blocks, *of_blocks])
    components = [name for name in dict.fromkeys(of_types) if name not in framework]
    return Needed(
        scripts=tuple(name for name in [*framework, *components] if name.endswith(".js") and name != entry),
        page_styles=tuple(name for name in framework if name.endswith(".css")),
        component_styles=tuple(name for name in components if name.endswith(".css")),
    )


def _one(pattern: re.Pattern[str], text: str, what: str) -> str:
    found = pattern.search(text)
    if found is None:
        raise UnknownFrontend(what)
    return found[1]


def _first_later(path: Path, prefix: str) -> tuple[str, tuple[str, ...]]:
    """The first script of that name which the file imports when it runs, and what is loaded with it."""
    for name, files in _later(path.read_text(encoding="utf-8")).items():
        if name.startswith(prefix):
            return name, files
    raise UnknownFrontend(f"an import of {prefix}….js in {path.name}")


def _later(text: str) -> Mapping[str, tuple[str, ...]]:
    """Script -> files that are loaded with it."""
    listed = _one(_FILES, text, "the list of files").replace('"', "").replace("./", "").split(",")
    return {
        name: tuple(listed[int(place)] for place in places.split(",") if place) for name, places in _LATER.findall(text)
    }


def _of_components(core: str, types: Iterable[str]) -> Iterable[str]:
    later = _later(core)
    for name in types:
        # As in `radio:{example:()=>…,component:()=>v(()=>import(`./Index-….js`),…)}`: no braces within.
        found = re.search(
            rf"[{{,]{re.escape(name)}:\{{[^{{}}]*?\bcomponent:\(\)=>\w+\(\(\)=>import\(`\./([\w.-]+)`\)", core
        )
        if found is None or found[1] not in later:
            raise UnknownFrontend(f"the script of the component {name}")
        yield from later[found[1]]
