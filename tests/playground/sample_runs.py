"""Samples run as somebody who copied them would: in an empty folder with the files they name, against a strict fake."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from playground.keys import FoundKey
from playground.offered import access_of
from playground.offering import catalog_of
from playground.plan import PlannedRun, make_plan
from playground.samples import Subject, samples_of, subject_of
from playground.settings import Secret, Settings
from providers.adapter import Attachment, FilePart
from providers.bodies import with_call_id
from providers.client import Client, Errand
from providers.client_events import ClientEvent
from providers.demo.server import DemoServer
from providers.rows import CATALOG
from providers.transport import Access, Transport
from providers.types import ImageRequest
from tests import installed
from tests.fakes import wire
from tests.fakes.compatible_server import FakeCompatible
from tests.fakes.fal_server import FakeFal
from tests.fakes.http_fake import Answer, HttpFake, Request
from tests.fakes.lumenfall_server import FakeLumenfall
from tests.fakes.openai_server import FakeOpenAI
from tests.fakes.replicate_server import FakeReplicate
from tests.fakes.runware_server import FakeRunware
from tests.harness import no_sleep


class ServedDemo(HttpFake):
    """The Demo behind an address, as it never is in the app: its samples ask for one."""

    def __init__(self) -> None:
        super().__init__(key="")

    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def is_paid(self, request: Request) -> bool:
        return request.method == "POST"

    def answer(self, request: Request, fault: object) -> Answer:
        return asyncio.run(self._drawn(request))

    async def _drawn(self, request: Request) -> Answer:
        reply = await DemoServer(pace=0).answer(request.method, request.path, request.headers, request.body)
        body = b"".join([chunk async for chunk in reply.chunks])
        self.served += [base64.b64decode(item["b64_json"]) for item in json.loads(body)["data"]]
        return Answer(reply.status, body)


def _server(**options: Any) -> FakeCompatible:
    fake = FakeCompatible(key="local-key-0123456789", **options)
    fake.extra_fields = frozenset({"seed"})
    return fake


FAKES: dict[str, Callable[..., Any]] = {
    "openai": FakeOpenAI,
    "lumenfall": FakeLumenfall,
    "compatible": _server,
    "replicate": FakeReplicate,
    "runware": FakeRunware,
    "fal": FakeFal,
    "demo": ServedDemo,
}
NASTY = (
    "It's \"quoted\", `id` and $(id), $HOME ${HOME} %s %% !x !! \\ \\n \\'\n  </script><b>&amp; <ending> PATH\t"
    "é 漢字 🦊 👨‍👩‍👧 \u202eback\u2028 #! ; | & * ? [a] {b}\n@file <file 'end'\\"
)
"""Anything that means something to some shell, language or page."""

COMMANDS: dict[str, tuple[str, list[str]]] = {
    "curl": ("call.sh", ["sh", "call.sh"]),
    "python": ("call.py", [sys.executable, "call.py"]),
    "sdk": ("call.py", [sys.executable, "call.py"]),
    "javascript": ("call.mjs", ["node", "call.mjs"]),
}
"""Language -> the file it is saved as, and what runs it."""
NEEDS = {"curl": ("curl", "jq"), "javascript": ("node",)}
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_TOKEN = re.compile(r"cdn-[0-9a-f]{32}")
_TELLING = ("authorization", "prefer", "x-fal-file-name")


@dataclass(frozen=True)
class Case:
    """One plan, and how its provider's fake is set."""

    offer: str
    request: ImageRequest
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of the fake."""
    server: str = ";mask=mask"
    """Options of a server of one's own, as in `DIPTYCH_SERVERS`."""
    environ: Mapping[str, str] = field(default_factory=dict)
    but: tuple[str, ...] = ()
    """Languages that tell nothing more here."""

    @property
    def provider(self) -> str:
        return self.offer.partition("/")[0]


def need(language: str) -> None:
    """Skips where the language is not installed; in CI that is a failure."""
    missing = [name for name in NEEDS.get(language, ()) if shutil.which(name) is None]
    if language == "sdk":
        pytest.importorskip("openai", reason="The openai package is not installed: its samples are not run.")
    why_not = f"samples in {language} are not run: {' and '.join(missing)} not installed"
    installed.need(why_not if missing else None)


