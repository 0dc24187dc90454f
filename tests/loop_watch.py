"""`python app.py` with an eye on its event loop: which steps take how much of the processor.

`python -m tests.loop_watch FILE [arguments of app.py]`. On SIGUSR1 the slowest steps since the last one are written to FILE,
as JSON: `{"name of the step": milliseconds}`, and forgotten. Time of the thread's processor counts, not the clock's, so a busy
machine makes no step slow. The loop is Python's own: uvloop's steps cannot be seen from outside.
"""

from __future__ import annotations

import asyncio
import gc
import json
import runpy
import signal
import sys
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from storage.without_pandas import without

NOTED_MS = 5.0


class Watch:
    """The slowest run of each step of the loop in one thread, that of the web server."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._slowest: dict[str, float] = {}

    def begin(self) -> None:
        """From now on every step is timed."""
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            name = _name(handle)
            began = time.thread_time()
            run(handle)
            took = (time.thread_time() - began) * 1000
            if took >= NOTED_MS:
                name = f"{name} … {_name(handle)}"
                self._slowest[name] = max(took, self._slowest.get(name, 0.0))

        asyncio.Handle._run = timed
        signal.signal(signal.SIGUSR1, self._write)

    def _write(self, *_: object) -> None:
        found, self._slowest = self._slowest, {}
        # A collection of garbage is no step of ours; what is there by now need not be gone through again.
        gc.collect()
        gc.freeze()
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(found))
        part.replace(self._path)


def _name(handle: asyncio.Handle) -> str:
    """Where the step stands: of a task, the functions that wait for each other, innermost last."""
    callback: Any = handle._callback
    task = getattr(callback, "__self__", None)
    if not isinstance(task, asyncio.Task):
        return getattr(callback, "__qualname__", repr(type(callback)))
    return " > ".join(_waiting(task.get_coro()))


def _waiting(coro: Coroutine[Any, Any, Any] | Any) -> list[str]:
    names, address = [], ""
    while coro is not None:
        code = getattr(coro, "cr_code", None) or getattr(coro, "ag_code", None) or getattr(coro, "gi_code", None)
        frame = getattr(coro, "cr_frame", None) or getattr(coro, "ag_frame", None) or getattr(coro, "gi_frame", None)
        scope = frame.f_locals.get("scope") if frame else None
        address = address or (f"{scope.get('method')} {scope.get('path')}" if isinstance(scope, dict) else "")
        if code is not None:
            names.append(f"{Path(code.co_filename).name}:{frame.f_lineno if frame else 0} {code.co_name}")
        coro = getattr(coro, "cr_await", None) or getattr(coro, "ag_await", None) or getattr(coro, "gi_yieldfrom", None)
    return [address, *names[-4:]] if address else names[-4:]


def main() -> None:
    """Becomes the app."""
    assert threading.current_thread() is threading.main_thread()
    Watch(Path(sys.argv[1])).begin()
    sys.argv = ["app.py", *sys.argv[2:]]
    sys.path.insert(0, str(Path.cwd()))
    with without("uvloop"):
        runpy.run_path("app.py", run_name="__main__")


if __name__ == "__main__":
    main()
