"""The named endpoints, asked by a real client over HTTP: blind battles, votes, boards, and refusals as documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.ui.browser import RunningApp, served
from tests.ui.caller import Caller
from tests.ui.makers import DRAWN, told_in


@pytest.fixture(scope="module", params=["local", "public"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with served(tmp_path_factory.mktemp(f"api-{request.param}"), DIPTYCH_MODE=request.param) as one:
        yield one


@pytest.fixture
def callers(app: RunningApp) -> Iterator[Callable[..., Caller]]:
    """Makes a new visitor, or somebody without a token."""
    made: list[Caller] = []

    def make(*, is_known: bool = True) -> Caller:
        token = httpx.post(f"{app.url}visitor", trust_env=False).json()["token"] if is_known else None
        made.append(Caller(app.url, token))
        return made[-1]

    yield make
    for one in made:
        one.http.close()


@pytest.mark.parametrize("task", ["generate", "edit"])
def test_a_battle_is_blind_until_its_one_vote(callers: Callable[..., Caller], task: str) -> None:
    caller = callers()
    battle = caller("new_battle", task, "demo", "")
    assert [*battle][:6] == ["battle_id", "task", "prompt", "image_a", "image_b", "inputs"]
    assert (battle["task"], bool(battle["inputs"])) == (task, task == "edit")
    images = [caller.get(battle[side]) for side in ("image_a", "image_b")]
    assert {(image.status_code, image.headers["content-type"]) for image in images} == {(200, "image/webp")}
    assert len({len(image.content) for image in images}) == 1
    assert all(caller.get(path).status_code == 200 for path in battle["inputs"])
    assert caller("new_battle", "any", "history", "")["battle_id"] == battle["battle_id"]
    assert told_in(caller.said, battle["prompt"], DRAWN) == []
    refused = caller("vote", battle["battle_id"], "left")
    assert refused["problems"][0]["field"] == "outcome"
    voted = caller("vote", battle["battle_id"], "a")
    assert [*voted] == ["counted", "reason", "reveal", "change"]
    assert (voted["counted"], voted["reason"]) == (True, None)
    assert {side["provider"] for side in voted["reveal"].values()} == {"demo"}
    assert voted["change"]["a"]["after"] > voted["change"]["a"]["before"]
    again = caller("vote", battle["battle_id"], "b")
    assert "has its vote already" in again["error"]["message"]
    board = caller("leaderboard", "generate" if task == "generate" else "edit-single", "bradley-terry", "half")
    assert "competitors" in board


def test_a_board_follows_each_vote_and_is_what_its_export_gives(callers: Callable[..., Caller]) -> None:
    caller = callers()
    before = caller("leaderboard", "generate", "elo", "half")["votes"]
    battle = caller("new_battle", "generate", "demo", "")
    caller("vote", battle["battle_id"], "tie")
    board = caller("leaderboard", "generate", "elo", "half")
    assert board["votes"] == before + 1
    assert board["competitors"][0]["low"] is None
    rows = caller.get("votes.csv").text.splitlines()
    assert len(rows) == board["votes"] + 1
    assert caller("leaderboard", "generate", "davidson", "half")["tie_parameter"] is not None


@pytest.mark.parametrize(
    ("name", "data", "field"),
    [
        ("new_battle", ("paint", "history", ""), "task"),
        ("new_battle", ("generate", "stolen", ""), "source"),
        ("new_battle", ("generate", "demo", "no-such-category"), "category"),
        ("new_battle", ("edit", "history", "no-such-category"), "category"),
        ("new_battle", ({}, ["x"], None), "source"),
        ("vote", ("0" * 32, "a"), "battle_id"),
        ("vote", (None, {"a": 1}), "outcome"),
        ("generate", (["x"], 1), "request"),
        ("generate", ({"offers": ["demo/flat"], "prompt": "x"}, "soon"), "wait_s"),
        ("edit", ({"offers": ["demo/flat"], "prompt": "x"}, 1), "images"),
        ("history", ({}, "x", []), "limit"),
        ("leaderboard", ("all", "elo", "half"), "board"),
        ("leaderboard", ("generate", "glicko", "half"), "method"),
        ("leaderboard", ("generate", "elo", "win"), "ties"),
    ],
)
def test_a_refusal_is_the_error_document(
    callers: Callable[..., Caller], name: str, data: tuple[object, ...], field: str
) -> None:
    told = callers()(name, *data)
    assert told["problems"][0]["field"] == field
    assert told["error"]["kind"] in ("validation", "not_found")
    assert not told["error"]["may_have_been_billed"]


def test_an_image_is_made_and_edited_and_is_its_visitors_alone(app: RunningApp, callers: Callable[..., Caller]) -> None:
    if "api-local" in str(app.log):
        pytest.skip("in local mode there is one owner")
    caller, offer = callers(), "demo/flat"
    asked = {"offers": [offer], "prompt": "A red boat", "size": "816x816"}
    assert caller("estimate", asked)["total_microusd"] == 0
    made = caller("generate", asked, 60)
    assert (made["done"], made["cost_microusd"], made["cost_source"]) == (True, 0, "computed")
    image = made["runs"][0]["images"][0]
    assert caller.get(image["url"]).headers["content-type"] == "image/png"
    assert caller.get(image["thumb_url"]).status_code == 200
    edited = caller("edit", {**asked, "prompt": "Make it blue", "images": [image["sha256"]]}, 60)
    assert edited["runs"][0]["operation"] == "edit"
    assert caller("group", edited["group_id"]) == edited
    found = caller("history", "boat", 10, "")
    assert [run["run_id"] for run in found["runs"]] == [made["runs"][0]["run_id"]]
    assert not caller("cancel", made["runs"][0]["run_id"])["stopped"]
    assert image["path"] is None
    assert str(app.log.parent) not in caller.said
    other = callers()
    assert other.get(image["url"]).status_code == 404
    assert other("history", "", 10, "")["count"] == 0
    assert other("group", made["group_id"])["problems"][0]["field"] == "group_id"
    assert other("edit", {**asked, "images": [image["sha256"]]}, 60)["problems"][0]["field"] == "images"
    nobody = callers(is_known=False)
    assert nobody("models")["offers"]
    assert nobody("estimate", asked)["total_microusd"] == 0
    for name, *data in (("submit", asked), ("generate", asked, 1), ("history", "", 9, ""), ("group", made["group_id"])):
        assert nobody(name, *data)["error"]["kind"] == "permission"


def test_a_battle_is_its_visitors_alone(app: RunningApp, callers: Callable[..., Caller]) -> None:
    if "api-local" in str(app.log):
        pytest.skip("in local mode there is one owner")
    first, second, nobody = callers(), callers(), callers(is_known=False)
    battle = first("new_battle", "generate", "demo", "")
    assert second.get(battle["image_a"]).status_code == 404
    assert second("vote", battle["battle_id"], "a")["error"]["kind"] == "not_found"
    assert second("new_battle", "any", "history", "")["error"]["kind"] == "not_found"
    assert nobody("new_battle", "generate", "demo", "")["error"]["kind"] == "permission"
    assert "X-Diptych-Visitor" in nobody("vote", battle["battle_id"], "a")["error"]["message"]
    assert first("vote", battle["battle_id"], "a")["counted"]


def test_only_these_endpoints_are_named(app: RunningApp) -> None:
    named = httpx.get(f"{app.url}gradio_api/info", trust_env=False).json()["named_endpoints"]
    assert {name.strip("/") for name, row in named.items() if row["api_visibility"] == "public"} == {
        *("models", "estimate", "submit", "generate", "edit", "group", "cancel", "history"),
        *("new_battle", "vote", "leaderboard"),
    }
    assert "costs what two images cost" in named["/new_battle"]["description"]
    assert [row["parameter_name"] for row in named["/generate"]["parameters"]] == ["request", "wait_s"]
    for name in ("submit", "generate", "edit"):
        assert "May cost money." in " ".join(named[f"/{name}"]["description"].split())
