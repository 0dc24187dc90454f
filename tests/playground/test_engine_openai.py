"""The whole way from a request to stored images, judged by a strict server that was written from the reference alone."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from playground.services import LOCAL_OWNER
from providers.types import ImageRequest, InputImage
from tests.fakes import faults
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness

Make = Callable[..., Harness]


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server


def picture(size: tuple[int, int] = (64, 64), colour: str = "red", form: str = "PNG", mode: str = "RGB") -> InputImage:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, form)
    data = out.getvalue()
    return InputImage(data, f"image/{form.lower()}", *size, hashlib.sha256(data).hexdigest())


def mask(size: tuple[int, int] = (64, 64)) -> InputImage:
    image = Image.new("RGBA", size, (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (8, 8, 32, 32))
    out = io.BytesIO()
    image.save(out, "PNG")
    return InputImage(out.getvalue(), "image/png", *size, hashlib.sha256(out.getvalue()).hexdigest())


def served_hashes(fake: FakeOpenAI) -> list[str]:
    return [hashlib.sha256(data).hexdigest() for data in fake.served]


CASES = {
    "plain": ImageRequest("A red fox", size="1024x1024", quality="low"),
    "nothing said": ImageRequest("A red fox"),
    "auto": ImageRequest("A red fox", size="auto", quality="auto", background="auto", moderation="auto"),
    "ten": ImageRequest("A red fox", n=10, size="1024x1024", quality="low"),
    "largest": ImageRequest("A red fox", size="3840x2160", quality="high"),
    "odd size": ImageRequest("A red fox", size="1920x1088", quality="medium"),
    "jpeg": ImageRequest("A red fox", output_format="jpeg", output_compression=60),
    "webp": ImageRequest("A red fox", output_format="webp", output_compression=0),
    "png asked to be compressed": ImageRequest("A red fox", output_format="png", output_compression=60),
    "transparent": ImageRequest("A red fox", background="transparent", output_format="png"),
    "moderation low": ImageRequest("A red fox", moderation="low", user="someone-17"),
    "fidelity on a model without it": ImageRequest("A red fox", images=(picture(),), input_fidelity="high"),
    "stream without previews": ImageRequest("A red fox", partial_images=0),
    "stream with three previews": ImageRequest("A red fox", partial_images=3, quality="low"),
    "stream of two": ImageRequest("A red fox", partial_images=2, n=2),
    "edit": ImageRequest("Add a hat", images=(picture(),)),
    "edit of two": ImageRequest("Add a hat", images=(picture(), picture(form="JPEG"))),
    "edit of sixteen": ImageRequest("Add a hat", images=tuple(picture(form="WEBP") for _ in range(16))),
    "edit with mask": ImageRequest("Add a hat", images=(picture(),), mask=mask(), moderation="low"),
    "edit as a stream": ImageRequest("Add a hat", images=(picture(), picture()), partial_images=1, n=2),
    "non-ASCII prompt": ImageRequest("Füchse 🦊 – „rot“\nund 猫"),
    "prompt of the longest": ImageRequest("x" * 32_000),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.asyncio
async def test_a_strict_server_finds_no_fault_and_its_bytes_are_kept(
    name: str, harness: Make, fake: FakeOpenAI
) -> None:
    request = CASES[name]
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(request)
    await one.stop()
    assert fake.violations == []
    assert view.run.state == "succeeded", view.run.error
    assert [image.sha256 for image in view.images] == served_hashes(fake)
    for image, data in zip(view.images, fake.served, strict=True):
        path = one.services.store.blobs.find(image.sha256)
        assert path is not None
        assert path.read_bytes() == data
    assert len(view.images) == request.n
    assert len(view.partials) == fake.partials_sent
    assert fake.posts == 1
    assert view.cost_source == "computed"
    assert view.cost_microusd is not None
    assert view.cost_microusd > 0


@pytest.mark.parametrize("quality", ["auto", "low", "medium", "high", "xhigh", "max"])
@pytest.mark.asyncio
async def test_each_quality_is_sent_as_asked(quality: str, harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    view = await one.one(offer="openai/gpt-image-2.5-flare", quality=quality)
    await one.stop()
    assert fake.violations == []
    assert view.run.sent is not None
    assert view.run.sent["quality"] == quality


@pytest.mark.parametrize("offer", ["openai/gpt-image-1-mini", "openai/gpt-image-1.5", "openai/chatgpt-image-latest"])
@pytest.mark.asyncio
async def test_older_models_take_their_own_fields(offer: str, harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(
        ImageRequest("Add a hat", images=(picture(),), input_fidelity="low", size="1536x1024", quality="high"), offer
    )
    await one.stop()
    assert fake.violations == []
    assert view.run.state == "succeeded"


@pytest.mark.asyncio
async def test_an_estimate_of_a_fixed_size_is_what_the_usage_costs(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    view = await one.one("x" * 40, size="1024x1024", quality="high")
    await one.stop()
    assert view.run.estimate_microusd == 7024 * 30 + 10 * 5
    assert view.cost_microusd is not None
    assert abs(view.cost_microusd - view.run.estimate_microusd) <= 20 * 5


NOT_BILLED = {
    "wrong-key": "auth",
    "key-echoed": "auth",
    "org-not-verified": "permission",
    "moderation-blocked": "moderation",
    "model-gone": "not_found",
    "no-credit": "quota",
    "hard-limit": "quota",
    "redirect-302": "server",
    "redirect-307": "server",
}
"""The strict server's faults that certainly cost nothing, by their names there, with their kinds."""

