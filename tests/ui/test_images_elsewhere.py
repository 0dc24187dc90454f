"""The application with its images in an object store: who is shown what, and what is said when the store fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground import curation, uploads
from playground.image_home import elsewhere_of
from playground.image_hygiene import UploadRefused
from playground.image_store import ImageStore
from playground.services import LOCAL_OWNER
from playground.settings import Settings, SettingsError
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage import uploading
from storage.blob_places import read_place
from storage.curation import Picked
from storage.freeing import freed, sweep_freed
from storage.objects_folder import MARKER
from storage.records import RunView, StoredImage
from storage.verify import verify
from tests.harness import Harness
from tests.storage.object_stores import soon
from ui import guard, routes
from ui.pages.settings import _storage
from ui.trouble import trouble_view

Visitor = Callable[[], TestClient]
OPENED = {"Sec-Fetch-Dest": "document"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "store of images"


@pytest.fixture
def public(harness: Callable[..., Harness], place: Path) -> Iterator[tuple[Harness, Visitor]]:
    images = ImageStore(read_place(place.as_uri()), 1, True, None, None, None)
    one = harness(settings=replace(Settings(), mode="public", images=images), key=None)
    app = Starlette(routes=routes.routes(one.app), middleware=guard.middleware(one.settings))

    def visitor() -> TestClient:
        page = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
        page.get("/")
        return page

    return one, visitor


def owner_of(page: TestClient) -> str:
    import hashlib

    return hashlib.sha256(page.cookies[guard.VISITOR_COOKIE].encode()).hexdigest()[:32]


async def made(one: Harness, owner: str) -> RunView:
    (view,) = await one.run(ImageRequest("a fox"), "demo/flat", owner=owner)
    await one.stop()
    soon(lambda: one.services.store.blobs.waiting() == 0)
    return view


def beside_the_loop(count: Callable[[], int]) -> Callable[[], int]:
    """Counting files takes the longer the more of them wait."""

    def counted() -> int:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return count()

    return counted


async def an_image_of_mine(public: tuple[Harness, Visitor]) -> tuple[TestClient, TestClient, StoredImage, Any]:
    """Mine, somebody else, an image of mine that is in the object store, and the blobs."""
    one, visitor = public
    mine, other = visitor(), visitor()
    (image,) = (await made(one, owner_of(mine))).images
    return mine, other, image, one.services.store.blobs


@pytest.mark.asyncio
async def test_an_image_that_is_elsewhere_is_fetched_for_its_owner_alone_and_its_thumbnail_is_not(
    public: tuple[Harness, Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = public
    mine, other, image, blobs = await an_image_of_mine(public)
    path = blobs.here(image.sha256)
    data = path.read_bytes()
    path.unlink()
    asked: list[str] = []
    monkeypatch.setattr(blobs.objects, "get", lambda name, get=blobs.objects.get: asked.append(name) or get(name))
    addresses = [f"/media/{path.name}", f"/media/{path.name}?download", f"/thumbs/{image.sha256}.webp"]
    assert [other.get(address, headers=OPENED).status_code for address in addresses] == [404, 404, 404]
    assert mine.get(addresses[2]).status_code == 200
    assert asked == []  # neither for a stranger nor for a thumbnail that is here
    assert mine.get(addresses[0]).content == data
    assert len(asked) == 1
    path.unlink()
    one.services.store.thumbs.delete(image.sha256)
    assert mine.get(addresses[2]).headers["content-type"] == "image/webp"


@pytest.mark.asyncio
async def test_only_an_image_that_is_opened_by_itself_comes_by_a_signed_address_and_only_for_its_owner(
    public: tuple[Harness, Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other, image, blobs = await an_image_of_mine(public)
    signed = "https://bucket.example/x.png?X-Amz-Signature=abc"
    monkeypatch.setattr(blobs.objects, "signed_address", lambda *_: signed)
    address = f"/media/{blobs.here(image.sha256).name}"
    answer = mine.get(address, headers=OPENED)
    assert (answer.status_code, answer.headers["location"]) == (302, signed)
    assert answer.headers["cache-control"] == "no-store"
    assert other.get(address, headers=OPENED).status_code == 404
    # In a page it may be painted on a canvas; what is saved may have its settings inside.
    for query, headers in (("", {}), ("", {"Sec-Fetch-Dest": "image"}), ("?download", OPENED)):
        assert mine.get(address + query, headers=headers).status_code == 200
    blobs.spool.add(blobs.here(image.sha256).name)  # not there yet
    assert mine.get(address, headers=OPENED).status_code == 200


@pytest.mark.asyncio
async def test_while_the_store_is_away_runs_go_on_and_the_page_says_what_is_not_shown(
    public: tuple[Harness, Visitor], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "_FIRST_PAUSE_S", 0.01)
    one, visitor = public
    mine = visitor()
    gone = (await made(one, owner_of(mine))).images[0]
    blobs = one.services.store.blobs
    blobs.here(gone.sha256).unlink()
    assert await trouble_view(one.app, owner_of(mine)) is None
    (place / MARKER).rename(place / "away")
    refused = mine.get(f"/media/{gone.sha256}.png")
    assert refused.status_code == 503
    assert "another place" in refused.text
    assert str(place) not in refused.text
    monkeypatch.setattr(blobs, "waiting", beside_the_loop(blobs.waiting))
    told = await trouble_view(one.app, owner_of(mine))
    assert told is not None
    assert (told["title"], told["images"]) == ("The place of the images does not answer.", 0)
    assert str(place) not in str(told)
    with pytest.raises(UploadRefused, match="another place"):
        await uploads.load_input(one.services, owner_of(mine), gone.sha256)
    sha256 = blobs.put(b"paid for meanwhile", "image/png")
    soon(lambda: blobs.away)
    assert blobs.here(sha256).read_bytes() == b"paid for meanwhile"
    (place / "away").rename(place / MARKER)
    soon(lambda: mine.post("/disk", headers={"X-Diptych": "1"}).json() == {"trouble": None})
    assert mine.get(f"/media/{gone.sha256}.png").status_code == 200


@pytest.mark.asyncio
async def test_what_is_deleted_while_the_store_is_away_goes_there_after_a_restart(
    harness: Callable[..., Harness], place: Path, tmp_path: Path
) -> None:
    settings = replace(Settings(), images=ImageStore(read_place(place.as_uri()), 1, False, None, None, None))
    one = harness(settings=settings)
    view = await made(one, LOCAL_OWNER)
    services, (image,) = one.services, view.images
    there = place / image.sha256[:2] / services.store.blobs.here(image.sha256).name
    (place / MARKER).rename(place / "away")
    await curation.trash(services, LOCAL_OWNER, Picked(runs=(view.run.run_id,)))
    await curation.empty_trash(services, LOCAL_OWNER)
    sweep_freed(services.store, unused_s=0)
    assert services.store.blobs.here(image.sha256) is None
    assert there.exists()
    assert image.sha256 in services.store.read(freed)
    one.close()
    (place / "away").rename(place / MARKER)
    again = harness(settings=settings)
    soon(lambda: sweep_freed(again.services.store, unused_s=0))
    assert not there.exists()
    assert verify(again.services.store, reads_objects=True) == []


@pytest.mark.asyncio
async def test_settings_say_where_images_are_and_how_many_are_not_there_yet(
    public: tuple[Harness, Visitor], place: Path
) -> None:
    one, visitor = public
    image = (await made(one, owner_of(visitor()))).images[0]
    shown = _storage(one.services, is_host=True)
    assert shown["images_at"] == place.as_uri()
    figures = {card["label"]: card["note"] for card in shown["cards"]}
    assert figures["Images"] == figures["Of them on this disk"] == "1 file"
    one.services.store.blobs.here(image.sha256).unlink()
    figures = {card["label"]: card["note"] for card in _storage(one.services, is_host=True)["cards"]}
    assert (figures["Images"], figures["Of them on this disk"]) == ("1 file", "0 files")
    assert str(place) not in str(_storage(one.services, is_host=False))


def test_the_setting_is_read_and_a_key_in_it_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.from_env({}, CATALOG).images is None
    given = {
        "DIPTYCH_BLOBS_URL": "s3://bucket/below/",
        "DIPTYCH_BLOBS_REDIRECT": "on",
        "AWS_SECRET_ACCESS_KEY": "hush-hush",
    }
    settings = Settings.from_env(given, CATALOG)
    assert settings.images is not None
    assert (settings.images.place.url, settings.images.cache_mb, settings.images.redirects) == (
        "s3://bucket/below",
        5000,
        True,
    )
    assert "hush-hush" in [secret.reveal() for secret in settings.secrets]
    assert "hush-hush" not in repr(settings)
    with pytest.raises(SettingsError, match="DIPTYCH_BLOBS_URL must be s3://") as raised:
        Settings.from_env({"DIPTYCH_BLOBS_URL": "s3://id:hush@bucket"}, CATALOG)
    assert "hush" not in str(raised.value)
    monkeypatch.setattr("playground.image_home.find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"requirements-scale\.txt"):
        elsewhere_of(settings.images)
