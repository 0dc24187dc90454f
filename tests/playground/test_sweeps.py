"""Sweeps: what a grid comes to, which cells are left out and why, and that holes are run again in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground import library
from playground.library import GroupView
from playground.plan import Plan
from playground.services import LOCAL_OWNER
from playground.sweeps import Axis, Sweep, Vary, axis_of, sweep_of
from providers.rows import CATALOG
from providers.types import ImageRequest
from tests.harness import Harness

ASKED = ImageRequest("A fox on a hill", size="1024x1024", quality="low", output_format="png", partial_images=2)


def grid(x: Axis, y: Axis | None = None, *, at: str = "openai/gpt-image-2", **given: Any) -> Sweep:
    return sweep_of(
        given.get("asked", ASKED), at, x, y, CATALOG, is_usable=given.get("is_usable", lambda name: not name.startswith("fal/"))
    )  # fmt: skip


def asked(sweep: Sweep, field: str) -> list[object]:
    return [getattr(run.request, field) for run in sweep.plan.runs]


def test_two_axes_make_a_grid_row_by_row() -> None:
    sweep = grid(Axis("quality", ("low", "High")), Axis("size", ("1024x1024", "1536 × 1024", "1024 X 1536")))
    assert asked(sweep, "quality") == ["low", "high"] * 3
    assert asked(sweep, "size") == ["1024x1024"] * 2 + ["1536x1024"] * 2 + ["1024x1536"] * 2
    assert [(cell.x, cell.y, cell.run) for cell in sweep.cells][:3] == [(0, 0, 0), (1, 0, 1), (0, 1, 2)]
    assert sweep.plan.is_sendable
    assert sweep.plan.layout is not None
    assert sweep.plan.layout["x"] == {"vary": "quality", "values": ["low", "High"]}


def test_what_cannot_be_made_is_named_and_left_out() -> None:
    sweep = grid(Axis("size", ("1024x1024", "33x33", "3:2")), Axis("provider", ("OpenAI", "fal", "nobody")))
    problems = {(cell.x, cell.y): cell.problem for cell in sweep.cells if cell.run is None}
    assert set(problems) == {(1, 0), (0, 1), (1, 1), (2, 1), (0, 2), (1, 2), (2, 2)}
    assert "33" in problems[1, 0]
    assert problems[0, 1] == "There is no key for fal/gpt-image-2."
    assert "nobody" in problems[0, 2]
    assert len(sweep.plan.runs) == 2
    assert sweep.plan.is_sendable


def test_cells_that_come_to_the_same_share_a_run() -> None:
    sweep = grid(Axis("output_format", ("png", "PNG", ".png", "jpg")))
    assert [cell.run for cell in sweep.cells] == [0, 0, 0, 1]
    assert sweep.merged == 2
    assert asked(sweep, "output_format") == ["png", "jpeg"]


@pytest.mark.parametrize(
    ("vary", "values", "field", "expected"),
    [
        ("prompt", ("A cat", "A dog"), "prompt", ["A cat", "A dog"]),
        ("replace_text", ("fox", "owl", "hare"), "prompt", ["A fox on a hill", "A owl on a hill", "A hare on a hill"]),
        ("background", ("Opaque", "auto"), "background", ["opaque", "auto"]),
    ],
)
def test_each_setting_can_be_varied(vary: Vary, values: tuple[str, ...], field: str, expected: list[str]) -> None:
    assert asked(grid(Axis(vary, values)), field) == expected


@pytest.mark.parametrize("is_swapped", [False, True])
def test_text_is_replaced_in_the_prompt_of_the_other_axis(is_swapped: bool) -> None:
    axes = [Axis("prompt", ("A red wolf", "A heron")), Axis("replace_text", ("wolf", "owl"))]
    sweep = grid(*(reversed(axes) if is_swapped else axes))
    assert set(asked(sweep, "prompt")) == {"A red wolf", "A red owl", "A heron"}
    assert sweep.plan.problems == ()


def test_models_are_named_with_or_without_their_provider() -> None:
    sweep = grid(Axis("model", ("gpt-image-2", "gpt-image-1-mini", "demo/flat")))
    assert [run.offer.offer_id for run in sweep.plan.runs] == [
        "openai/gpt-image-2",
        "openai/gpt-image-1-mini",
        "demo/flat",
    ]


def test_what_is_wrong_with_the_whole_is_told_once() -> None:
    def told(sweep: Sweep) -> list[str]:
        assert not sweep.plan.is_sendable
        return [problem.message for problem in sweep.plan.problems]

    assert "does not hold “cat”" in told(grid(Axis("replace_text", ("cat", "owl"))))[0]
    assert "Both axes vary quality" in told(grid(Axis("quality", ("low",)), Axis("quality", ("high",))))[0]
    assert "at most 12" in told(grid(Axis("prompt", tuple(str(number) for number in range(13)))))[0]
    assert told(grid(Axis("quality", ("nonsense",))))


def test_an_axis_is_typed_one_value_a_line() -> None:
    assert axis_of("quality", " low \n\nhigh\nlow\n") == Axis("quality", ("low", "high"))
    assert axis_of("quality", " \n ") is None


async def run(one: Harness, plan: Plan, **into: Any) -> GroupView:
    """The group as it stands when the runs of the plan have ended."""
    group_id = await one.engine.submit(plan, LOCAL_OWNER, kind="sweep", **into)
    async for _ in one.engine.follow(group_id, LOCAL_OWNER):
        pass
    found = await library.group(one.services, group_id, LOCAL_OWNER)
    assert found is not None
    return found


@pytest.mark.asyncio
async def test_a_sweep_is_one_group_and_its_holes_are_run_again_in_it(harness: Callable[..., Harness]) -> None:
    one = harness(key=None)
    sweep = grid(Axis("prompt", ("A fox", "A [fail] owl")), at="demo/flat")
    first = await run(one, sweep.plan)
    assert (first.group.kind, first.group.layout) == ("sweep", sweep.plan.layout)
    assert [view.run.state for view in first.runs] == ["succeeded", "failed"]
    again = grid(Axis("prompt", ("A [fail] owl",)), at="demo/flat").plan
    second = await run(one, again, into=(first.group, len(first.runs)))
    assert second.group == first.group
    assert [view.run.position for view in second.runs] == [0, 1, 2]
    await one.stop()
