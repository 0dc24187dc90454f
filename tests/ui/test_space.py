"""A Hugging Face Space as it is there, over a stand-in for the Hub: what was made outlives the container and its disk."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import httpx

from tests.fakes.hub import TOKEN, FakeHub
from tests.generated_docs import ROOT
from tests.ui.browser import RunningApp
from tests.ui.caller import Caller

HOST = "owner-diptych.hf.space"
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def front_matter() -> dict[str, str]:
    head = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    return {name: value.strip('"') for name, value in (line.split(": ", 1) for line in head.splitlines())}


def test_the_front_matter_is_what_a_space_wants_and_agrees_with_the_pins() -> None:
    head = front_matter()
    pins = dict(re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE))
    assert head["sdk"] == "gradio"
    assert head["sdk_version"] == pins["gradio"]
    assert {head["colorFrom"], head["colorTo"]} <= COLOURS
    assert len(head["short_description"]) <= 60
    assert (ROOT / head["app_file"]).is_file()
    assert re.fullmatch(r"3\.1[1-9]", head["python_version"])
    assert f"FROM python:{head['python_version']}-slim" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    # It is the first thing on the page elsewhere, so it holds nothing that is not needed.
    assert set(head) == {
        *("title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "license"),
        "short_description",
    }


def start(hub: FakeHub, folder: Path, name: str) -> RunningApp:
    space = {"SYSTEM": "spaces", "SPACE_ID": "owner/diptych", "SPACE_HOST": HOST, "GRADIO_SSR_MODE": "True"}
    agents = "on" if importlib.util.find_spec("mcp") else "off"
    kept = {
        "DIPTYCH_MCP": agents,
        "DIPTYCH_SNAPSHOT": "hf://datasets/owner/copies",
        "HF_TOKEN": TOKEN,
        "HF_ENDPOINT": hub.url,
    }
    return RunningApp(folder / name, folder / f"{name}.txt", GRADIO_SERVER_NAME="0.0.0.0", **space, **kept)


def tools_of(app: RunningApp, known: str) -> list[str]:
    """The names of an agent's tools, asked as the protocol is written."""
    accepted = {"Accept": "application/json, text/event-stream", "X-Diptych-Visitor": known}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    answer = httpx.post(f"{app.url}mcp", json=asked, headers=accepted, trust_env=False)
    return [tool["name"] for tool in answer.json()["result"]["tools"]]


def test_runs_images_and_votes_outlive_the_disk(tmp_path: Path) -> None:
    with FakeHub() as hub:
        first = start(hub, tmp_path, "first")
        known = httpx.post(f"{first.url}visitor", trust_env=False, headers={"Host": HOST}).json()["token"]
        caller = Caller(first.url, known)
        battle = caller("new_battle", "generate", "demo", "")
        caller("vote", battle["battle_id"], "a")
        before = caller("history", "", 10, "")
        address = before["runs"][0]["images"][0]["url"]
        image = caller.get(address).content
        if importlib.util.find_spec("mcp"):
            assert "generate" in tools_of(first, known)
        caller.http.close()
        assert first.stop() == 0
        assert "Took a snapshot" in first.log.read_text()
        files = hub.datasets["owner/copies"]
        votes = next(data for name, data in files.items() if name.startswith("votes/"))
        assert json.loads(votes)["competitor_a"].startswith("demo/")
        second = start(hub, tmp_path, "second")
        caller = Caller(second.url, known)
        assert "Put back the snapshot" in second.log.read_text()
        assert caller("history", "", 10, "") == before
        assert caller.get(address).content == image
        assert caller("leaderboard", "generate", "elo", "half")["votes"] == 1
        page = caller.get("").text
        assert "d-unkept" not in page
        assert "keeps nothing" not in page
        caller.http.close()
        second.kill()
        for app in (first, second):
            said = app.log.read_text()
            assert TOKEN not in said
            # The platform's own reloader looks for a package that only the platform installs.
            assert said.count("Traceback") == said.count("`spaces` package is required")
