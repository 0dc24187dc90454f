"""What routes answer with. No browser keeps any of it: it is one visitor's, and old the moment it is read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import orjson
from starlette.responses import Response

NO_STORE: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-store"})


def answer(document: object, status: int = 200) -> Response:
    """A JSON document."""
    return Response(orjson.dumps(document), status, NO_STORE, "application/json")


def refused(words: str, status: int) -> Response:
    """Why not, in words to be shown."""
    return answer({"error": {"message": words}}, status)


def not_found() -> Response:
    """There is nothing under this address that the visitor may have; which of the two is not told."""
    return Response("Not found.", 404, NO_STORE, "text/plain")
