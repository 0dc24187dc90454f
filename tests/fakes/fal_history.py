"""fal's list of past requests as its Platform API documents it: the rules of the query, and pages of items.

Written from the published reference and OpenAPI schema (GET /v1/models/requests/by-endpoint), and never from this program.
"""

import base64
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.fakes.fal_rules import ENDPOINTS

STATUSES = ("success", "error", "user_error")
SORTS = ("ended_at", "duration")


def query_problems(query: Mapping[str, str]) -> list[str]:
    """Every rule that the query breaks."""
    checks = {
        "endpoint_id": lambda text: 1 <= len(text.split(",")) <= 50 and set(text.split(",")) <= ENDPOINTS.keys(),
        "start": lambda text: time_of(text) is not None,
        "end": lambda text: time_of(text) is not None,
        "status": lambda text: text in STATUSES,
        "request_id": _is_uuid,
        "expand": lambda text: text == "payloads",
        "sort_by": lambda text: text in SORTS,
        "limit": lambda text: text.isdigit() and 1 <= int(text) <= 100,
        "cursor": lambda text: _page_of(text) is not None,
    }
    problems = [f"unknown query field {name!r}" for name in query if name not in checks]
    problems += [
        f"{name}={value!r} is not legal" for name, value in query.items() if name in checks and not checks[name](value)
    ]
    return problems + ([] if "endpoint_id" in query else ["endpoint_id is missing"])


def page(items: Sequence[Mapping[str, Any]], query: Mapping[str, str], most: int | None) -> dict[str, Any]:
    """One page of the items that the query asks for. `most`: the server's own limit, for tests of paging."""
    start = time_of(query.get("start", ""))
    wanted = [
        {name: value for name, value in item.items() if "expand" in query or not name.startswith("json_")}
        for item in items
        if item["endpoint_id"] in query["endpoint_id"].split(",")
        and (start is None or (time_of(item["sent_at"]) or start) >= start)
        and query.get("request_id", item["request_id"]) == item["request_id"]
    ]
    size = min(int(query.get("limit", "50")), most or 100)
    number = _page_of(query["cursor"]) or 1 if "cursor" in query else 1
    has_more = len(wanted) > size * number
    cursor = base64.b64encode(str(number + 1).encode()).decode() if has_more else None
    return {"items": wanted[size * (number - 1) : size * number], "next_cursor": cursor, "has_more": has_more}


def time_of(text: str) -> datetime | None:
    """An ISO 8601 time or date, in UTC where it says none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _page_of(cursor: str) -> int | None:
    try:
        return int(base64.b64decode(cursor, validate=True))
    except ValueError:
        return None


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
