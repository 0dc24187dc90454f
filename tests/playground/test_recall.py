"""Recall: by bytes, by embedded settings, by look; only one's own, and nothing a hostile file says is believed."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
from PIL import Image, ImageEnhance, ImageOps
from sqlite_utils import Database

from arena import bank
from playground import embedded, likeness
from playground import recall as recalling
from playground.delivery import phash_of
from playground.recall import NotRecalled, recall
from playground.services import Services
from providers.demo.studio import Order, draw
from storage import curation, locks, looks, runs
from storage.curation import Picked
from storage.images import decode
from tests.arena.world import add_run, make_services
from tests.storage.builders import NOW, make_derived

Change = Callable[[Image.Image], Image.Image]


def saved(picture: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def half(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width // 2, picture.height // 2))


def cropped(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return picture.crop((round(width * 0.05), round(height * 0.05), round(width * 0.95), round(height * 0.95)))


CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG quality 60 at half size": lambda picture: saved(half(picture), quality=60),
    "WebP": lambda picture: saved(picture, "WEBP", quality=50),
    "cropped by 5 %": lambda picture: saved(cropped(picture), quality=75),
    "a white border": lambda picture: saved(ImageOps.expand(picture, 24, "white"), quality=60),
    "brighter": lambda picture: saved(ImageEnhance.Brightness(picture).enhance(1.1), quality=75),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Services, list[bytes]]:
    """Runs of a dozen drawn pictures and the source images of the bank, a run each."""
    services = make_services(tmp_path_factory.mktemp("recall"))
    prompts = [prompt.prompt for prompt in bank.prompts("generate")]
    files = [
        saved(
            draw(
                Order(
                    model=("painterly", "flat", "sketch")[number % 3],
                    prompt=prompts[number * len(prompts) // 12],
                    size=(320, 320) if number % 2 else (384, 256),
                    quality="low",
                    transparent=False,
                    index=0,
                )
            ).convert("RGB"),
            "PNG",
        )
        for number in range(12)
    ]
    for source in bank.sources():
        with Image.open(bank.path_of(source)) as picture:
            picture.thumbnail((384, 384))
            files.append(saved(picture.convert("RGB"), "PNG"))
    for data in files:
        add_run(services, data=data)

    # As images are looked at on their arrival.
    for image in services.store.read(lambda db: looks.unseen(db, "local", 100)):
        recalling._take_look(services, image)
    return services, files


def sha_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("change", CHANGES)
def test_a_picture_is_found_again_however_it_was_saved(world: tuple[Services, list[bytes]], change: str) -> None:
    services, files = world
    found, wrong = 0, 0
    for data in files[:: 3 if "JPEG" in change else 9]:
        best = recall(services, CHANGES[change](decode(data)), "local").found[0]
        is_it = best.look.image.sha256 == sha_of(data)
        found += is_it and best.is_match
        wrong += best.is_match and not is_it
    assert wrong == 0
    # `benchmarks/recall.py` tells the shares over many more.
    assert found >= len(files[:: 3 if "JPEG" in change else 9]) - ("JPEG" not in change)


def test_what_is_not_here_is_not_found(world: tuple[Services, list[bytes]]) -> None:
    noise = numpy.random.default_rng(3).integers(0, 255, (8, 8, 3), numpy.uint8)
    strange = Image.fromarray(noise).resize((256, 256), Image.Resampling.BICUBIC)
    assert not any(one.is_match for one in recall(world[0], saved(strange), "local").found)
    assert recall(world[0], saved(decode(world[1][0])), "somebody").found == ()


def test_bytes_come_first_whatever_they_are_to_the_image(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    (image_id,) = add_run(services)
    image = services.store.read(lambda db: looks.named(db, image_id, None, blind_at=None))
    assert image
    with services.store.blobs.open(image.image.sha256) as file:
        data = file.read()
    copy, locked = saved(Image.new("RGB", (9, 9)), "GIF"), saved(Image.new("RGB", (9, 8)), "PNG")

    def made(db: Database) -> None:
        runs.set_converted(db, image_id, services.store.blobs.put(copy, "image/gif"), "image/gif")
        locks.owe(db, image_id, NOW)
        derived = make_derived(image_id, sha256=services.store.blobs.put(locked, "image/png"))
        locks.made(db, image_id, [derived], note="", at=NOW)

    services.store.write(made)
    for content, kind in ((data, "image"), (copy, "converted"), (locked, "locked")):
        first = recall(services, content, "local").found[0]
        assert (first.how, first.made, first.look.image.image_id) == ("bytes", kind, image_id)
    services.store.write(lambda db: curation.trash(db, "local", Picked(images=[image_id]), NOW))
    assert recall(services, data, "local").found == ()
    services.store.close()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_settings_travel_in_a_copy_whose_pixels_and_bytes_stay(tmp_path: Path, form: str) -> None:
    services = make_services(tmp_path)
    picture = Image.effect_noise((60, 40), 80).convert("RGB")
    data = saved(picture, form, quality=90)
    (image_id,) = add_run(services, data=data, prompt='A "fox" & <b>more</b> 日本')
    look = services.store.read(lambda db: looks.named(db, image_id, None, blind_at=None))
    assert look
    copy = embedded.with_settings(data, look.image.media_type, embedded.settings_document(look.run, look.image))
    with Image.open(io.BytesIO(copy)) as again, Image.open(io.BytesIO(data)) as before:
        assert again.tobytes() == before.tobytes()
        assert "&amp; &lt;b&gt;more&lt;/b&gt;" in str(again.info.get("xmp", again.info.get("XML:com.adobe.xmp")))
    said = embedded.settings_in(copy)
    assert said
    assert (said.run_id, said.prompt) == (look.run.run_id, look.run.prompt)
    assert embedded.settings_in(data) is None
    best = recall(services, copy, "local").found[0]
    assert (best.how, best.look.image.image_id) == ("settings", image_id)
    assert recall(services, copy, "somebody").found == ()
    assert recall(services, copy, "somebody").settings == said
    services.store.close()


def test_long_words_are_left_out_where_a_segment_ends_and_other_formats_say_so(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    (image_id,) = add_run(services, prompt="long " * 20_000)
    look = services.store.read(lambda db: looks.named(db, image_id, None, blind_at=None))
    assert look
    document = embedded.settings_document(look.run, look.image)
    said = embedded.settings_in(embedded.with_settings(saved(Image.new("RGB", (8, 8))), "image/jpeg", document))
    assert said
    assert (said.image_id, said.prompt) == (image_id, "")
    for media_type, data in (("image/gif", b"GIF89a"), ("image/png", b"no"), ("image/webp", b"RIFFxxxxWEBP")):
        with pytest.raises(embedded.CannotHold):
            embedded.with_settings(data, media_type, document)
    services.store.close()


@pytest.mark.parametrize(
    "inside",
    [
        b"{", b"[]", b"[" * 5000, b'{"run_id": 1}', b"\xff\xfe", b"&" * 1000,
        b'{"run_id": "../x", "image_id": "x", "sha256": "00", "offer": "", "prompt": "", "asked": {}}',
        b'{"run_id": "r", "image_id": "i", "sha256": "' + b"0" * 64 + b'", "offer": "", "prompt": 7, "asked": {}}',
        b" " * 300_000,
    ],
)  # fmt: skip
def test_hostile_settings_are_none(inside: bytes) -> None:
    assert embedded.settings_in(b"junk<diptych:settings>" + inside + b"</diptych:settings>junk") is None


def test_files_that_cannot_be_looked_for_are_refused_in_words(world: tuple[Services, list[bytes]]) -> None:
    for data, words in ((b"", "empty"), (b"%PDF-1.7", "cannot be looked for"), (b"\x89PNG\r\n\x1a\n", "damaged")):
        with pytest.raises(NotRecalled, match=words):
            recall(world[0], data, "local")


def test_looks_that_were_never_taken_are_taken_on_the_way(tmp_path: Path) -> None:
    services = make_services(tmp_path)
    picture = draw(Order(model="flat", prompt="a fox", size=(208, 208), quality="low", transparent=False, index=0))
    data = saved(picture.convert("RGB"), "PNG")
    add_run(services, data=data)
    add_run(services, data=saved(Image.effect_noise((64, 64), 90).convert("RGB"), "PNG")[:-60])
    best = recall(services, saved(half(picture.convert("RGB"))), "local").found[0]
    assert best.look.image.phash == phash_of(decode(data, edge_px=512))
    assert services.store.read(lambda db: looks.unseen(db, "local", 10)) == []
    services.store.close()


def test_the_nearest_of_many_hashes_come_first() -> None:
    rng = numpy.random.default_rng(1)
    hashes = rng.integers(0, 2**63, 5000, numpy.uint64)
    hashes[[7, 70, 700]] = [0b111, 0b1, 0b11]
    assert likeness.nearest([0], hashes, 3) == [70, 700, 7]
    assert likeness.nearest([0, 0b111], hashes, 1) == [7]
    assert likeness.nearest([0], hashes[:0], 3) == []
