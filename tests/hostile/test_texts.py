"""Markup and formulas in what is saved: pages hold nobody else's elements, no cell of a table is a formula, and no file has
the name that a stranger gave it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from providers.types import ImageRequest
from storage import ledger_pages
from storage.ledger_pages import LedgerFilter
from tests.arena.world import add_run, make_services, picture
from tests.fakes.fal_server import FakeFal
from tests.fakes.http_fake import RawReply
from tests.harness import Harness
from tests.hostile.texts import FILE_NAME, files
from ui.costs.ledger_views import csv_lines


def test_saved_pages_hold_no_element_of_anybody_else(tmp_path: Path) -> None:
    services = make_services(tmp_path / "own")
    for name, text in files(services).items():
        assert "<script" not in text, name
        assert "<img src=x" not in text, name
        assert "<svg" not in text, name
        assert text.count("</title>") == text.count("</style>") == 1, name
    services.store.close()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")'])
def test_no_cell_of_the_ledger_is_a_formula(start: str, tmp_path: Path) -> None:
    services = make_services(tmp_path / "own")
    add_run(services, prompt=f"{start}1")
    entries = services.store.read(lambda db: ledger_pages.page(db, LedgerFilter(owner="local"), limit=9))
    for row in csv.reader(io.StringIO(csv_lines(entries, "local"))):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    services.store.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("name", [FILE_NAME, "../../../etc/cron.d/x", "a.png\"; filename*=UTF-8''b.html", "x" * 4000])
async def test_what_a_provider_calls_its_file_is_kept_nowhere(
    name: str, harness: Callable[..., Harness], tmp_path: Path
) -> None:
    with FakeFal() as fake:
        data = picture(number=3)
        fake.media_faults.append(
            RawReply(200, data, {"content-type": "image/png", "content-disposition": f'attachment; filename="{name}"'})
        )
        fake.bend = partial(_named, name=name)
        one = harness(key=None, urls={"fal": fake.base_url}, keys={"fal": fake.key})
        (view,) = await one.run(ImageRequest("A red fox", size="1024x1024", quality="low"), "fal/gpt-image-2")
        assert (view.run.state, len(view.images)) == ("succeeded", 1), view.run.error
        await one.stop()
        one.close()
        assert fake.violations == []
    assert holding(tmp_path, name) == []


def holding(folder: Path, name: str) -> list[Path]:
    """Files that are called so, or hold it."""
    told = name[:40]
    return [
        path
        for path in folder.rglob("*")
        if told in path.name or path.suffix == ".html" or (path.is_file() and told.encode() in path.read_bytes())
    ]


def _named(body: Any, *, name: str) -> Any:
    """The answer, whose images have the name and say that it is their type too."""
    for image in body.get("images", ()) if isinstance(body, dict) else ():
        image |= {"file_name": name, "content_type": name}
    return body