MAY_BE_BILLED = {
    "server-error": "server",
    "bad-gateway": "server",
    "gateway-timeout": "server",
    "request-timeout": "timeout",
    "conflict": "server",
    "reset-before-body": "network",
    "reset-after-body": "network",
    "cut-headers": "network",
    "cut-body": "network",
}
MALFORMED = {name for name in faults.NAMED if name.startswith(("invalid-json", "json-"))}
PRICED = {name for name in faults.NAMED if name.startswith(("data-", "b64-"))}
"""No image can be read, and the usage beside it tells what the call cost."""
ELSEWHERE = {"hang", "hang-unread", "slow", "drip", "gzip", "unavailable", "unavailable-retry", "not-an-image"} | {
    name
    for name in faults.NAMED
    if name.startswith(("rate-", "stream-", "truncated", "image-bomb", "wrong-size", "fewer"))
}
"""Faults with tests of their own below: waited for, kept, or only in streams."""


def test_every_fault_of_the_strict_server_is_expected_to_end_somehow() -> None:
    assert {*NOT_BILLED, *MAY_BE_BILLED, *MALFORMED, *PRICED, *ELSEWHERE} == set(faults.NAMED)


@pytest.mark.parametrize("name", [*NOT_BILLED, *MAY_BE_BILLED, *sorted(MALFORMED)])
@pytest.mark.asyncio
async def test_each_fault_ends_in_words_and_is_billed_at_most_once(name: str, harness: Make, fake: FakeOpenAI) -> None:
    may_be_billed = name not in NOT_BILLED
    kind = {**NOT_BILLED, **MAY_BE_BILLED}.get(name, "malformed")
    fake.always(faults.NAMED[name])
    one = harness(openai_url=fake.base_url)
    view = await one.one()
    assert fake.posts == 1
    assert view.run.error is not None
    assert view.run.state == ("unknown" if may_be_billed else "failed")
    assert (view.run.error.kind, view.run.error.may_have_been_billed) == (kind, may_be_billed)
    assert view.run.error.message.endswith((".", "”"))
    assert view.ledger_state == ("unknown" if may_be_billed else "released")
    fake.always(None)
    again = await one.one()
    await one.stop()
    assert again.run.state == "succeeded"


@pytest.mark.parametrize("name", sorted(PRICED))
@pytest.mark.asyncio
async def test_an_answer_without_images_is_priced_by_its_usage(name: str, harness: Make, fake: FakeOpenAI) -> None:
    fake.always(faults.NAMED[name])
    one = harness(openai_url=fake.base_url)
    view = await one.one(size="1024x1024", quality="low")
    await one.stop()
    assert fake.posts == 1
    assert view.run.error is not None
    assert (view.run.error.kind, view.run.error.may_have_been_billed) == ("malformed", True)
    assert (view.run.state, view.ledger_state, view.cost_source) == ("failed", "settled", "computed")
    assert view.cost_microusd is not None
    assert view.cost_microusd >= 196 * 30


@pytest.mark.parametrize("fault", [faults.NotAnImage(), faults.ImageBomb()], ids=["text", "bomb"])
@pytest.mark.asyncio
async def test_bytes_that_are_no_usable_image_are_kept_and_explained(
    fault: faults.Fault, harness: Make, fake: FakeOpenAI
) -> None:
    fake.next(fault)
    one = harness(openai_url=fake.base_url)
    view = await one.one()
    await one.stop()
    assert view.images == ()
    assert view.run.error is not None
    assert view.run.error.kind == "malformed"
    assert view.run.unreadable_sha256 is not None
    assert one.services.store.blobs.find(view.run.unreadable_sha256) is not None
    assert fake.posts == 1


@pytest.mark.asyncio
async def test_a_truncated_image_is_kept_and_marked(harness: Make, fake: FakeOpenAI) -> None:
    fake.next(faults.TruncatedImage())
    one = harness(openai_url=fake.base_url)
    view = await one.one()
    await one.stop()
    assert [image.checks for image in view.images] == [("damaged",)]


@pytest.mark.asyncio
async def test_a_rate_limit_is_waited_for_and_said(harness: Make, fake: FakeOpenAI) -> None:
    fake.next(faults.rate_limited(1), faults.unavailable(1))
    one = harness(openai_url=fake.base_url)
    view = await one.one()
    await one.stop()
    assert view.run.state == "succeeded"
    assert fake.posts == 3
    assert len(fake.served) == 1


