"""A program that calls the named endpoints over HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx


class Caller:
    """A program that speaks Gradio's `call` protocol, and remembers every byte it was sent."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"X-Diptych-Visitor": token} if token else {}
        self.http = httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60)
        self.said = ""

    def get(self, path: str) -> httpx.Response:
        answer = self.http.get(path)
        if "image/" not in answer.headers.get("content-type", ""):
            self.said += answer.text
        self.said += str(answer.headers)
        return answer

    def __call__(self, name: str, *data: object) -> Any:
        asked = self.http.post(f"gradio_api/call/{name}", json={"data": list(data)})
        assert asked.status_code == 200, asked.text
        told = self.get(f"gradio_api/call/{name}/{asked.json()['event_id']}").text
        event, line = next(block for block in told.split("\n\n") if "heartbeat" not in block).split("\n")[:2]
        assert event == "event: complete", told
        return json.loads(line.removeprefix("data: "))[0]
