"""`python app.py` in processes of their own that begin at once: forks of one that has loaded everything already.

Loading takes seconds, and a few tests that start Python anew cover it. From the fork on it is a process like any other:
its own environment, streams and session, real signals and its own exit code.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ui.command_line import COMMANDS

ROOT = Path(__file__).parents[1]
COMPOSED = ("playground.engine", "playground.prices", "providers.client", "providers.demo.server")
"""What `compose` loads."""


class AppProcess:
    """`python app.py` with these arguments. What it says is added to the two files, which may be one."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], out: Path, err: Path) -> None:
        self._ask = _forker()
        self.pid: int = self._ask({"arguments": [*arguments], "env": {**env}, "files": [str(out), str(err)]})
        self._code: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal; `None` while it runs."""
        if self._code is None:
            self._code = self._ask({"pid": self.pid})
        return self._code

    def wait(self, timeout: float = 60.0) -> int:
        """The exit code, once there is one."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            assert time.monotonic() < deadline, f"process {self.pid} does not end"
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        """Nothing, where it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Command(AppProcess):
    """One command and what it says, which is kept in files of the folder."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], folder: Path) -> None:
        own = Path(tempfile.mkdtemp(dir=folder))
        self._out, self._err = own / "out", own / "err"
        for file in (self._out, self._err):
            file.touch()
        super().__init__(arguments, env, self._out, self._err)

    @property
    def printed(self) -> str:
        """On stdout so far."""
        return self._out.read_text()

    @property
    def said(self) -> str:
        """On stderr so far."""
        return self._err.read_text()


@cache
def _forker() -> Callable[[dict[str, Any]], Any]:
    """Asks the process that forks, which is started now and ends with this one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.app_process"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    asked, answered = process.stdin, process.stdout
    assert asked is not None
    assert answered is not None

    def ask(question: dict[str, Any]) -> Any:
        print(json.dumps(question), file=asked, flush=True)
        return json.loads(answered.readline())

    def end() -> None:
        asked.close()
        process.wait(timeout=20)
        answered.close()

    atexit.register(end)
    return ask


def _fork_on_demand() -> None:
    """Answers questions until nobody can ask any more; whoever runs then is killed."""
    for name in (
        "app",
        "ui.blocks",
        "ui.launch",
        "ui.told_errors",
        *COMPOSED,
        *(module for module, _ in COMMANDS.values()),
    ):
        importlib.import_module(name)
    # A fork that ends need not count what it has from here.
    gc.freeze()
    running: set[int] = set()
    for line in sys.stdin:
        question = json.loads(line)
        if "pid" in question:
            pid, status = os.waitpid(question["pid"], os.WNOHANG)
            running.discard(pid)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        elif answer := os.fork():
            running.add(answer)
        else:
            _become_the_app(**question)
            return
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    for pid in running:
        os.kill(pid, signal.SIGKILL)


def _become_the_app(arguments: list[str], env: dict[str, str], files: list[str]) -> None:
    os.setsid()
    opened = [os.open(os.devnull, os.O_RDONLY)]
    opened += [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) for path in files]
    for number, file in enumerate(opened):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(env)
    if "OAUTH_CLIENT_ID" in env:
        # Gradio reads these when it is loaded, which was before the fork.
        importlib.reload(importlib.import_module("gradio.oauth"))
    sys.argv = ["app.py", *arguments]
    runpy.run_path("app.py", run_name="__main__")


if __name__ == "__main__":
    _fork_on_demand()
