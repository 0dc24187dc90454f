"""Files in and out by the page: whose they are, what is told before anything changes, what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from storage.database import Store
from storage.verify import verify
from tests.arena.world import add_run, make_services
from ui import guard, routes
from ui.app import App

MINE = {"X-Diptych": "1"}
Visitor = Callable[[], TestClient]


@pytest.fixture
def public(tmp_path: Path) -> Iterator[tuple[App, Visitor]]:
    services = make_services(tmp_path / "data")
    services = replace(services, settings=replace(services.settings, mode="public"))
    app = App(services, SimpleNamespace(session="here"), None)
    served = Starlette(routes=routes.routes(app), middleware=guard.middleware(services.settings))

    def visitor() -> TestClient:
        page = TestClient(served, base_url="http://127.0.0.1")
        page.get("/")
        return page

    yield app, visitor
    services.store.close()


def owner_of(page: TestClient) -> str:
    import hashlib

    return hashlib.sha256(page.cookies[guard.VISITOR_COOKIE].encode()).hexdigest()[:32]


def offers_in(data: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return [json.loads(line)["offer"] for line in file.read("rows/runs.jsonl").splitlines()]


def count(store: Store, owner: str) -> int:
    return store.read(lambda db: db.execute("select count(*) from runs where owner = ?", (owner,)).fetchone()[0])


def test_an_export_holds_one_s_own_and_comes_back_after_a_look(public: tuple[App, Visitor]) -> None:
    app, visitor = public
    ann, bob = visitor(), visitor()
    add_run(app.services, "openai/ann", owner=owner_of(ann))
    add_run(app.services, "openai/bob", owner=owner_of(bob))
    taken = ann.get("/take-along.zip")
    assert offers_in(taken.content) == ["openai/ann"]
    assert "attachment" in taken.headers["content-disposition"]
    group = app.services.store.read(
        lambda db: db.execute("select group_id from runs where offer = 'openai/bob'").fetchone()[0]
    )
    assert offers_in(bob.get(f"/take-along.zip?group={group}").content) == ["openai/bob"]
    assert ann.get(f"/take-along.zip?group={group}").status_code == 404

    told = bob.post("/bring-back", content=taken.content, headers=MINE).json()
    assert told["words"] == [f"1 run and 1 image would come in, with {told['new_bytes'] / 1000:.0f} kB of files."]
    # Although the bytes are here: that is nobody's business but their owner's.
    assert told["new_bytes"] > 1000
    assert count(app.services.store, owner_of(bob)) == 1
    assert ann.post(f"/bring-back/{told['token']}", headers=MINE).status_code == 404
    done = bob.post(f"/bring-back/{told['token']}", headers=MINE).json()
    assert done["new"]["runs"] == 1
    assert count(app.services.store, owner_of(bob)) == 2
    assert bob.post(f"/bring-back/{told['token']}", headers=MINE).status_code == 404
    again = bob.post("/bring-back", content=taken.content, headers=MINE).json()
    assert (again["nothing"], again["words"]) == (True, ["Everything in it is here already. Nothing was changed."])
    assert bob.delete(f"/bring-back/{again['token']}", headers=MINE).status_code == 200
    assert list((app.services.store.data_dir / "brought").iterdir()) == []
    assert verify(app.services.store) == []


def test_what_is_no_archive_is_refused_in_words_and_left_nowhere(
    public: tuple[App, Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, visitor = public
    ann = visitor()
    refused = ann.post("/bring-back", content=b"GIF89a", headers=MINE)
    assert (refused.status_code, refused.json()["error"]["message"][:19]) == (400, "This is no ZIP file")
    assert ann.post("/bring-back", content=b"GIF89a").status_code == 403
    monkeypatch.setattr("ui.archive_routes.MOST_BYTES", {"public": 10})
    assert ann.post("/bring-back", content=b"x" * 11, headers=MINE).status_code == 413
    assert list((app.services.store.data_dir / "brought").iterdir()) == []


def test_a_picture_is_recalled_for_its_owner_only(public: tuple[App, Visitor]) -> None:
    app, visitor = public
    ann, bob = visitor(), visitor()
    add_run(app.services, owner=owner_of(ann), prompt="A fox")
    (data,) = [path.read_bytes() for _, path in app.services.store.blobs.all()]
    with Image.open(io.BytesIO(data)) as picture:
        out = io.BytesIO()
        picture.convert("RGB").save(out, "JPEG", quality=60)
    for content, words in ((data, "The very file"), (out.getvalue(), "Looks the same")):
        found = ann.post("/recall", content=content, headers=MINE).json()
        (row,) = found["rows"]
        assert row["prompt"] == "A fox"
        # How near a smaller JPEG comes depends on what was drawn.
        assert row["words"] in ({words, "Very likely this one"} if words == "Looks the same" else {words})
        assert bob.post("/recall", content=content, headers=MINE).json()["state"] == "none"
    assert ann.post("/recall", content=b"%PDF", headers=MINE).status_code == 400
    assert ann.post("/recall", content=data).status_code == 403


def test_a_fault_is_told_in_words_and_logged(
    public: tuple[App, Visitor], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ann = public[1]()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr("ui.archive_routes.recall", broken)
    answer = ann.post("/recall", content=b"a picture", headers=MINE)
    assert answer.status_code == 500
    assert "The log has the details." in answer.text
    assert "secret" not in answer.text
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]
