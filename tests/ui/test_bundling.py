"""Many small scripts become one, and nothing is left out in silence."""

from __future__ import annotations

import gzip
from pathlib import Path

import brotli
import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui import launch
from ui.bundling import CannotBundle, script_bundle, style_bundle


def folder_of(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.js").write_text(text)
    return folder


@pytest.mark.browser
def test_a_bundle_does_what_its_modules_do(page: Page, tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        told="export const said = [];\nexport function say(word) {\n  said.push(word);\n}\n",
        one='import { say as tell } from "./told.js";\nconst own = "one";\ntell(own);\n'
        'export async function later() {\n  tell("later");\n}\n',
        two='import {\n  said,\n  say,\n} from "./told.js";\nimport { later } from "./one.js";\nconst own = "two";\n'
        "say(own);\nlater();\nconsole.log(said.join());\n",
        entry='/* import { nothing } from "x" stands in words. */\nimport "./one.js";\nimport "./two.js";\n',
    )
    with page.expect_console_message() as said:
        page.add_script_tag(type="module", content=script_bundle(folder, ["entry.js"]).text.decode())
    assert said.value.text == "one,two,later"


@pytest.mark.parametrize(
    "text",
    [
        'import all from "./b.js";',
        'import * as all from "./b.js";',
        'import { a } from "elsewhere";',
        "export default 1;",
        "export let a = 1;",
        "const a = 1;\nexport { a };",
        'const late = await import("./b.js");',
    ],
)
def test_forms_that_are_not_known_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(CannotBundle, match=r"a\.js"):
        script_bundle(folder_of(tmp_path, a=text, b=""), ["a.js"])


def test_a_circle_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, a='import { b } from "./b.js";', b='import { a } from "./a.js";')
    with pytest.raises(CannotBundle, match="in a circle"):
        script_bundle(folder, ["a.js"])


def test_every_script_and_style_of_the_page_is_in_its_bundle() -> None:
    scripts, styles = (
        bundle.text.decode()
        for bundle in (script_bundle(launch.ASSETS, launch.SCRIPTS), style_bundle(launch.ASSETS, launch.STYLES))
    )
    for path in launch.ASSETS.glob("*.js"):
        assert path.read_text().splitlines()[0] in scripts, path
    for path in launch.ASSETS.glob("*.css"):
        assert path.read_text() in styles, path


@pytest.mark.parametrize("name", [launch.SCRIPT, launch.STYLE])
def test_a_bundle_comes_zipped_as_it_is_understood_and_for_ever(name: str) -> None:
    client = TestClient(Starlette(routes=[launch.assets_route()]))
    address = f"/dp/{launch.assets_hash()}/{name}"
    with client.stream("GET", address, headers={"accept-encoding": "identity"}) as answer:
        plain = b"".join(answer.iter_raw())
        assert "content-encoding" not in answer.headers
        assert "immutable" in answer.headers["cache-control"]
    for asked, encoding, unzipped in (
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip, br;q=0", "gzip", gzip.decompress),
        ("gzip;q=0.8, br;q=0.000", "gzip", gzip.decompress),
        ("gzip;q=0.8, BR ; Q=0.9", "br", brotli.decompress),
    ):
        with client.stream("GET", address, headers={"accept-encoding": asked}) as answer:
            body = b"".join(answer.iter_raw())
        assert answer.headers["content-encoding"] == encoding
        assert len(body) < len(plain) / 3
        assert unzipped(body) == plain
