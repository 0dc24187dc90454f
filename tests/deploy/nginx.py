"""The nginx of the documents, `deploy/nginx.conf`, before replicas on loopback."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.installed import need
from tests.ui.browser import free_port

CONFIG = Path(__file__).parents[2] / "deploy" / "nginx.conf"
STICKY = "    hash $diptych_route consistent;\n"
_LISTEN = re.compile(r"(?<=    listen )80(?=;)")
_REPLICA = re.compile(r"app-([12]):7860")
_AROUND = """daemon off;
worker_processes 1;
pid {folder}/pid;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
{config}
}}
"""


def need_nginx() -> None:
    """Skips where there is none; in CI that is a failure."""
    is_here = shutil.which("nginx", path=_PATH) is not None
    need(None if is_here else "nginx is not tried: it is not installed (apt-get install nginx-light)")


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


class Front:
    """A running nginx, where a browser finds it."""

    def __init__(self, folder: Path, replicas: Sequence[int], *, is_sticky: bool, path: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._folder, self._replicas, self._path = folder, replicas, path
        self._configure(is_sticky=is_sticky)
        program = shutil.which("nginx", path=_PATH)
        assert program
        self.process = subprocess.Popen([program, "-p", folder, "-e", folder / "errors", "-c", folder / "nginx.conf"])

    def mend(self) -> None:
        """As an operator does: the file as it should be, read anew by the running nginx."""
        self._configure(is_sticky=True)
        self.process.send_signal(signal.SIGHUP)

    def said(self) -> str:
        """In its log of errors."""
        return (self._folder / "errors").read_text()

    def _configure(self, *, is_sticky: bool) -> None:
        text = config(self.port, self._replicas, is_sticky=is_sticky)
        text = below(self._path, text) if self._path else text
        (self._folder / "nginx.conf").write_text(_AROUND.format(folder=self._folder, config=text))


def below(path: str, text: str) -> str:
    """The file as it is to be written for a page below a path, as `/diptych`."""
    at_path = re.sub(r"^(    /|    location (?:= )?/)(?= )", rf"\1{path[1:]}/", text, flags=re.M)
    return at_path.replace("proxy_pass http://diptych;", "proxy_pass http://diptych/;")


def config(port: int, replicas: Sequence[int], *, is_sticky: bool) -> str:
    """The file with these ports in the places of its own; without its one line that makes it sticky, nginx goes round robin."""
    text = CONFIG.read_text(encoding="utf-8")
    told = _REPLICA.sub(
        lambda found: f"127.0.0.1:{replicas[int(found[1]) - 1]}", _LISTEN.sub(f"127.0.0.1:{port}", text)
    )
    assert told.count("127.0.0.1") == 3
    assert STICKY in told
    return told if is_sticky else told.replace(STICKY, "")


@contextmanager
def nginx(replicas: Sequence[int], *, is_sticky: bool = True, path: str = "") -> Iterator[Front]:
    """Nginx in a process of its own before the replicas on these two ports, below a path or not."""
    with tempfile.TemporaryDirectory() as folder:
        front = Front(Path(folder), replicas, is_sticky=is_sticky, path=path)
        try:
            _wait_for(front)
            yield front
        finally:
            front.process.terminate()
            front.process.wait(timeout=20)


def _wait_for(front: Front) -> None:
    end = time.monotonic() + 20
    while True:
        assert front.process.poll() is None, front.said()
        with suppress(OSError), socket.create_connection(("127.0.0.1", front.port), timeout=5):
            return
        assert time.monotonic() < end, front.said()
        time.sleep(0.02)
