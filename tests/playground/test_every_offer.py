"""Every offer with every field it has: what a plan lets through breaks no rule of the provider, the rest has its reason.

The rules are those of the strict fakes, which know nothing of the catalogue. Most plans are judged in this process; some
of each offer go over the wire, through the client.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from playground.plan import PlannedRun, make_plan
from providers.bodies import call_document, with_call_id
from providers.catalog import ModelSpec
from providers.client import Client, Errand
from providers.client_events import ClientEvent, ImageArrived
from providers.fetching import FetchRules
from providers.rows import CATALOG
from providers.transport import Access, Transport
from providers.types import FORMATS, GeneratedImage, ImageRequest, InputImage
from tests.fakes.fal_server import FakeFal
from tests.fakes.lumenfall_server import FakeLumenfall
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.pictures import Format, picture
from tests.fakes.replicate_server import FakeReplicate
from tests.fakes.runware_server import FakeRunware
from tests.harness import no_sleep
from tests.playground.judges import ALL_MODELS, OPENAI_KEY, names_in, violations

OFFERS = [offer.offer_id for offer in CATALOG.offers if offer.provider_id != "demo"]
CASES_OF_CHANCE = 20
"""For each offer; they are the same in every run."""

Changes = dict[str, Any]


@lru_cache
def input_image(number: int = 1, form: Format = "png", *, alpha: bool = False) -> InputImage:
    data = picture((32, 24), form, number=number, alpha=alpha)
    return InputImage(data, f"image/{form}", 32, 24, hashlib.sha256(data).hexdigest())


def images(count: int) -> tuple[InputImage, ...]:
    forms: tuple[Format, ...] = ("png", "jpeg", "webp")
    return tuple(input_image(number, forms[number % 3]) for number in range(count))


MASK = input_image(99, alpha=True)


def spec_of(offer_id: str) -> ModelSpec:
    return CATALOG.spec(CATALOG.offer(offer_id))


def adapter_of(provider_id: str) -> str:
    return CATALOG.provider(provider_id).adapter


def planned(offer_id: str, **changes: Any) -> PlannedRun:
    """The run of a simple request with these changes; an edit where the offer makes nothing else."""
    changes.setdefault("images", images(spec_of(offer_id).min_images))
    (run,) = make_plan(ImageRequest(**{"prompt": "A red fox in snow", **changes}), (offer_id,), CATALOG).runs
    return run


def listed(spec: ModelSpec) -> Iterator[Changes]:
    """Every value the row lists, one field at a time, with what that field needs beside it."""
    free = ("1024x1024", "816x816", "2048x1152", "1568x672", "672x1568", "3840x1280", "2880x2880", "1024x640")
    for size in ("auto", "1:1", "16:9", *(spec.sizes.fixed or (*free, *spec.sizes.suggested))):
        yield {"size": size}
    for ratio in ("1:1", "3:2", "2:3", "16:9", "21:9", "9:16", "5:1", "1:5", "4:5", "2.39:1"):
        yield {"aspect_ratio": ratio}
        for tier in ("1K", "2K", "4K"):
            yield {"aspect_ratio": ratio, "resolution": tier}
    yield from ({"resolution": tier} for tier in ("1K", "2K", "4K", "512", "1.5k"))
    yield from ({"quality": quality} for quality in spec.qualities)
    yield from ({"background": background} for background in ("auto", *spec.backgrounds))
    if "transparent" in spec.backgrounds:
        yield from ({"background": "transparent", "output_format": form} for form in FORMATS if form != "jpeg")
    for form in FORMATS:
        yield {"output_format": form}
        yield from ({"output_format": form, "output_compression": value} for value in (0, 50, 100))
    yield {"output_compression": 50}
    yield from ({"moderation": moderation} for moderation in ("auto", *spec.moderation))
    yield from ({"input_fidelity": fidelity} for fidelity in spec.input_fidelity)
    yield from ({"partial_images": count} for count in range(spec.max_partials + 1))
    yield from ({"user": user} for user in ("u-1", "ü" * 32))
    yield from ({"n": count} for count in (1, 2, 5, 10))
    yield from ({"prompt": prompt} for prompt in ("x", "Füchse 🦊\n“rot” 猫", "x" * 999))


def unlisted(spec: ModelSpec) -> Iterator[Changes]:
    """Values that no row lists, and those that this one does not."""
    for size in ("1920x1080", "512x512", "4096x4096", "3840x1264", "wide", "0x0", "1024X1024", "1٠24x1024", "1024x"):
        yield {"size": size}
    yield from ({"aspect_ratio": text} for text in ("wide", "0:1", "1:0", "16/9", "1٦:9", ":"))
    yield from ({"resolution": text} for text in ("huge", "0K", "4٤K", "2\u212a", "K"))
    yield from ({"quality": text} for text in ("auto", "low", "medium", "high", "xhigh", "max", "ultra", ""))
    yield from ({"background": text} for text in ("opaque", "transparent", "pink", ""))
    yield {"background": "transparent", "output_format": "jpeg"}
    yield from ({"output_format": text} for text in ("svg", "bmp", "PNG", ""))
    yield from ({"output_format": "webp", "output_compression": value} for value in (-1, 101))
    yield from ({"moderation": text} for text in ("low", "none", ""))
    yield from ({"input_fidelity": text} for text in ("low", "high", "most", ""))
    yield from ({"partial_images": count} for count in (-1, 0, 1, 3, 4))
    yield from ({"n": count} for count in (-1, 0, 11, 100, 10**6))
    yield from ({"prompt": text} for text in ("", " \n", "x" * 32_001))


def reference_changes(spec: ModelSpec) -> Iterator[Changes]:
    for count in (1, 3, spec.max_images):
        yield {"images": images(count)}
    if spec.mask:
        yield from ({"images": images(count), "mask": MASK} for count in (1, 3, spec.max_images))


def judge(run: PlannedRun, changes: Changes) -> None:
    """A run that is let through breaks no rule; one that is not says which of the changed fields is why."""
    if run.problems:
        assert {problem.field for problem in run.problems} <= set(changes), (changes, run.problems)
        return
    assert violations(run) == [], changes
    check_account(run)


def check_account(run: PlannedRun) -> None:
    """Each asked field has one row; what is not sent as asked says why; what is sent stands in the body."""
    asked = {
        name
        for name in ImageRequest.__dataclass_fields__
        if name != "timeout_s" and getattr(run.request, name) not in (None, ())
    }
    rows = [row.field for row in run.fields]
    assert len(rows) == len(set(rows))
    assert asked <= set(rows)
    names = names_in(run.call)
    for row in run.fields:
        if row.sent_as is None:
            assert row.note, row
            assert row.handling in ("refused", "converted", "emulated"), row
            continue
        for name in row.sent_as.replace(".", ", ").split(", "):
            assert name in names, row
    assert sum(planned.images for planned in run.calls) == run.request.n


@pytest.mark.parametrize("offer_id", OFFERS)
def test_everything_a_row_lists_is_let_through_and_breaks_no_rule(offer_id: str) -> None:
    spec = spec_of(offer_id)
    for changes in (*listed(spec), *reference_changes(spec)):
        if not (spec.min_images or "input_fidelity" in changes):
            run = planned(offer_id, **changes)
            assert run.problems == (), changes
            judge(run, changes)
        run = planned(offer_id, **{"images": images(2), **changes})
        assert run.problems == (), changes
        judge(run, changes)


@pytest.mark.parametrize("offer_id", OFFERS)
def test_everything_else_has_a_problem_that_names_its_field_or_is_not_sent(offer_id: str) -> None:
    spec = spec_of(offer_id)
    for changes in unlisted(spec):
        judge(planned(offer_id, **changes), changes)
        judge(planned(offer_id, **{"images": images(1), **changes}), changes)
    many = {"images": images(spec.max_images + 1)}
    assert [problem.field for problem in planned(offer_id, **many).problems] == ["images"]
    if spec.min_images:
        assert [problem.field for problem in planned(offer_id, images=()).problems] == ["images"]


@pytest.mark.parametrize("offer_id", OFFERS)
def test_fields_together_break_no_rule(offer_id: str) -> None:
    spec, rng = spec_of(offer_id), random.Random(offer_id)
    values = list(listed(spec))
    sent = 0
    for _ in range(CASES_OF_CHANCE):
        changes: Changes = {}
        for some in rng.sample(values, rng.randint(4, 12)):
            changes |= some
        changes |= rng.choice([{}, *reference_changes(spec)])
        run = planned(offer_id, **changes)
        judge(run, changes)
        sent += not run.problems
    assert sent > CASES_OF_CHANCE // 2


UNKNOWN: dict[str, dict[str, set[str]]] = {
    # Wire format -> field -> its names on the wire. By the provider reference, section 7, and not by the rows.
    "openai": {},
    "replicate": {"partial_images": {"stream", "partial_images"}, "mask": {"mask"}},
    "runware": {
        "input_fidelity": {"input_fidelity", "inputFidelity"},
        "user": {"user", "user_id", "safety_identifier"},
        "partial_images": {"stream", "partial_images", "partialImages"},
        "mask": {"mask", "maskImage"},
    },
    "lumenfall": {"partial_images": {"stream", "partial_images"}},
    "fal": {
        "output_compression": {"output_compression", "outputQuality", "quality_percent"},
        "moderation": {"moderation"},
        "user": {"user", "user_id", "safety_identifier"},
        "partial_images": {"stream", "partial_images"},
    },
}
_FIDELITY, _BACKGROUND, _MODERATION = {"input_fidelity"}, {"background"}, {"moderation"}
UNKNOWN_OF_OFFER: dict[str, dict[str, set[str]]] = {
    **{f"openai/gpt-image-{name}": {"input_fidelity": _FIDELITY} for name in ("2", "2.5-flare", "2.6-sunburst")},
    **{f"replicate/gpt-image-{name}": {"input_fidelity": _FIDELITY} for name in ("2", "2.5-flare")},
    **{f"runware/gpt-image-{name}": {"moderation": _MODERATION} for name in ("1", "1-mini", "1.5")},
    "lumenfall/gpt-image-2": {"input_fidelity": _FIDELITY},
    "lumenfall/fal/gpt-image-1-mini-edit": {
        "moderation": _MODERATION,
        "user": {"user", "safety_identifier"},
        "input_fidelity": _FIDELITY,
        "mask": {"mask"},
    },
    "fal/gpt-image-1": {"mask": {"mask", "mask_url", "mask_image_url"}},
    "fal/gpt-image-1-mini": {"mask": {"mask", "mask_url", "mask_image_url"}, "input_fidelity": _FIDELITY},
    **{
        f"fal/gpt-image-{name}": {"input_fidelity": _FIDELITY, "background": _BACKGROUND}
        for name in ("2", "2.5-flare", "2.5-sunburst")
    },
}
VALUES: Changes = {
    "input_fidelity": "low",
    "user": "u-1",
    "partial_images": 0,
    "mask": MASK,
    "output_compression": 50,
    "moderation": "low",
    "background": "opaque",
}


@pytest.mark.parametrize("offer_id", OFFERS)
def test_a_field_the_offer_does_not_know_is_told_and_never_sent(offer_id: str) -> None:
    unknown = UNKNOWN[adapter_of(offer_id.partition("/")[0])] | UNKNOWN_OF_OFFER.get(offer_id, {})
    for name, wire_names in unknown.items():
        changes = {name: VALUES[name], "output_format": "webp", "images": images(1)}
        run = planned(offer_id, **changes)
        (row,) = [row for row in run.fields if row.field == name]
        assert (row.handling in ("refused", "converted"), row.sent_as, bool(row.note)) == (True, None, True)
        assert not names_in(run.call) & wire_names, name
        if name == "mask":
            unlocked = planned(offer_id, **changes, lock_outside_mask=False)
            assert [problem.field for problem in unlocked.problems] == ["mask"]
            assert "does not see the mask" in row.note
        judge(run, changes)
        assert any(notice.startswith(name.replace("_", " ")) for notice in run.notices)


def test_moderation_of_an_edit_at_openai_is_told_and_never_sent() -> None:
    run = planned("openai/gpt-image-2", images=images(1), moderation="low")
    assert "moderation" not in names_in(run.call)
    assert run.notices == ("moderation: Edits have no moderation setting.",)


# Over the wire


def start(wire_format: str) -> Any:
    match wire_format:
        case "openai":
            return FakeOpenAI(key=OPENAI_KEY, models=ALL_MODELS)
        case "replicate":
            return FakeReplicate(openai_key=OPENAI_KEY, polls=1)
        case "runware":
            return FakeRunware(polls=1)
        case "lumenfall":
            return FakeLumenfall()
    return FakeFal(polls=1)


async def sent(client: Client, run: PlannedRun, fake: Any) -> list[bytes]:
    """The images of all calls of the run, in the order they came."""
    provider = run.provider
    secrets = {"openai": OPENAI_KEY} if run.offer.needs_key_of else {}
    upload = getattr(fake, "rest_url", fake.base_url)
    rules = FetchRules(loopback=True)
    access = Access(provider, fake.base_url, fake.key, secrets, upload if provider.upload_url else None, rules)
    arrived: list[bytes] = []

    async def on_event(event: ClientEvent) -> None:
        if isinstance(event, ImageArrived):
            arrived.append(event.image.data)

    for one in run.calls:
        call_id = str(uuid.uuid4())
        call = with_call_id(one.call, call_id)
        result = await client.generate(Errand(call, access, 30.0, call_id, call_document(call)), on_event)
        assert result.failures == ()
        arrived += [image.data for image in result.images if isinstance(image, GeneratedImage)]
    return arrived


def sampled(offer_id: str) -> Iterator[PlannedRun]:
    """A plain request, one with every setting, an edit with mask where there is one, and some of chance."""
    spec, rng = spec_of(offer_id), random.Random(f"wire {offer_id}")
    size = spec.sizes.fixed[-1] if spec.sizes.fixed else "1024x640"
    full: Changes = {"size": size, "quality": spec.qualities[-1], "background": "auto", "user": "u-1", "n": 3}
    full |= {"output_format": "webp", "output_compression": 60, "moderation": "auto"}
    mask = {"mask": MASK} if spec.mask else {}
    fidelity = {"input_fidelity": spec.input_fidelity[0]} if spec.input_fidelity else {}
    yield planned(offer_id)
    yield planned(offer_id, **full)
    yield planned(offer_id, images=images(3), **full, **mask, **fidelity)
    values = [changes for changes in listed(spec) if not set(changes) & {"n", "aspect_ratio", "resolution", "size"}]
    for _ in range(3):
        changes: Changes = {"aspect_ratio": "16:9", "resolution": "1K", "n": rng.randint(1, 2)}
        for some in rng.sample(values, 5):
            changes |= some
        run = planned(offer_id, **changes, images=images(rng.choice((0, 1, 2)) or spec.min_images))
        if not run.problems:
            yield run


@pytest.mark.parametrize("provider_id", list(dict.fromkeys(name.partition("/")[0] for name in OFFERS)))
def test_a_sample_of_each_offer_goes_over_the_wire(provider_id: str) -> None:
    async def all_of_them(fake: Any) -> None:
        client = Client(Transport(), sleep=no_sleep, rng=random.Random(1))
        for offer_id in OFFERS:
            if offer_id.partition("/")[0] != provider_id:
                continue
            for run in sampled(offer_id):
                assert run.problems == (), offer_id
                before = len(fake.served)
                came = await sent(client, run, fake)
                assert sorted(came) == sorted(fake.served[before:]), offer_id
                assert len(came) == run.request.n
                assert fake.violations == [], offer_id
        await client.close()

    with start(adapter_of(provider_id)) as fake:
        asyncio.run(all_of_them(fake))


def test_the_files_of_a_form_arrive_as_they_are_judged() -> None:
    """The judges read a form's parts as they are planned; over the wire they are the same parts."""
    run = planned("openai/gpt-image-1.5", images=images(3), mask=MASK, quality="low", prompt="Füchse")
    with start("openai") as fake:
        asyncio.run(_once(run, fake))
        assert fake.violations == []
        parts = fake.calls[-1].fields
    call = run.call
    told = [(name, value.encode()) for name, value in call.form] + [(part.name, part.data) for part in call.files]
    assert [(part.name, part.data) for part in parts] == told


async def _once(run: PlannedRun, fake: Any) -> None:
    client = Client(Transport(), sleep=no_sleep)
    await sent(client, replace(run, calls=run.calls[:1]), fake)
    await client.close()
