"""Edits with a mask through the whole engine: the raw image as it came, the locked one beside it, whatever happens between."""

from __future__ import annotations

import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy
import pytest
from PIL import Image

from playground import library, lock_keeping
from playground.engine import PlanRefused
from playground.lock_keeping import MAX_TRIES, drift_of
from playground.plan import LOCKED_HERE, make_plan
from playground.services import LOCAL_OWNER
from providers.rows import CATALOG
from providers.types import ImageRequest, InputImage
from storage import history, locks
from storage.errors import StoreFull
from storage.records import RunView
from storage.verify import verify
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER, Harness
from tests.playground.job_world import World, killed, only, until
from tests.playground.judges import names_in
from ui.documents import run_document

Make = Callable[..., Harness]
SIZE = (192, 192)
SQUARE = {"size": "1024x1024", "quality": "low"}


@pytest.fixture
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(key=KEY) as server:
        yield server
        assert server.violations == []


def given(image: Image.Image, form: str = "PNG") -> InputImage:
    out = io.BytesIO()
    image.save(out, form)
    data = out.getvalue()
    return InputImage(data, f"image/{form.lower()}", *image.size, hashlib.sha256(data).hexdigest())


def photo(size: tuple[int, int] = SIZE, form: str = "PNG") -> InputImage:
    values = numpy.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), dtype=numpy.uint8)
    return given(Image.fromarray(values), form)


