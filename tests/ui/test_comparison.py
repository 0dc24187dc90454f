"""Images against each other: the table of their settings, whose images it shows, and which pairs may be voted on blind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.services import LOCAL_OWNER
from playground.settings import Settings
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage.records import RunView
from tests.harness import Harness
from tests.storage.builders import make_image, make_run
from ui import guard, routes
from ui.comparison import comparison_view
from ui.picked import Picked, picked_image

Make = Callable[..., Harness]


def picked(run_id: str, cost: int | None = 41_000, **asked: object) -> Picked:
    run = make_run(run_id, offer=f"openai/{asked.pop('model', 'gpt-image-2')}", latency_ms=2_500)
    image = make_image(run_id, width=1024, height=1024, size_bytes=2_410_000)
    state = "unknown" if cost is None else "settled"
    view = RunView(replace(run, asked={**run.asked, **asked}), (image,), (), (), cost, "reported", state)
    return Picked(view, image)


def rows_of(*shown: Picked) -> dict[str, tuple[list[str], bool]]:
    rows = comparison_view(shown, CATALOG)["rows"]
    assert isinstance(rows, list)
    return {row["field"]: (row["values"], row["differs"]) for row in rows}


def test_what_differs_is_marked_and_what_nobody_set_is_no_row() -> None:
    rows = rows_of(
        picked("r1", quality="low", size="1024x1024"), picked("r2", quality="high", model="gpt-image-1-mini")
    )
    assert rows["Model"] == (["GPT Image 2", "GPT Image 1 mini"], True)
    assert rows["Provider"] == (["OpenAI", "OpenAI"], False)
    assert rows["Quality"] == (["low", "high"], True)
    assert rows["Size"] == (["1024 × 1024", "auto"], True)
    assert rows["File"] == (["PNG, 2.41 MB", "PNG, 2.41 MB"], False)
    assert "Seed" not in rows
    assert "Images per run" not in rows


def test_a_cost_says_how_it_is_known_and_an_unknown_one_is_never_nothing() -> None:
    rows = rows_of(picked("r1"), picked("r2", cost=None), picked("r3", cost=0))
    assert rows["Cost"] == (["$0.041, reported", "unknown", "free"], True)


def test_only_images_of_the_asking_visitor_are_compared(harness: Make) -> None:
    one = harness(settings=replace(Settings(), mode="public"), key=None)
    app = Starlette(routes=routes.routes(one.app), middleware=guard.middleware(one.settings))
    with TestClient(app, base_url="http://127.0.0.1") as page:
        page.get("/")
        assert page.get("/compare.json?image=r1:0&image=r2:0").status_code == 404
        for wrong in ("", "?image=..%2f:0", "?image=r1", "?" + "&".join(f"image=r{n}:0" for n in range(5))):
            answer = page.get(f"/compare.json{wrong}")
            assert answer.status_code == 400
            assert "RUN:POSITION" in answer.json()["error"]


@pytest.mark.asyncio
async def test_an_image_is_found_by_its_run_and_place(harness: Make) -> None:
    one = harness()
    (view,) = await one.run(ImageRequest("a fox", n=2), "demo/flat")
    await one.stop()
    found = await picked_image(one.services, LOCAL_OWNER, f"{view.run.run_id}:1")
    assert found is not None
    assert found.image == view.images[1]
    for missing in (f"{view.run.run_id}:2", f"{view.run.run_id}:", "nobody:0", ""):
        assert await picked_image(one.services, LOCAL_OWNER, missing) is None
    assert await picked_image(one.services, "somebody else", f"{view.run.run_id}:1") is None