@pytest.mark.asyncio
async def test_a_rate_limit_that_lasts_ends_the_run_unbilled(harness: Make, fake: FakeOpenAI) -> None:
    fake.always(faults.rate_limited(2))
    one = harness(openai_url=fake.base_url)
    view = await one.one()
    await one.stop()
    assert view.run.state == "failed"
    assert view.run.error is not None
    assert view.run.error.kind == "rate_limit"
    assert view.run.error.retry_after_s == 2
    assert (view.cost_microusd, view.ledger_state) == (0, "released")


@pytest.mark.asyncio
async def test_a_long_wait_is_reported_at_once(harness: Make, fake: FakeOpenAI) -> None:
    fake.always(faults.rate_limited(3600))
    one = harness(openai_url=fake.base_url)
    view = await one.one()
    await one.stop()
    assert fake.posts == 1
    assert view.run.error is not None
    assert view.run.error.retry_after_s == 3600


@pytest.mark.asyncio
async def test_a_server_that_is_not_there_was_sent_nothing(harness: Make) -> None:
    one = harness(openai_url="http://127.0.0.1:9/v1")
    view = await one.one()
    await one.stop()
    assert view.run.state == "failed"
    assert view.run.error is not None
    assert view.run.error.kind == "network"
    assert view.ledger_state == "released"


@pytest.mark.asyncio
async def test_the_time_limit_holds_for_hanging_and_dripping_servers(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    for fault in (faults.Hang(), faults.Hang(unread=True), faults.Drip()):
        fake.next(fault)
        planned = ImageRequest("A red fox", timeout_s=30)
        from playground.plan import make_plan

        plan = make_plan(planned, [OFFER], one.services.catalog)
        run = plan.runs[0]
        from dataclasses import replace

        short = replace(plan, runs=(replace(run, request=replace(planned, timeout_s=0.5)),))
        group_id = await one.engine.submit(short, LOCAL_OWNER)
        async for _ in one.engine.follow(group_id, LOCAL_OWNER):
            pass
    from playground import library

    groups = await library.recent_groups(one.services, LOCAL_OWNER, limit=5)
    await one.stop()
    # The newest first: only the dripping server had begun to answer.
    assert [group.runs[0].run.first_byte_ms is None for group in groups] == [False, True, True]
    for group in groups:
        view = group.runs[0]
        assert view.run.state == "unknown"
        assert view.run.error is not None
        assert view.run.error.kind == "timeout"
    assert fake.posts == 3


@pytest.mark.parametrize("fault", [faults.StreamError(), faults.StreamWithoutCompleted()])
@pytest.mark.asyncio
async def test_a_stream_that_fails_keeps_its_previews(fault: faults.Fault, harness: Make, fake: FakeOpenAI) -> None:
    fake.next(fault)
    one = harness(openai_url=fake.base_url)
    view = await one.one(partial_images=2)
    await one.stop()
    assert view.run.state == "unknown"
    assert view.run.error is not None
    assert view.partials
    assert fake.posts == 1


@pytest.mark.asyncio
async def test_the_first_of_two_is_kept_when_the_stream_is_cut(harness: Make, fake: FakeOpenAI) -> None:
    fake.next(faults.StreamCut(after="completed"))
    one = harness(openai_url=fake.base_url)
    view = await one.one(partial_images=0, n=2)
    await one.stop()
    assert len(view.images) == 1
    assert view.run.state == "unknown"
    assert view.ledger_state == "unknown"


@pytest.mark.asyncio
async def test_fewer_images_than_asked_are_kept_and_said(harness: Make, fake: FakeOpenAI) -> None:
    fake.next(faults.FewerImages())
    one = harness(openai_url=fake.base_url)
    view = await one.one(n=3)
    await one.stop()
    assert view.run.state == "succeeded"
    assert view.run.error is not None
    assert "of 3 images" in view.run.error.message


@pytest.mark.asyncio
async def test_stopping_a_call_under_way_says_that_it_may_be_billed(harness: Make, fake: FakeOpenAI) -> None:
    fake.always(faults.Hang())
    one = harness(openai_url=fake.base_url)
    waiting = asyncio.create_task(one.one())
    while not fake.posts:
        await asyncio.sleep(0.01)
    assert one.engine.running(LOCAL_OWNER) == 1
    assert await one.engine.cancel_all(LOCAL_OWNER) == 1
    view = await waiting
    await one.stop()
    assert view.run.state == "unknown"
    assert view.run.error is not None
    assert view.run.error.kind == "cancelled"
    assert view.run.error.may_have_been_billed


@pytest.mark.asyncio
async def test_queued_runs_leave_at_once_and_cost_nothing(harness: Make, fake: FakeOpenAI) -> None:
    fake.always(faults.Hang())
    one = harness(openai_url=fake.base_url)
    waiting = [asyncio.create_task(one.one()) for _ in range(7)]
    while fake.posts < 5:
        await asyncio.sleep(0.01)
    await one.engine.cancel_all(LOCAL_OWNER)
    states = sorted(view.run.state for view in await asyncio.gather(*waiting))
    await one.stop()
    assert states == ["cancelled"] * 2 + ["unknown"] * 5
    assert fake.posts == 5