def mask(size: tuple[int, int] = SIZE) -> InputImage:
    image = Image.new("RGBA", size, (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (size[0] // 4, size[1] // 4, size[0] // 2, size[1] // 2))
    return given(image)


def edit(**changes: Any) -> ImageRequest:
    return ImageRequest("Add a hat", **({"images": (photo(),), "mask": mask(), **SQUARE} | changes))


def blob(one: Harness, sha256: str) -> bytes:
    path = one.services.store.blobs.find(sha256)
    assert path is not None
    return path.read_bytes()


def pixels(data: bytes) -> Any:
    return numpy.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def check_locked(one: Harness, view: RunView, base: InputImage) -> None:
    """Each image has its locked one, equal to the base outside the mask and to the answer inside."""
    assert [lock.image_id for lock in view.locks] == [image.image_id for image in view.images]
    size = (base.width, base.height)
    inside = numpy.zeros((size[1], size[0]), bool)
    inside[size[1] // 4 : size[1] // 2, size[0] // 4 : size[0] // 2] = True
    for image in view.images:
        lock = view.lock_of(image.image_id)
        assert lock is not None
        assert (lock.state, lock.tries) == ("made", 1)
        assert lock.locked is not None
        assert lock.drift is not None
        locked, raw = pixels(blob(one, lock.locked.sha256)), Image.open(io.BytesIO(blob(one, image.sha256)))
        assert (lock.locked.width, lock.locked.height) == size
        assert (locked[~inside] == pixels(base.data)[~inside]).all()
        fitting = raw.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        assert (locked[inside] == numpy.asarray(fitting)[inside]).all()
    assert verify(one.services.store) == []


# On arrival


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.asyncio
async def test_a_model_that_repaints_everything_is_undone_outside_the_mask(
    form: str, harness: Make, fake: FakeOpenAI
) -> None:
    one, base = harness(openai_url=fake.base_url), photo(form=form)
    (view,) = await one.run(edit(images=(base,), n=2))
    await one.stop()
    assert view.run.state == "succeeded"
    assert [image.sha256 for image in view.images] == [hashlib.sha256(data).hexdigest() for data in fake.served]
    check_locked(one, view, base)
    for lock in view.locks:
        assert lock.drift is not None
        drift = drift_of(lock.drift)
        assert drift.percent is not None
        assert drift.percent > 5
        assert lock.note == "The answer was resized from 1024 x 1024 to 192 x 192 px."
    assert view.run.asked["lock_outside_mask"] is True
    assert "lock" not in str(view.run.sent)


@pytest.mark.asyncio
async def test_a_model_that_changes_only_what_the_mask_marks_does_not_drift(harness: Make) -> None:
    size = (1024, 640)
    one, base = harness(), given(Image.radial_gradient("L").resize(size).convert("RGB"))
    (view,) = await one.run(ImageRequest("Add a red hat", images=(base,), mask=mask(size), quality="low"), "demo/flat")
    await one.stop()
    check_locked(one, view, base)
    (lock,) = view.locks
    assert lock.drift is not None
    assert drift_of(lock.drift).percent == 0.0
    assert lock.note == ""


@pytest.mark.asyncio
async def test_a_stream_locks_what_it_ends_with_and_no_preview(harness: Make, fake: FakeOpenAI) -> None:
    one, base = harness(openai_url=fake.base_url), photo()
    (view,) = await one.run(edit(partial_images=2))
    await one.stop()
    assert len(view.partials) == 2
    check_locked(one, view, base)


@pytest.mark.asyncio
async def test_without_the_lock_the_image_stays_as_it_comes(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (unlocked,) = await one.run(edit(lock_outside_mask=False))
    (plain,) = await one.run(edit(mask=None))
    again = await one.engine.retry(unlocked.run.run_id, LOCAL_OWNER)
    async for _ in one.engine.follow(again, LOCAL_OWNER):
        pass
    group = await library.group(one.services, again, LOCAL_OWNER)
    await one.stop()
    assert group is not None
    for view in (unlocked, plain, *group.runs):
        assert (view.run.state, view.locks) == ("succeeded", ())
    assert [view.run.asked["lock_outside_mask"] for view in (unlocked, plain, *group.runs)] == [False, None, False]


@pytest.mark.asyncio
async def test_a_run_from_before_the_lock_is_sent_again_as_it_was(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit())
    sql = "update runs set asked = json_remove(asked, '$.lock_outside_mask')"
    one.services.store.write(lambda db: db.conn.execute(sql))
    again = await one.engine.retry(view.run.run_id, LOCAL_OWNER)
    async for _ in one.engine.follow(again, LOCAL_OWNER):
        pass
    group = await library.group(one.services, again, LOCAL_OWNER)
    await one.stop()
    assert group is not None
    assert group.runs[0].run.asked["lock_outside_mask"] is False
    assert group.runs[0].locks == ()


@pytest.mark.asyncio
async def test_an_answer_of_another_shape_is_kept_and_told(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit(size="1536x1024"))
    await one.stop()
    (lock,) = view.locks
    assert (view.run.state, view.run.error, len(view.images)) == ("succeeded", None, 1)
    assert (lock.state, lock.locked, lock.drift) == ("refused", None, None)
    assert lock.note.startswith("1536 x 1024 px came and image 1 is 192 x 192 px: another shape")
    document: Any = run_document(view, one.services)
    assert document["images"][0]["locked_path"] is None
    assert document["images"][0]["lock_note"] == lock.note
    assert verify(one.services.store) == []


@only("replicate")
@pytest.mark.asyncio
async def test_a_model_that_takes_no_mask_is_locked_all_the_same_and_the_plan_says_what_it_sees(world: World) -> None:
    one = world.process()
    plan = world.plan(one, edit())
    (run,) = plan.runs
    rows = {row.field: row for row in run.fields}
    assert plan.is_sendable
    assert (rows["mask"].handling, rows["mask"].sent_as) == ("refused", None)
    assert "does not see the mask" in rows["mask"].note
    assert "the lock still protects" in rows["mask"].note
    assert f"mask: {rows['mask'].note}" in run.notices
    assert (rows["lock_outside_mask"].handling, rows["lock_outside_mask"].note) == ("emulated", LOCKED_HERE)
    with pytest.raises(PlanRefused, match="takes no mask at Replicate"):
        await one.run(edit(lock_outside_mask=False), world.offer)
    assert "mask" not in names_in(run.call)
    (view,) = await one.run(edit(), world.offer)
    await one.stop()
    check_locked(one, view, photo())


@pytest.mark.asyncio
async def test_the_plan_says_that_another_shape_cannot_be_locked() -> None:
    (run,) = make_plan(edit(size="1536x1024"), [OFFER], CATALOG).runs
    assert run.problems == ()
    (notice,) = [notice for notice in run.notices if notice.startswith("lock outside mask")]
    assert "192 x 192 px, and 1536 x 1024 px is asked for" in notice
    (run,) = make_plan(edit(), [OFFER], CATALOG).runs
    assert run.notices == ()
    (run,) = make_plan(edit(lock_outside_mask=False), [OFFER], CATALOG).runs
    assert [notice.partition(":")[0] for notice in run.notices] == ["lock outside mask"]


@pytest.mark.asyncio
async def test_what_is_made_here_is_no_time_of_the_providers(
    harness: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = lock_keeping.lock

    def slow(*given: Any) -> Any:
        time.sleep(0.2)
        return real(*given)

    monkeypatch.setattr(lock_keeping, "lock", slow)
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit())
    (streamed,) = await one.run(edit(partial_images=0))
    await one.stop()
    for each in (view, streamed):
        assert [lock.state for lock in each.locks] == ["made"]
        sent, finished = (datetime.fromisoformat(at or "") for at in (each.run.sent_at, each.run.finished_at))
        took_ms = (finished - sent) / timedelta(milliseconds=1)
        assert each.run.latency_ms is not None
        assert took_ms - each.run.latency_ms > 190


@pytest.mark.asyncio
async def test_nobody_else_gets_a_locked_image(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit())
    await one.stop()
    (lock,) = view.locks
    for derived in (lock.locked, lock.drift):
        assert derived is not None
        path = library.owned_file(one.services, derived.sha256, LOCAL_OWNER)
        assert path is not None
        assert path.stat().st_size == derived.size_bytes
        assert library.owned_thumbnail(one.services, derived.sha256, LOCAL_OWNER) is not None
        assert library.owned_file(one.services, derived.sha256, "somebody") is None
    assert verify(one.services.store) == []
    sha256 = lock.locked.sha256 if lock.locked else ""
    found = one.services.store.read(lambda db: history.find_image(db, sha256, LOCAL_OWNER))
    assert found is not None
    assert found.run_id == view.run.run_id


@pytest.mark.asyncio
async def test_the_document_of_a_run_leads_to_the_locked_image(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit())
    (plain,) = await one.run(edit(mask=None))
    await one.stop()
    document: Any = run_document(view, one.services)
    (image,) = document["images"]
    with (
        Image.open(image["path"]) as raw,
        Image.open(image["locked_path"]) as locked,
        Image.open(image["drift_path"]) as heat,
    ):
        assert (raw.size, locked.size, heat.size) == ((1024, 1024), SIZE, SIZE)
    assert 0 < image["drift_percent"] < 100
    assert 0 < image["drift_visible_share"] <= 1
    (image,) = run_document(plain, one.services)["images"]  # type: ignore[misc, assignment]
    assert {image[name] for name in image if "lock" in name or "drift" in name} == {None}


# What goes wrong


@pytest.mark.asyncio
async def test_a_lock_that_fails_is_a_note_and_never_fails_the_run(
    harness: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(lock_keeping, "lock", broken)
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit(n=2))
    await one.stop()
    assert (view.run.state, view.run.error, len(view.images)) == ("succeeded", None, 2)
    assert [lock.state for lock in view.locks] == ["refused"] * 2
    assert all(lock.note.startswith("Something failed inside the app") for lock in view.locks)


@pytest.mark.asyncio
async def test_an_input_whose_file_is_gone_is_a_note(harness: Make, fake: FakeOpenAI) -> None:
    one, base = harness(openai_url=fake.base_url), photo()
    (view,) = await one.run(edit(images=(base,)))
    owe_again(one)
    one.services.store.blobs.delete(base.sha256)
    await one.stop()
    assert lock_keeping.lock_left(one.services, one.worker, never) == 1
    view = looked(one)
    assert [lock.state for lock in view.locks] == ["refused"]
    assert "not there any more" in view.locks[0].note


def never() -> bool:
    return False


def looked(one: Harness) -> RunView:
    (view,) = one.services.store.read(lambda db: history.page(db, None).runs)
    return view


def owe_again(one: Harness) -> None:
    """As if no lock had been made yet."""

    def write(db: Any) -> None:
        db.conn.execute("delete from derived_images")
        db.conn.execute("update locks set state = 'due', tries = 0, note = ''")

    one.services.store.write(write)
    for _, path in list(one.services.store.blobs.all()):
        if not one.services.store.read(lambda db, path=path: history.owns_blob(db, path.stem, None)):
            path.unlink()


@pytest.mark.asyncio
async def test_what_a_full_disk_left_due_is_made_later(
    harness: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise StoreFull("The disk is full.")

    one, base = harness(openai_url=fake.base_url), photo()
    monkeypatch.setattr(lock_keeping, "_keep", full)
    (view,) = await one.run(edit(images=(base,)))
    assert (view.run.state, [lock.state for lock in view.locks]) == ("succeeded", ["due"])
    document: Any = run_document(view, one.services)
    assert "not put back yet" in document["images"][0]["lock_note"]
    monkeypatch.undo()
    await one.engine.catch_up(20)
    await one.stop()
    view = looked(one)
    assert (view.locks[0].state, view.locks[0].tries) == ("made", 2)
    assert verify(one.services.store) == []


# A process that dies


@pytest.mark.asyncio
async def test_what_a_crash_left_due_is_made_at_the_next_start(
    harness: Make, fake: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, base = harness(openai_url=fake.base_url), photo()
    monkeypatch.setattr(lock_keeping, "lock_images", lambda *_: None)
    (view,) = await first.run(edit(images=(base,), n=2))
    await first.stop()
    monkeypatch.undo()
    assert [(lock.state, lock.tries) for lock in view.locks] == [("due", 0)] * 2
    # It died before it could say how the run ended.
    first.services.store.write(lambda db: db.conn.execute("update runs set state = 'sending', finished_at = null"))
    first.services.store.write(lambda db: db.conn.execute("update ledger set state = 'reserved'"))
    second = harness(openai_url=fake.base_url)
    await second.engine.start()
    await second.engine.catch_up(20)
    view = looked(second)
    await second.stop()
    assert view.run.state == "unknown"
    check_locked(second, view, base)
    assert fake.posts == 1


@pytest.mark.asyncio
async def test_a_run_of_a_living_process_is_left_to_it(harness: Make, fake: FakeOpenAI) -> None:
    first = harness(openai_url=fake.base_url)
    await first.run(edit())
    owe_again(first)
    first.services.store.write(lambda db: db.conn.execute("update runs set state = 'sending'"))
    second = harness(openai_url=fake.base_url)
    assert lock_keeping.lock_left(second.services, second.worker, never) == 0
    first.worker.close()
    assert lock_keeping.lock_left(second.services, second.worker, lambda: True) == 0, "a stop is heeded"
    assert lock_keeping.lock_left(second.services, second.worker, never) == 1
    await first.stop()
    assert [lock.state for lock in looked(second).locks] == ["made"]


@pytest.mark.asyncio
async def test_an_image_that_ends_the_process_is_not_tried_for_ever(harness: Make, fake: FakeOpenAI) -> None:
    one = harness(openai_url=fake.base_url)
    (view,) = await one.run(edit())
    await one.stop()
    owe_again(one)
    (image,) = view.images
    for _ in range(MAX_TRIES):
        assert one.services.store.write(lambda db: locks.begin(db, image.image_id, MAX_TRIES))
    assert lock_keeping.lock_left(one.services, one.worker, never) == 1
    (lock,) = looked(one).locks
    assert (lock.state, lock.tries, lock.locked) == ("refused", MAX_TRIES, None)
    assert "not tried again" in lock.note


@only("fal")
@pytest.mark.asyncio
async def test_a_job_whose_image_came_before_the_crash_is_locked_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image's row is there, its lock is not; the job is asked for again, and the image comes a second time."""
    base, offer = photo(), "fal/gpt-image-2"
    first, reached, may_go = world.process(), threading.Event(), threading.Event()

    def hang(*_: Any) -> None:
        reached.set()
        may_go.wait(20)

    monkeypatch.setattr(lock_keeping, "lock_images", hang)
    await world.submit(first, edit(images=(base,)), offer)
    await until(reached.is_set)
    monkeypatch.undo()
    async with killed(world, first):
        assert [lock.state for lock in (await world.view(first)).locks] == ["due"]
        view = await world.restarted()
        may_go.set()
    assert (view.run.state, len(view.images)) == ("succeeded", 1)
    check_locked(world.made[-1], view, base)
    assert world.creates == 1
