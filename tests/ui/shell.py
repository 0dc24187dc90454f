"""The command line in a process of its own."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from playground.engine import Engine
from playground.settings import Settings
from storage.errors import StoreBusy
from tests.app_process import Command
from tests.arena.world import make_services
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import KEY, OFFER
from ui.app import App


class Shell:
    def __init__(self, data_dir: Path, fake: FakeOpenAI) -> None:
        ours = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": fake.base_url, "DIPTYCH_DATA_DIR": str(data_dir)}
        self.env = {**os.environ, **ours, "NO_PROXY": "127.0.0.1"}
        self.data_dir = data_dir

    def start(self, *arguments: str) -> Command:
        return Command(arguments, self.env, self.data_dir.parent)

    def __call__(self, *arguments: str) -> tuple[int, Any, str]:
        done = self.start(*arguments)
        code = done.wait()
        assert "Traceback" not in done.said
        assert KEY not in done.printed + done.said
        return code, json.loads(done.printed) if "--json" in arguments else done.printed, done.said


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def photo(folder: Path, name: str, colour: str) -> str:
    path = folder / name
    Image.new("RGB", (320, 240), colour).save(path)
    return str(path)


WRONG = [
    (("--prompt", ""), "prompt"),
    (("--prompt", "x" * 32_001), "prompt"),
    (("--prompt", "x", "--size", "1920x1080"), "size"),
    (("--prompt", "x", "--background", "transparent", "--format", "jpeg"), "background"),
    (("--prompt", "x", "--n", "11"), "n"),
    (("--prompt", "x", "--offer", "nobody/model"), "offers"),
]


class Nobody:
    """In the place of the application, where none may be made."""

    def __call__(self, _settings: Settings) -> App:
        raise AssertionError("a wrong request opened the store")


class Composed:
    """In the place of the application: the command opens the same folder, and closes it as it does its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, _settings: object) -> App:
        class Worker:
            def close(self) -> None:
                return

        return App(make_services(self.folder), None, Worker())


def serve_nothing(*_: object) -> int:
    raise AssertionError("nothing is to be served")


ASK = ("generate", "--offer", OFFER, "--prompt", "x", "--json")


REFUSED = [
    (("nonsense", "--json"), {}, "command"),
    (("--json",), {}, "command"),
    (("generate", "--json"), {}, "offers prompt"),
    ((*ASK, "--n", "many"), {}, "n"),
    ((*ASK, "--format", "bmp"), {}, "output_format"),
    ((*ASK, "--nonsense"), {}, "arguments"),
    ((*ASK, "--out", ""), {}, "out"),
    ((*ASK, "--aspect-ratio", "wide"), {}, "aspect_ratio"),
    ((*ASK, "--resolution", "big", "--lock-outside-mask"), {}, "resolution lock_outside_mask"),
    ((*ASK, "--prompt", "\udcff fox"), {}, "prompt"),
    ((*ASK, "--user", "\udcff"), {}, "user"),
    ((*ASK, "--offer", "openai/\udcff"), {}, "offers"),
    ((*ASK, "--mask", "mask.png"), {}, "mask"),
    ((*ASK, "--image", "\udcff.png"), {}, "images"),
    ((*ASK, "--offer", "demo/flat"), {"DIPTYCH_DEMO": "off"}, "offers"),
    (("history", "--limit", "0", "--json"), {}, "limit"),
    (("history", "--limit", "-3", "--json"), {}, "limit"),
    (("history", "--limit", "9" * 5000, "--json"), {}, "limit"),
    (("history", "--before", "nonsense", "--json"), {}, "before"),
    (("history", "--before", "9" * 19, "--json"), {}, "before"),
    (("backup", "--json"), {}, "file"),
    (("serve", "--port", "99999", "--json"), {}, "port"),
    (("serve", "--json"), {"DIPTYCH_PORT": "99999"}, "DIPTYCH_PORT"),
    (("serve", "--json"), {"DIPTYCH_DATABASE_URL": "mysql://me@db/name"}, "DIPTYCH_DATABASE_URL"),
    (("models", "--json"), {"OPENAI_BASE_URL": "http://[::1/v1"}, "OPENAI_BASE_URL"),
]


FAULTS = [
    (StoreBusy("Another program holds the database."), 1, "unknown", "holds the database"),
    (KeyboardInterrupt(), 130, "cancelled", "Interrupted"),
    (RuntimeError(f"Bearer {KEY}"), 1, "unknown", "fault in this program"),
]


class StuckEngine(Engine):
    async def close(self, drain_s: float) -> None:
        raise RuntimeError("stuck")