@dataclass(frozen=True)
class Stage:
    """A case with its fake running."""

    case: Case
    fake: Any

    @property
    def settings(self) -> Settings:
        base, rest = self.fake.base_url, getattr(self.fake, "rest_url", None)
        environ = dict(self.case.environ)
        if self.case.provider == "compatible":
            environ["DIPTYCH_SERVERS"] = f"compatible={base}{self.case.server}"
        else:
            environ[self.variables[1]] = base
        if rest:
            environ["FAL_REST_URL"] = rest
        settings = Settings.from_env(environ, CATALOG)
        return replace(settings, base_urls={"demo": base}) if self.case.provider == "demo" else settings

    @property
    def variables(self) -> tuple[str, str]:
        """Of the key and of the base URL."""
        row = next((row for row in CATALOG.providers if row.provider_id == self.case.provider), None)
        key = row.key_variable if row else None
        return key or "DIPTYCH_SERVER_COMPATIBLE_KEY", (row.base_url_variable if row else None) or "BASE_URL"

    @property
    def keys(self) -> dict[str, str]:
        """provider_id -> key."""
        return {self.case.provider: self.fake.key, "openai": getattr(self.fake, "openai_key", self.fake.key)}

    def planned(self) -> PlannedRun:
        catalog = catalog_of(self.settings, CATALOG)
        (run,) = make_plan(self.case.request, [self.case.offer], catalog).runs
        assert run.problems == ()
        return run

    def subject(self) -> Subject:
        """As X-ray makes it, with the address the provider usually has: the variable says where the fake is."""
        run = self.planned()
        usual = replace(self.settings, base_urls={}, upload_urls={})
        return subject_of(run, access_of(run.provider, FoundKey("none", None), usual), has_key=bool(self.fake.key))

    async def send(self) -> None:
        """The call as the client makes it."""
        run = self.planned()
        found = FoundKey("server", Secret(self.fake.key) if self.fake.key else None)
        access: Access = replace(access_of(run.provider, found, self.settings), secrets=self.keys)
        client = Client(Transport(), sleep=no_sleep)
        call_id = str(uuid.uuid4())
        await client.generate(Errand(with_call_id(run.call, call_id), access, 60.0, call_id), _ignore)
        await client.close()

    def run(self, code: str, language: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
        """The code, saved and started with the keys and addresses in its environment."""
        name, command = COMMANDS[language]
        (folder / name).write_text(code, encoding="utf-8", newline="")
        for file in files_of(self.planned()):
            (folder / file.filename).write_bytes(file.data)
        rest = getattr(self.fake, "rest_url", "")
        key, base = self.variables
        environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "127.0.0.1", "PYTHONUTF8": "1"}
        environ |= {key: self.fake.key, "OPENAI_API_KEY": self.keys["openai"], base: self.fake.base_url}
        environ |= {"FAL_REST_URL": rest} if rest else {}
        _without_waits(environ, folder)
        return subprocess.run(command, cwd=folder, env=environ, capture_output=True, timeout=60, check=False)

    def told(self) -> Told:
        """What the fake was sent, without what differs each time: ids, boundaries, addresses; and without polls."""
        return [_told(call, self.fake.port) for call in self.fake.calls if _is_asking(call)]


def _without_waits(environ: dict[str, str], folder: Path) -> None:
    """The waits between polls take no time, in any language; the code itself stays as it is copied."""
    tools = folder / ".tools"
    tools.mkdir(exist_ok=True)
    (tools / "sleep").write_text("#!/bin/sh\nexit 0\n")
    (tools / "sleep").chmod(0o755)
    (tools / "sitecustomize.py").write_text("import time\ntime.sleep = lambda _: None\n")
    later = "const later = globalThis.setTimeout;"
    sooner = "globalThis.setTimeout = (f, ms, ...rest) => later(f, ms === 1000 ? 1 : ms, ...rest);"
    (tools / "now.cjs").write_text(f"{later}\n{sooner}\n")
    environ["PATH"] = f"{tools}{os.pathsep}{environ['PATH']}"
    environ |= {"PYTHONPATH": str(tools), "NODE_OPTIONS": f"--require={tools / 'now.cjs'}"}


@contextmanager
def staged(case: Case) -> Iterator[Stage]:
    """The case with a fake of its own; at the end it must have seen no broken rule."""
    with FAKES[case.provider](**case.options) as fake:
        stage = Stage(case, fake)
        yield stage
        assert fake.violations == []


async def _ignore(_event: ClientEvent) -> None:
    """What arrives is looked at where it was sent."""


Told = list[tuple[object, ...]]


class SentByTheClient:
    """What arrives when the client itself makes the call of a case; asked for once."""

    def __init__(self) -> None:
        self._kept: dict[str, Told] = {}

    def __call__(self, name: str, case: Case) -> Told:
        if name not in self._kept:
            with staged(case) as stage:
                asyncio.run(stage.send())
                self._kept[name] = stage.told()
        return self._kept[name]


def check_sample(case: Case, language: str, folder: Path, sent: Told) -> None:
    """The sample sends what the client sends, and the images that were made land in the folder."""
    need(language)
    with staged(case) as stage:
        subject = stage.subject()
        done = stage.run(code_of(stage, language), language, folder)
        assert (done.returncode, done.stderr.decode()) == (0, "")
        assert stage.told() == sent
        results = [folder / f"result-{number}.{subject.ending}" for number in range(1, subject.calls[0] + 1)]
        assert sorted(path.read_bytes() for path in results) == sorted(stage.fake.served)
        assert len(list(folder.glob("preview-*"))) == (case.request.partial_images or 0)


def code_of(stage: Stage, language: str) -> str:
    """The sample in that language."""
    return {sample.sample_id: sample.code for sample in samples_of(stage.subject())}[language]


def files_of(run: PlannedRun) -> list[FilePart | Attachment]:
    """The files of the run's call."""
    found: list[FilePart | Attachment] = list(run.call.files)

    def look(value: object) -> None:
        if isinstance(value, Attachment):
            found.append(value)
        for item in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
            look(item)

    look(run.call.json)
    return found


def _is_asking(call: Any) -> bool:
    return call.method == "POST" and b"getResponse" not in call.body


def _told(call: Any, port: int) -> tuple[object, ...]:
    kind = call.headers.get("content-type", "")
    telling = {name: _TOKEN.sub("token", call.headers[name]) for name in _TELLING if name in call.headers}
    if telling.get("authorization") == "Bearer none":
        # OpenAI's client always sends one.
        del telling["authorization"]
    body: object = call.body
    if kind.startswith("application/json"):
        bare = _UUID.sub(b"UUID", call.body).replace(f":{port}".encode(), b"")
        kind, body = "json", json.loads(bare)
    elif kind.startswith("multipart/form-data"):
        parts = wire.parse_multipart(kind, call.body)
        # Clients put files before or after the fields; the order of parts of one name is kept.
        told = [(part.name, part.filename, part.content_type, part.data) for part in parts]
        kind, body = "form", sorted(told, key=lambda part: part[0])
    return call.method, call.path, kind, telling, body
