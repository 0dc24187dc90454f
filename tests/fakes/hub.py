"""A stand-in for the Hugging Face Hub on loopback: datasets, as far as the real client asks for them to keep files there."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from urllib.parse import unquote

from tests.fakes.http_fake import Answer, Request
from tests.fakes.plain_server import PlainServer

TOKEN = "hf_not_a_real_token"


class FakeHub(PlainServer):
    """Context manager; `datasets` maps an id to its files, `private` says which of them are."""

    def __init__(self) -> None:
        super().__init__()
        self.datasets: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.refuses: str | None = None
        """Commits that hold a file whose name begins like this are refused with status 400."""
        self.asked: Counter[str] = Counter()
        self.uploaded: list[str] = []

    def answer(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"error": "who are you"}, {"X-Error-Code": "RepoNotFound"})
        method, path, body = request.method, request.path, request.body
        self.asked[f"{method} {path.split('/')[1]}"] += 1
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else f"owner/{asked['name']}"
            self.datasets.setdefault(name, {})
            self.private.setdefault(name, asked.get("private") or asked.get("visibility") == "private")
            return Answer(body={"url": f"{self.url}/datasets/{name}"})
        parts = path.removeprefix("/api").split("/")
        repo, rest = "/".join(parts[2:4]), parts[4:]
        files = self.datasets.get(repo)
        if files is None:
            return Answer(404, {"error": "none"}, {"X-Error-Code": "RepoNotFound"})
        match rest:
            case ["resolve", _, *name]:
                return self._file(files, unquote("/".join(name)))
            case ["tree", *_]:
                rows = [
                    {"type": "file", "path": name, "size": len(data), "oid": _oid(data)} for name, data in files.items()
                ]
                return Answer(body=rows)
            case ["preupload", _]:
                rows = [
                    {"path": row["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for row in json.loads(body)["files"]
                ]
                return Answer(body={"files": rows})
            case ["commit", _]:
                return self._commit(repo, files, body)
            case [] | ["revision", _]:
                document = {"id": repo, "private": self.private[repo], "sha": "0" * 40, "siblings": [], "tags": []}
                return Answer(body=document)
        return Answer(404, {"error": f"{method} {path}"})

    def _file(self, files: dict[str, bytes], name: str) -> Answer:
        if name not in files:
            return Answer(404, {"error": "none"}, {"X-Error-Code": "EntryNotFound"})
        told = {"ETag": f'"{_oid(files[name])}"', "X-Repo-Commit": "0" * 40}
        return Answer(200, files[name], told, "application/octet-stream")

    def _commit(self, repo: str, files: dict[str, bytes], body: bytes) -> Answer:
        rows = [json.loads(line) for line in body.splitlines()]
        added = {
            row["value"]["path"]: base64.b64decode(row["value"]["content"]) for row in rows if row["key"] == "file"
        }
        if self.refuses is not None and any(name.startswith(self.refuses) for name in added):
            return Answer(400, {"error": "not now"})
        files.update(added)
        self.uploaded += added
        for row in rows:
            if row["key"] == "deletedFile":
                del files[row["value"]["path"]]
        url = f"{self.url}/datasets/{repo}/commit/{'0' * 40}"
        return Answer(body={"commitUrl": url, "commitOid": "0" * 40, "success": True})


def _oid(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
