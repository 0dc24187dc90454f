"""A stand-in for the Hugging Face Hub on loopback: datasets, as far as the real client asks for them to keep files there."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote, urlsplit

TOKEN = "hf_not_a_real_token"


class FakeHub:
    """Context manager; `datasets` maps an id to its files, `private` says which of them are."""

    def __init__(self) -> None:
        self.datasets: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.refuses: str | None = None
        """Commits that hold a file whose name begins like this are refused with status 500."""
        self.asked: Counter[str] = Counter()
        self.uploaded: list[str] = []
        hub = self

        class Handler(_Handler):
            def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
                return hub.answer(method, path, body, self.headers.get("authorization", ""))

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, body: bytes, authorization: str) -> tuple[int, Any, dict[str, str]]:
        if authorization != f"Bearer {TOKEN}":
            return 401, {"error": "who are you"}, {"X-Error-Code": "RepoNotFound"}
        self.asked[f"{method} {path.split('/')[1]}"] += 1
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else f"owner/{asked['name']}"
            self.datasets.setdefault(name, {})
            self.private.setdefault(name, asked.get("private") or asked.get("visibility") == "private")
            return 200, {"url": f"{self.url}/datasets/{name}"}, {}
        parts = path.removeprefix("/api").split("/")
        repo, rest = "/".join(parts[2:4]), parts[4:]
        files = self.datasets.get(repo)
        if files is None:
            return 404, {"error": "none"}, {"X-Error-Code": "RepoNotFound"}
        match rest:
            case ["resolve", _, *name]:
                return self._file(files, unquote("/".join(name)))
            case ["tree", *_]:
                rows = [
                    {"type": "file", "path": name, "size": len(data), "oid": _oid(data)} for name, data in files.items()
                ]
                return 200, rows, {}
            case ["preupload", _]:
                rows = [
                    {"path": row["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for row in json.loads(body)["files"]
                ]
                return 200, {"files": rows}, {}
            case ["commit", _]:
                return self._commit(repo, files, body)
            case [] | ["revision", _]:
                document = {"id": repo, "private": self.private[repo], "sha": "0" * 40, "siblings": [], "tags": []}
                return 200, document, {}
        return 404, {"error": f"{method} {path}"}, {}

    def _file(self, files: dict[str, bytes], name: str) -> tuple[int, Any, dict[str, str]]:
        if name not in files:
            return 404, {"error": "none"}, {"X-Error-Code": "EntryNotFound"}
        return 200, files[name], {"ETag": f'"{_oid(files[name])}"', "X-Repo-Commit": "0" * 40}

    def _commit(self, repo: str, files: dict[str, bytes], body: bytes) -> tuple[int, Any, dict[str, str]]:
        rows = [json.loads(line) for line in body.splitlines()]
        added = {
            row["value"]["path"]: base64.b64decode(row["value"]["content"]) for row in rows if row["key"] == "file"
        }
        if self.refuses is not None and any(name.startswith(self.refuses) for name in added):
            return 400, {"error": "not now"}, {}
        files.update(added)
        self.uploaded += added
        for row in rows:
            if row["key"] == "deletedFile":
                del files[row["value"]["path"]]
        url = f"{self.url}/datasets/{repo}/commit/{'0' * 40}"
        return 200, {"commitUrl": url, "commitOid": "0" * 40, "success": True}, {}


def _oid(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet; else the second waits for the client's word on the first.
    wbufsize = -1

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        raise NotImplementedError

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        status, document, headers = self.answer(self.command, urlsplit(self.path).path, body)
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        given = {"Content-Type": "application/octet-stream" if isinstance(document, bytes) else "application/json"}
        for name, value in {**given, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_HEAD = do_POST = do_PUT = do_GET

    def log_message(self, *_: object) -> None:
        """Says nothing."""
