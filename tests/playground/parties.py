"""Every provider with its strict fake, and how each fake is asked for the same faults: what the contract test runs over.

A fault is a value to queue on the fake (`tests/fakes/faults.py` and each fake's own), or for the Demo, which answers in
this process, a word in the prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.settings import Settings
from providers.adapter import JobAdapter
from providers.adapters import ADAPTERS
from providers.rows import CATALOG
from tests.fakes import fal_faults, faults, lumenfall_server, replicate_server, runware_faults, runware_server
from tests.fakes.compatible_server import BUSY, FakeCompatible
from tests.fakes.faults import Fault
from tests.fakes.http_fake import RawReply
from tests.fakes.lumenfall_server import FakeLumenfall
from tests.fakes.openai_server import FakeOpenAI
from tests.harness import Harness
from tests.playground.job_world import FAKES, NAMES, World

PAGE = b"<html><body>Sign in to go on.</body></html>"
WEB_PAGE = RawReply(200, PAGE, {"content-type": "text/html"})
_SAFETY = {"message": "Your request was rejected by the safety system.", "code": "content_policy_violation"}


class Nobody:
    """Stands where the Demo has no server: it was sent nothing that anybody could judge."""

    key, base_url = "the-demo-has-no-key-0123456789", ""

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.served: list[bytes] = []

    def __enter__(self) -> Nobody:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing runs."""


@dataclass(frozen=True)
class Party:
    """One provider as the contract asks it."""

    fake: Callable[[], Any]
    offer: str
    edits: str
    """The offer that edits, with a mask where there is one that takes it."""
    faults: Mapping[str, Fault | str]
    """By the contract's names. Text: a word of the prompt."""
    images_in: Callable[[Any], list[Any] | None] = lambda _body: None
    """The list of images in a good answer; `None` in an answer that has none."""


def _data(body: Any) -> list[Any] | None:
    return body.get("data") if isinstance(body, dict) else None


def _output(body: Any) -> list[Any] | None:
    return body.get("output") if isinstance(body, dict) else None


def _items(body: Any) -> list[Any] | None:
    items = _data(body) or []
    return items if any("imageURL" in item for item in items) else None


def _images(body: Any) -> list[Any] | None:
    return body.get("images") if isinstance(body, dict) else None


_UNFINISHED = {"malformed": faults.InvalidJson(), "web page": WEB_PAGE}

PARTIES: dict[str, Party] = {
    "openai": Party(
        FakeOpenAI,
        "openai/gpt-image-2",
        "openai/gpt-image-2",
        {
            "refused field": faults.ErrorReply(400, "Invalid size.", "image_generation_user_error", "invalid_value"),
            "wrong key": faults.WRONG_KEY,  # of a really wrong one the fake would say that it breaks a rule
            "busy": faults.rate_limited(1),
            "moderation": faults.MODERATION_BLOCKED,
            "quota": faults.NO_CREDIT,
            **_UNFINISHED,
        },
        _data,
    ),
    "lumenfall": Party(
        FakeLumenfall,
        "lumenfall/gpt-image-2",
        "lumenfall/gpt-image-1.5",
        {
            "refused field": lumenfall_server.PROMPT_TOO_LONG,
            "busy": lumenfall_server.RATE_LIMITED,
            "moderation": lumenfall_server.BLOCKED,
            "quota": lumenfall_server.NO_BALANCE,
            **_UNFINISHED,
        },
        _data,
    ),
    "compatible": Party(
        lambda: FakeCompatible(key="local-key-0123456789"),
        "compatible/local-model",
        "compatible/local-model",
        {
            "refused field": RawReply(422, {"detail": [{"loc": ["body", "size"], "msg": "Bad size", "type": "value"}]}),
            "busy": BUSY,
            "moderation": RawReply(400, {"error": _SAFETY}),
            "quota": RawReply(402, {"error": {"message": "No credit."}}),
            **_UNFINISHED,
        },
        _data,
    ),
    "replicate": Party(
        FAKES["replicate"],
        "replicate/gpt-image-2.5-flare",
        "replicate/gpt-image-2.5-flare",
        {
            "refused field": replicate_server.BAD_ASPECT,
            "busy": replicate_server.LOW_CREDIT,
            "moderation": replicate_server.JobFails(replicate_server.BLOCKED_TEXT),
            "quota": replicate_server.NO_CREDIT,
            "malformed": RawReply(201, b'{"id": "g6c2x7k1e1rme0'),
            "web page": WEB_PAGE,
        },
        _output,
    ),
    "runware": Party(
        FAKES["runware"],
        "runware/gpt-image-2.5-flare",
        "runware/gpt-image-2.5-flare",
        {
            "refused field": runware_server.BAD_DIMENSIONS,
            "busy": runware_server.RATE_LIMITED,
            "moderation": runware_faults.TaskFails("invalidProviderContent"),
            "quota": runware_server.THIRD_PARTY_CREDITS,
            "malformed": RawReply(200, b'{"data": [{"taskType": "imageInf'),
            "web page": WEB_PAGE,
        },
        _items,
    ),
    "fal": Party(
        FAKES["fal"],
        "fal/gpt-image-2",
        "fal/gpt-image-2",
        {
            "refused field": fal_faults.BAD_VALUE,
            "busy": fal_faults.RATE_LIMITED,
            "moderation": fal_faults.BLOCKED,
            "quota": fal_faults.EXHAUSTED,
            "malformed": RawReply(200, b'{"status": "IN_QUEUE", "requ'),
            "web page": WEB_PAGE,
        },
        _images,
    ),
    "demo": Party(
        Nobody,
        "demo/flat",
        "demo/flat",
        {"wrong key": "[key]", "busy": "[rate]", "moderation": "[blocked]", "quota": "[quota]", "slow": "[slow]"},
    ),
}

