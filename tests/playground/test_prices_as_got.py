"""What a run cost whose size was left to the provider: priced by the images that came."""

from __future__ import annotations

import pytest

from tests.fakes.fal_faults import NullSizes
from tests.playground.job_world import World, noise, only, request_of

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("tells_sizes", [True, False])
@pytest.mark.parametrize("n", [1, 5])
@only("fal")
async def test_an_edit_whose_size_fal_chose_has_a_cost(n: int, tells_sizes: bool, world: World) -> None:
    if not tells_sizes:
        world.fake.always(NullSizes())
    request = request_of(n, size="auto", quality="medium", images=(noise(1),))
    view = await world.run(request, "fal/gpt-image-1.5")
    assert view.run.state == "succeeded", view.run.error
    assert {(image.width, image.height) for image in view.images} == {(1024, 1024)}
    # The square at medium, and beside it a reference image of 194 tokens and a prompt of 3.
    assert view.cost_microusd == n * 34_000 + 194 * 8 + 3 * 5
    assert (view.cost_source, view.ledger_state) == ("estimated", "settled")


@only("fal")
async def test_a_quality_that_was_left_open_too_leaves_the_cost_unknown(world: World) -> None:
    view = await world.run(request_of(size="auto", quality="auto", images=(noise(1),)), "fal/gpt-image-2")
    assert (view.run.state, view.cost_microusd, view.ledger_state) == ("succeeded", None, "unknown")
