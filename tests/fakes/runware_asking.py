"""Tasks sent to the fake Runware by plain HTTP, for its own tests."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx

from tests.fakes.pictures import picture
from tests.fakes.runware_server import FakeRunware

FLARE = "openai:gpt-image@2.5-flare"
SUNBURST = "openai:gpt-image@2.5-sunburst"
TWO = "openai:gpt-image@2"
ONE, MINI, ONE_FIVE = "openai:1@1", "openai:1@2", "openai:4@1"
MODELS = (ONE, MINI, ONE_FIVE, TWO, FLARE, SUNBURST)
PNG_DATA = picture((16, 16), "png", number=1)
PNG64 = base64.b64encode(PNG_DATA).decode()
PNG_URI = f"data:image/png;base64,{PNG64}"
SQUARE = {"width": 1024, "height": 1024}


class Caller:
    """Plain HTTP with the fake's key."""

    def __init__(self, fake: FakeRunware, client: httpx.Client) -> None:
        self.fake, self.client = fake, client

    @classmethod
    @contextmanager
    def of(cls, fake: FakeRunware) -> Iterator["Caller"]:
        headers = {"Authorization": f"Bearer {fake.key}"}
        with httpx.Client(headers=headers, timeout=5, trust_env=False, verify=False) as client:
            yield cls(fake, client)

    def send(self, *tasks: object, **changes: Any) -> httpx.Response:
        return self.client.post(self.fake.base_url, json=list(tasks), **changes)

    def create(self, model: str = FLARE, /, **fields: object) -> httpx.Response:
        return self.send(task(model, **fields))

    def poll(self, task_uuid: object) -> httpx.Response:
        return self.send({"taskType": "getResponse", "taskUUID": task_uuid})

    def details(self, task_uuid: object) -> Any:
        reply = self.send({"taskType": "getTaskDetails", "taskUUID": task_uuid})
        return reply.raise_for_status().json()["data"][0]


def task(model: str = FLARE, /, **fields: object) -> dict[str, object]:
    """A good small task; a field of None is left out."""
    best = {"taskType": "imageInference", "taskUUID": str(uuid4()), "model": model, "positivePrompt": "A red fox"}
    size = SQUARE if model in (ONE, MINI) else {}
    return {name: value for name, value in (best | size | fields).items() if value is not None}


def fetched(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, verify=False)


def images(*references: object) -> dict[str, object]:
    """The field that carries reference images."""
    return {"inputs": {"referenceImages": list(references)}}
