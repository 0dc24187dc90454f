"""Small copies: what they show, and that a picture is decoded once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from storage import thumbnails
from storage.images import UnreadableImage
from storage.thumbnails import THUMBNAIL_EDGE_PX, Look, ThumbnailFolder
from tests.storage.builders import SHA, picture
from tests.storage.test_images import animation, avif, gif_claiming, png_claiming


@pytest.fixture
def thumbs(tmp_path: Path) -> ThumbnailFolder:
    return ThumbnailFolder(tmp_path / "thumbs")


def make(thumbs: ThumbnailFolder, tmp_path: Path, data: bytes) -> Image.Image:
    source = tmp_path / "source"
    source.write_bytes(data)
    with Image.open(thumbs.ensure(SHA, source)) as small:
        small.load()
        return small


@pytest.mark.parametrize(
    ("data", "size", "mode"),
    [
        (picture(size=(2048, 1024)), (512, 256), "RGB"),
        (picture(size=(1024, 2048), form="JPEG"), (256, 512), "RGB"),
        (picture(size=(100, 50)), (100, 50), "RGB"),
        (picture(size=(1024, 1024), mode="RGBA", colour=(200, 0, 0, 100)), (512, 512), "RGBA"),
        (picture(size=(1024, 512), mode="CMYK", form="JPEG", colour=(1, 2, 3, 4)), (512, 256), "RGB"),
        (picture(size=(1024, 512), form="GIF"), (512, 256), "RGB"),
        (picture(size=(4000, 3)), (512, 1), "RGB"),
        (animation("GIF", 3), (8, 6), "RGB"),
        (picture(mode="P", form="GIF", transparency=40), (8, 6), "RGBA"),
        (avif(), (64, 48), "RGB"),
        (avif(mode="RGBA", colour=(200, 0, 0, 100)), (64, 48), "RGBA"),
    ],
)
def test_thumbnails_fit_and_keep_alpha(
    thumbs: ThumbnailFolder, tmp_path: Path, data: bytes, size: tuple[int, int], mode: str
) -> None:
    small = make(thumbs, tmp_path, data)
    assert (small.format, small.size, small.mode) == ("WEBP", size, mode)
    assert max(small.size) <= THUMBNAIL_EDGE_PX


def test_sixteen_bit_grey_is_scaled_and_not_cut_off(thumbs: ThumbnailFolder, tmp_path: Path) -> None:
    small = make(thumbs, tmp_path, picture(size=(64, 64), mode="I;16", colour=0x8080))
    red, _, _ = small.getpixel((32, 32))
    assert abs(red - 0x80) <= 2


def test_thumbnails_are_upright_and_bare(thumbs: ThumbnailFolder, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by a quarter
    exif[0x010E] = "SECRET place"
    small = make(thumbs, tmp_path, picture(size=(1000, 500), form="JPEG", exif=exif, comment=b"SECRET words"))
    assert small.size == (256, 512)
    assert b"SECRET" not in thumbs.path(SHA).read_bytes()
    assert not small.getexif()


def test_ensure_makes_a_thumbnail_once(thumbs: ThumbnailFolder, tmp_path: Path) -> None:
    source = tmp_path / "source.png"
    source.write_bytes(picture())
    made = thumbs.ensure(SHA, source)
    source.unlink()
    assert thumbs.ensure(SHA, source) == made == thumbs.path(SHA)
    assert thumbs.delete(SHA)
    assert not thumbs.delete(SHA)
    with pytest.raises(FileNotFoundError):
        thumbs.ensure(SHA, source)


@pytest.mark.parametrize(
    "data",
    [
        picture(size=(400, 400))[:120],
        png_claiming(500, 500),
        png_claiming(30_000, 30_000),
        gif_claiming(400, 400),
        avif()[:-5],
        b"text",
    ],
)
def test_no_thumbnail_is_made_of_damaged_bytes(thumbs: ThumbnailFolder, tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnreadableImage):
        make(thumbs, tmp_path, data)
    assert [path for path in thumbs.root.rglob("*") if path.is_file()] == []


def test_hostile_names_of_thumbnails_lead_nowhere(thumbs: ThumbnailFolder, tmp_path: Path) -> None:
    for use in (thumbs.path, thumbs.delete, lambda name: thumbs.ensure(name, tmp_path)):
        with pytest.raises(ValueError, match="not a SHA-256"):
            use("../../etc/passwd")


def test_a_look_shows_the_small_picture_and_the_lowest_alpha_of_the_large_one(
    thumbs: ThumbnailFolder, tmp_path: Path
) -> None:
    image = Image.new("RGBA", (2048, 1024), (200, 0, 0, 255))
    image.putpixel((1000, 500), (0, 0, 0, 3))
    source = tmp_path / "source"
    image.save(source, "PNG", compress_level=1)
    look = thumbs.look(SHA, source)
    assert (look.small.size, look.small.mode, look.lowest_alpha) == ((512, 256), "RGBA", 3)
    assert thumbs.path(SHA).is_file()
    image.convert("RGB").save(source, "PNG", compress_level=1)
    assert thumbs.look(SHA, source).lowest_alpha == 255


def test_who_asks_while_a_picture_is_looked_at_waits_for_that_look(
    thumbs: ThumbnailFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decodings, may_end = [], threading.Event()
    real = thumbnails.decoded

    def slow(data: bytes, edge_px: int | None) -> tuple[Image.Image, int]:
        decodings.append(len(data))
        assert may_end.wait(10)
        return real(data, edge_px)

    monkeypatch.setattr(thumbnails, "decoded", slow)
    source = tmp_path / "source"
    source.write_bytes(picture())
    begun = thumbs.begin(SHA, source.read_bytes())
    waiting, real_result = threading.Semaphore(0), begun.result

    def result() -> Look:
        waiting.release()
        return real_result(10)

    monkeypatch.setattr(begun, "result", result)
    asked: list[Path] = []
    askers = [threading.Thread(target=lambda: asked.append(thumbs.ensure(SHA, source))) for _ in range(3)]
    for asker in askers:
        asker.start()
    assert all(waiting.acquire(timeout=10) for _ in askers)
    assert not thumbs.path(SHA).exists()
    may_end.set()
    for asker in askers:
        asker.join(10)
    assert asked == [thumbs.path(SHA)] * 3
    assert isinstance(begun.result(), Look)
    assert len(decodings) == 1


def test_a_look_that_ended_is_forgotten_and_one_that_failed_is_tried_anew(thumbs: ThumbnailFolder) -> None:
    with pytest.raises(UnreadableImage):
        thumbs.begin(SHA, b"text").result()
    look = thumbs.begin(SHA, picture()).result()
    assert not thumbs.path(SHA).exists()
    assert thumbs.keep(SHA, look).read_bytes() == look.encoded


def look_at(thumbs: ThumbnailFolder, names: str) -> None:
    """Looks at a picture a name, all begun before one ends, however slow the machine is."""
    real, may_end = thumbnails.decoded, threading.Event()

    def held(data: bytes, edge_px: int | None) -> tuple[Image.Image, int]:
        assert may_end.wait(30)
        return real(data, edge_px)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thumbnails, "decoded", held)
        looks = [thumbs.begin(name * 64, picture(size=(400, 400), colour=ord(name))) for name in names]
        may_end.set()
        for look in looks:
            look.result(timeout=30)


def work_behind(thumbs: ThumbnailFolder, times: int = 1) -> None:
    for work in [thumbs.behind(threading.Event().set) for _ in range(times)]:
        work.result(timeout=20)


def rest(monkeypatch: pytest.MonkeyPatch, rest_s: float, most_s: float) -> None:
    monkeypatch.setattr(thumbnails, "_REST_S", rest_s)
    monkeypatch.setattr(thumbnails, "_MOST_REST_S", most_s)


def test_what_is_behind_waits_while_a_browser_paints_several_pictures(
    thumbs: ThumbnailFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(monkeypatch, 1.0, 60.0)
    began = time.monotonic()
    with thumbs.watched():
        look_at(thumbs, "abc")
        work_behind(thumbs)
    assert time.monotonic() - began >= 1


def test_after_one_picture_nothing_waits(thumbs: ThumbnailFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    rest(monkeypatch, 60.0, 60.0)
    with thumbs.watched():
        for name in "abc":
            look_at(thumbs, name)
        work_behind(thumbs)


def test_pictures_without_end_hold_nothing_up_for_ever_and_what_came_together_waits_together(
    thumbs: ThumbnailFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(monkeypatch, 60.0, 0.5)
    with thumbs.watched():
        look_at(thumbs, "abc")
        began = time.monotonic()
        work_behind(thumbs, 40)
    assert 0.5 <= time.monotonic() - began < 8, "two at a time, one after the other, would be 10 s"


def test_where_nobody_watches_nothing_waits(thumbs: ThumbnailFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    rest(monkeypatch, 60.0, 60.0)
    with thumbs.watched():
        pass
    look_at(thumbs, "abc")
    work_behind(thumbs)