_NO_JOBS = "It answers with the images themselves."
_ITSELF = "It answers in this process: nothing can stand between."
_UNFIT = ("malformed", "web page", "partly unreadable", "unreadable", "duplicates", "echoed key")
NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "openai": {"polls that fail": _NO_JOBS, "a job without end": _NO_JOBS, "other case": _NO_JOBS},
    "lumenfall": {"polls that fail": _NO_JOBS, "a job without end": _NO_JOBS, "other case": _NO_JOBS},
    "compatible": {"polls that fail": _NO_JOBS, "a job without end": _NO_JOBS, "other case": _NO_JOBS},
    "replicate": {"mask": "None of its offers takes one."},
    "runware": {"mask": "None of its offers takes one."},
    "fal": {},
    "demo": {
        "polls that fail": _NO_JOBS,
        "a job without end": _NO_JOBS,
        "other case": _NO_JOBS,
        "refused field": "The checks know all its rules, so nothing that it refuses is sent.",
        "restart": "It dies with the process; tests/playground/test_recovery.py has what is queued.",
        "busy for a moment": "A word in the prompt is there at each try.",
        **dict.fromkeys(_UNFIT, _ITSELF),
    },
}


@dataclass
class Meeting(World):
    """A provider that the contract is held against."""

    party: Party = field(default_factory=lambda: PARTIES["openai"])

    @property
    def name(self) -> str:
        return {
            **NAMES,
            "openai": "OpenAI",
            "lumenfall": "Lumenfall",
            "compatible": "compatible",
            "demo": "Demo",
        }[self.provider]

    @property
    def offer(self) -> str:
        return self.party.offer

    @property
    def has_jobs(self) -> bool:
        """Whether its provider makes jobs that can be asked for."""
        adapter = "compatible" if self.provider == "compatible" else CATALOG.provider(self.provider).adapter
        return isinstance(ADAPTERS[adapter], JobAdapter)

    @property
    def is_demo(self) -> bool:
        return self.provider == "demo"

    @property
    def posts(self) -> int | None:
        """Paid calls that arrived."""
        return None if self.is_demo else self.fake.posts

    def prompt(self, case: str = "") -> str:
        """What is asked, with the word that brings the fault about where words do."""
        fault = self.party.faults.get(case)
        return f"A red fox {fault}" if isinstance(fault, str) else "A red fox"

    def ask_for(self, case: str, *, always: bool = False) -> None:
        """Makes the next paid call go wrong, or all of them."""
        fault = self.party.faults[case]
        if isinstance(fault, Fault):
            self.fake.always(fault) if always else self.fake.next(fault)

    def process(self, **changes: Any) -> Harness:
        if self.is_demo:
            changes = {"urls": {}, "keys": {}, **changes}
        if self.provider == "compatible":
            settings = Settings.from_env({"DIPTYCH_SERVERS": f"compatible={self.fake.base_url};mask=mask"}, CATALOG)
            changes = {"urls": {}, "settings": settings, **changes}
        return super().process(**changes)

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.fake.key,)


@contextmanager
def meeting(provider: str, data_dir: Path, make: Callable[..., Harness]) -> Iterator[Meeting]:
    """The provider, running; audited at the end."""
    party = PARTIES[provider]
    with party.fake() as fake:
        one = Meeting(provider, fake, data_dir, make, party=party)
        yield one
        one.audit()
