"""The routes behind the History page: what it shows, what it does, and whose runs it touches."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from sqlite_utils import Database
from starlette.applications import Starlette
from starlette.testclient import TestClient

from playground.embedded import settings_in
from playground.settings import Settings
from providers.types import ImageRequest
from storage import battles, votes
from storage.records import Battle, Vote
from storage.verify import verify
from tests.arena.world import add_run
from tests.harness import Harness
from ui import guard, routes

Make = Callable[..., Harness]
MINE = {"X-Diptych": "1"}


class Visitor:
    """A browser with its cookie, and the calls the page's script makes."""

    def __init__(self, app: Starlette) -> None:
        self.page = TestClient(app, base_url="http://127.0.0.1")
        self.page.get("/")

    @property
    def owner(self) -> str:
        return hashlib.sha256(self.page.cookies[guard.VISITOR_COOKIE].encode()).hexdigest()[:32]

    def found(self, search: str = "", **more: object) -> dict[str, Any]:
        answer = self.page.get("/history/page.json", params={"search": search, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def around(self) -> dict[str, Any]:
        return self.found(around=1)["around"]

    def runs(self, search: str = "", **more: object) -> list[str]:
        return [run["run_id"] for run in self.found(search, **more).get("runs", [])]

    def do(self, action: str, **what: object) -> dict[str, Any]:
        answer = self.page.post("/history/do", json={"do": action, **what}, headers=MINE)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def details(self, run_id: str, image: int = 0) -> dict[str, Any]:
        return self.page.get(f"/history/runs/{run_id}.json", params={"image": image}).json()


@pytest.fixture
def world(harness: Make) -> tuple[Harness, Visitor, Visitor]:
    one = harness(settings=replace(Settings(), mode="public"), key=None)
    app = Starlette(routes=routes.routes(one.app), middleware=guard.middleware(one.settings))
    return one, Visitor(app), Visitor(app)


def test_pages_are_walked_and_jumped_to_and_hold_what_the_page_draws(world: tuple[Harness, Visitor, Visitor]) -> None:
    one, mine, other = world
    for number in range(50):
        add_run(one.services, prompt=f"Lighthouse number{number}", owner=mine.owner)
    first = mine.found()
    assert (first["count"], first["page"], first["pages"], len(first["runs"])) == ("50 runs", 1, 3, 24)
    second = mine.found(before=first["next"], page=2)
    assert [run["run_id"] for run in second["runs"]] == mine.runs(page=2)
    assert len(mine.runs(page=3)) == 2
    assert mine.found(page=99)["page"] == 3
    assert mine.runs(sort="oldest")[0] == mine.runs(page=3)[-1]
    assert len(mine.runs("number7")) == 1
    # Each run is a group of its own; three of other pages move into one of the last page.
    services, group = one.services, mine.found(page=3)["runs"][0]["group_id"]
    moved = mine.runs()[:2] + mine.runs(page=2)[:1]
    services.store.write(
        lambda db: db.conn.executemany("update runs set group_id = ? where run_id = ?", [(group, run) for run in moved])
    )
    assert "rest" not in first
    assert mine.found(groups=1)["rest"] == {group: "More of this group: 2 runs on later pages."}
    assert mine.found(groups=1, page=2)["rest"] == {
        group: "More of this group: 2 runs on earlier pages, 1 run on later pages."
    }
    assert mine.found(groups=1, page=3)["rest"] == {group: "More of this group: 3 runs on earlier pages."}
    assert mine.found("lighthouse", groups=1, sort="dearest", page=2)["rest"].keys() == {group}
    assert mine.found("number", groups=1, page=3)["rest"] == {group: "More of this group: 3 runs on earlier pages."}
    assert mine.found("number7", groups=1)["rest"] == {}
    missed = mine.found("zebra cost:cheap")
    assert (missed["state"], len(missed["misread"])) == ("no_match", 1)
    assert "50 runs are kept" in missed["text"]
    assert other.found()["state"] == "empty"
    assert mine.page.get("/history/page.json?sort=odd").status_code == 400
    assert mine.page.get("/history/page.json?page=0").status_code == 400
    assert mine.page.get("/history/page.json?before=x").status_code == 400


def test_actions_are_told_undone_and_touch_nothing_of_others(world: tuple[Harness, Visitor, Visitor]) -> None:
    one, mine, other = world
    for prompt in ("A fox", "A hare", "An owl"):
        add_run(one.services, prompt=prompt, owner=mine.owner)
    runs = mine.runs()
    image = mine.found()["runs"][0]["images"][0]["id"]
    assert mine.do("favourite", images=[image], on=True)["words"] == "1 image is a favourite."
    assert mine.do("favourite", images=[image], on=True)["changed"] == 0
    assert mine.runs("is:fav") == runs[:1]
    assert other.do("favourite", images=[image], on=False)["changed"] == 0
    assert mine.do("stars", images=[image], stars=4)["changed"] == 1
    tagged = mine.do("tag", search="fox", tags=["Red Fox"])
    assert tagged["words"] == "1 run tagged: red fox."
    assert mine.around()["tags"] == ["red fox"]
    assert mine.do("note", runs=[runs[0]], note="for the poster")["words"] == "Note kept."
    assert mine.runs("poster") == [runs[0]]
    mine.do(**undo(tagged))
    assert mine.around()["tags"] == []

    gone = mine.do("trash", search="-owl")
    assert (gone["words"], mine.runs()) == ("2 images in the trash.", runs[:1])
    assert set(mine.runs("is:trashed")) == set(runs[1:])
    assert mine.around()["trash"]["things"] == 2
    assert mine.details(runs[1])["is_trashed"] is True
    assert other.do("restore", runs=runs)["changed"] == 0
    mine.do(**undo(gone))
    assert mine.runs() == runs
    mine.do("trash", runs=runs)
    assert other.do("delete", runs=runs)["changed"] == 0
    assert mine.do("delete", runs=runs[:1])["words"].startswith("1 image deleted for ever.")
    assert mine.do("empty")["changed"] == 2
    assert mine.found()["state"] == "empty"
    assert mine.page.get(f"/history/runs/{runs[0]}.json").status_code == 404
    assert verify(one.services.store) == []


def undo(answer: dict[str, Any]) -> dict[str, Any]:
    told = dict(answer["undo"])
    return {"action": told.pop("do"), **told}


def test_what_is_not_ours_or_not_understood_is_refused(world: tuple[Harness, Visitor, Visitor]) -> None:
    _, mine, _ = world
    post = mine.page.post
    assert post("/history/do", json={"do": "empty"}).status_code == 403  # without the script's header
    assert post("/history/pack", json={}).status_code == 403
    for body in (
        b"",
        b"[]",
        b'{"do": "burn"}',
        b'{"do": "stars", "stars": 9}',
        b'{"do": "tag", "tags": [""]}',
        b"\xff",
    ):
        answer = post("/history/do", content=body, headers=MINE)
        assert (answer.status_code, bool(answer.json()["error"]["message"])) == (400, True), body
    assert post("/history/do", content=b" " * 17_000_000, headers=MINE).status_code == 400
    assert mine.page.get("/history/pack/x.zip").status_code == 404


def test_searches_are_kept(world: tuple[Harness, Visitor, Visitor]) -> None:
    _, mine, other = world
    mine.do("save_search", name="Dear", query="cost:>1", sort="dearest")
    assert mine.around()["searches"] == [{"name": "Dear", "query": "cost:>1", "sort": "dearest"}]
    assert other.around()["searches"] == []
    mine.do("forget_search", name="Dear")
    assert mine.around()["searches"] == []


def won_and_lost(db: Database, one: str, other: str, voter: str) -> None:
    """A vote between two images."""
    at, never = "2026-11-21T10:15:30.123Z", "2036-11-21T10:15:30.123Z"
    battle = Battle("b" * 32, voter, "generate", "p", one, other, "x/x", "y/y", "chosen", True, 1.0, "voted", at, never)
    battles.insert(db, battle)
    votes.insert(db, Vote(battle.battle_id, voter, "a", 900, True, None, at), battle)


@pytest.mark.asyncio
async def test_a_run_is_told_of_taken_along_and_run_again(world: tuple[Harness, Visitor, Visitor]) -> None:
    one, mine, other = world
    (made,) = await one.run(ImageRequest("a <b>fox</b>", n=2, partial_images=2), "demo/flat", owner=mine.owner)
    data = one.services.store.blobs.path(made.images[0].sha256, "image/png").read_bytes()
    run_id = made.run.run_id
    told = mine.details(run_id)
    assert [row["label"] for row in told["times"]] == ["Queued", "Sent", "First byte", "First preview", "Done"]
    assert (len(told["partials"]), told["lines"][0]["label"], told["link"]) == (2, "Paid", f"#history/run/{run_id}")
    for address in (
        f"runs/{run_id}.json",
        f"runs/{run_id}/code.json",
        f"runs/{run_id}/again.json",
        f"runs/{run_id}/0/bare",
    ):
        assert other.page.get(f"/history/{address}").status_code == 404
    samples = mine.page.get(f"/history/runs/{run_id}/code.json").json()
    assert [one["id"] for one in samples] == ["curl", "python", "sdk", "javascript"]
    assert "fox" in samples[1]["code"]

    bare = mine.page.get(f"/history/runs/{run_id}/0/bare")
    with_settings = mine.page.get(f"/history/runs/{run_id}/0/settings")
    assert Image.open(io.BytesIO(bare.content)).info == {}
    said = settings_in(with_settings.content)
    assert said
    assert (said.run_id, said.prompt, said.sha256) == (run_id, "a <b>fox</b>", made.images[0].sha256)
    pixels = [
        Image.open(io.BytesIO(each)).convert("RGB").tobytes() for each in (data, bare.content, with_settings.content)
    ]
    assert pixels[0] == pixels[1] == pixels[2]

    links = mine.page.post("/history/pack", json={"search": "fox"}, headers=MINE).json()
    with zipfile.ZipFile(io.BytesIO(mine.page.get(f"/{links['zip']}").content)) as archive:
        assert archive.testzip() is None
        assert [archive.read(name) for name in archive.namelist()][0] == data
    report = mine.page.get(f"/{links['report']}").text
    assert "a &lt;b&gt;fox&lt;/b&gt;" in report
    assert "data:image/webp;base64," in report
    assert "http" not in report
    assert other.page.get(f"/{links['zip']}").status_code == 404

    assert "Blind votes" not in {fact["label"] for fact in told["facts"]}
    one.services.store.write(lambda db: won_and_lost(db, made.images[0].image_id, made.images[1].image_id, mine.owner))
    assert {"label": "Blind votes", "text": "1 won · 1 lost", "mono": False} in mine.details(run_id)["facts"]

    again = f"/history/runs/{run_id}/again.json"
    assert mine.page.get(again).json() == {"price": "free", "problem": ""}
    assert mine.page.post(again).status_code == 403
    assert mine.page.post(again, headers=MINE).json()["group"]
    await one.stop()
    assert mine.details(run_id)["same"] == [run for run in mine.runs() if run != run_id]
