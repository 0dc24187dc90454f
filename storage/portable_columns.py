"""Which columns of which tables travel in an archive, and what may stand in each.

What is not named here never leaves and is never taken in: owners, workers, row numbers and what follows from other rows. A
value from an archive is somebody's text until `checked` has seen it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import get_args

import orjson

from storage.blobs import EXTENSIONS
from storage.curation import MAX_NOTE, MAX_TAG
from storage.records import (
    Answer,
    BattleSource,
    BoardName,
    CostSource,
    DerivedKind,
    GroupKind,
    InputRole,
    LedgerState,
    Operation,
    Outcome,
)
from storage.runs import ENDED_STATES

MAX_TEXT = 400_000
"""Characters of a text; the longest prompt any provider takes has a tenth of them."""
_MOST_PX = 100_000
_MOST_INTEGER = 2**53
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PHASH = re.compile(r"[0-9a-f]{16}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_OFFER = re.compile(r"[^\s/]{1,80}/\S{1,200}")
_PICTURES = tuple(media_type for media_type, extension in EXTENSIONS.items() if extension != "bin")

Value = str | int | float | None
Values = dict[str, Value]
"""A row as it goes into the database; JSON is text."""
Take = Callable[[object], Value]
"""The value as it is stored. Raises `ValueError` with what was expected."""


class WrongRow(ValueError):
    """A row of an archive that cannot be taken; the message says which column and what was expected."""


@dataclass(frozen=True, slots=True)
class Portable:
    """A table that travels."""

    name: str
    columns: Mapping[str, Take]
    key: tuple[str, ...]
    """Columns that name a row; no archive has two of one key."""
    places: tuple[tuple[str, ...], ...] = ()
    """Further columns of which no two rows have the same values."""


def checked(table: Portable, row: object) -> Values:
    """The row of an archive, if it is one of the table and nothing else.

    Raises:
        WrongRow: a column that is unknown, missing, or has a value it cannot have.
    """
    if not isinstance(row, dict):
        raise WrongRow(f"a line of {table.name} is no object")
    if row.keys() != table.columns.keys():
        odd = sorted(map(str, row.keys() ^ table.columns.keys()))[0][:60]
        raise WrongRow(f"the column {odd!r} of {table.name} is {'unknown' if odd in row else 'missing'}")
    values: Values = {}
    for name, take in table.columns.items():
        try:
            values[name] = take(row[name])
        except ValueError as error:
            raise WrongRow(f"{table.name}.{name}: expected {error}") from None
    _check_together(table, values)
    return values


def _check_together(table: Portable, values: Values) -> None:
    """What two columns of a row say of each other; the database asks it too, but only when it is too late to refuse."""
    if table.name == "ledger":
        state, amount = values["state"], values["amount_microusd"]
        if (state == "released" and amount != 0) or (state == "settled" and amount is None):
            raise WrongRow(
                "ledger.amount_microusd: expected 0 where it was released, and a number where it was settled"
            )
    if table.name == "battles" and values["image_a"] == values["image_b"]:
        raise WrongRow("battles.image_b: expected another image than image_a")
    if table.name == "images" and (values["converted_sha256"] is None) != (values["converted_type"] is None):
        raise WrongRow("images.converted_type: expected one where there is a converted_sha256, and else none")


def _matching(pattern: re.Pattern[str], words: str) -> Take:
    def take(value: object) -> Value:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise ValueError(words)
        return value

    return take


def _time(value: object) -> Value:
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    raise ValueError("a time as 2026-11-21T10:15:30.123Z")


def _text(longest: int = MAX_TEXT) -> Take:
    def take(value: object) -> Value:
        if not isinstance(value, str) or len(value) > longest or "\0" in value:
            raise ValueError(f"a text of at most {longest:,} characters")
        return value

    return take


def _number(low: int, high: int = _MOST_INTEGER) -> Take:
    def take(value: object) -> Value:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return take


def _chance(value: object) -> Value:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError("a number above 0 and at most 1")
    return float(value)


def _one_of(*choices: str) -> Take:
    def take(value: object) -> Value:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return take


def _or_null(take: Take) -> Take:
    def taken(value: object) -> Value:
        return None if value is None else take(value)

    return taken


def _document(value: object) -> Value:
    if not isinstance(value, dict):
        raise ValueError("an object")
    return _json(value)


def _asked(value: object) -> Value:
    """What pages read of a request without looking at its type."""
    if not isinstance(value, dict) or not isinstance(value.get("prompt", ""), str):
        raise ValueError("an object with a prompt")
    images = value.get("images", [])
    if not isinstance(images, list) or not all(isinstance(one, str) for one in images):
        raise ValueError("an object whose images are a list of hashes")
    return _json(value)


_ERROR = {
    "kind": (str,),
    "message": (str,),
    "param": (str, type(None)),
    "status": (int, type(None)),
    "retryable": (bool,),
    "retry_after_s": (int, float, type(None)),
    "may_have_been_billed": (bool,),
}


def _error(value: object) -> Value:
    if not isinstance(value, dict) or not {"kind", "message"} <= value.keys() <= _ERROR.keys():
        raise ValueError("an object with kind and message")
    if not all(isinstance(one, _ERROR[name]) for name, one in value.items()):
        raise ValueError("an object with kind and message")
    return _json(value)


def _words(value: object) -> Value:
    if not isinstance(value, list) or not all(isinstance(one, str) and _ID.fullmatch(one) for one in value):
        raise ValueError("a list of words")
    return _json(value)


def _json(value: object) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # nested too deeply
        raise ValueError("an object that is not nested hundreds of times") from None


_id, _hash = _matching(_ID, "an id"), _matching(_SHA256, "a SHA-256 in lower-case hexadecimal")
_offer = _matching(_OFFER, "an offer as provider/model")
_at = _or_null(_time)
_place, _pixels, _bytes = _number(0, 1_000_000), _number(1, _MOST_PX), _number(1)
_switch = _number(0, 1)
_picture = _one_of(*_PICTURES)
_short = _text(2_000)

_TABLES = (
    Portable(
        "groups",
        {
            "group_id": _id,
            "kind": _one_of(*get_args(GroupKind)),
            "operation": _one_of(*get_args(Operation)),
            "template": _text(),
            "created_at": _time,
            "layout": _or_null(_document),
        },
        ("group_id",),
    ),
    Portable(
        "runs",
        {
            "run_id": _id,
            "group_id": _id,
            "position": _place,
            "offer": _offer,
            "operation": _one_of(*get_args(Operation)),
            "prompt": _text(),
            "asked": _asked,
            "sent": _or_null(_document),
            "got": _or_null(_document),
            "state": _one_of(*ENDED_STATES),
            "key_source": _or_null(_one_of("server", "session", "none")),
            "queued_at": _time,
            "sent_at": _at,
            "finished_at": _at,
            "latency_ms": _or_null(_number(0)),
            "first_preview_ms": _or_null(_number(0)),
            "request_id": _or_null(_short),
            "remote_id": _or_null(_short),
            "unreadable_sha256": _or_null(_hash),
            "error": _or_null(_error),
            "estimate_microusd": _or_null(_number(0)),
            "trashed_at": _at,
            "deleted_at": _at,
            "note": _text(MAX_NOTE),
        },
        ("run_id",),
    ),
    Portable(
        "inputs",
        {
            "run_id": _id,
            "role": _one_of(*get_args(InputRole)),
            "position": _place,
            "sha256": _hash,
            "media_type": _picture,
            "width": _pixels,
            "height": _pixels,
        },
        ("run_id", "role", "position"),
    ),
    Portable(
        "images",
        {
            "image_id": _id,
            "run_id": _id,
            "position": _place,
            "sha256": _hash,
            "media_type": _picture,
            "width": _pixels,
            "height": _pixels,
            "size_bytes": _bytes,
            "seed": _or_null(_number(-(2**63) + 1, 2**63 - 1)),
            "revised_prompt": _or_null(_text()),
            "checks": _words,
            "created_at": _time,
            "converted_sha256": _or_null(_hash),
            "converted_type": _or_null(_picture),
            "phash": _or_null(_matching(_PHASH, "16 hexadecimal digits")),
            "favourite": _switch,
            "stars": _number(0, 5),
            "trashed_at": _at,
            "deleted_at": _at,
        },
        ("image_id",),
        (("run_id", "position"),),
    ),
    Portable(
        "partials",
        {
            "run_id": _id,
            "image_position": _place,
            "partial_position": _place,
            "sha256": _hash,
            "media_type": _picture,
            "at": _time,
        },
        ("run_id", "image_position", "partial_position"),
    ),
    Portable(
        "derived_images",
        {
            "image_id": _id,
            "kind": _one_of(*get_args(DerivedKind)),
            "sha256": _hash,
            "media_type": _picture,
            "width": _pixels,
            "height": _pixels,
            "size_bytes": _bytes,
            "figures": _document,
            "created_at": _time,
        },
        ("image_id", "kind"),
    ),
    Portable(
        "locks",
        {"image_id": _id, "state": _one_of("made", "refused"), "note": _short, "tries": _place, "at": _time},
        ("image_id",),
    ),
    Portable("masks", {"base_sha256": _hash, "mask_sha256": _hash, "updated_at": _time}, ("base_sha256",)),
    Portable(
        "ledger",
        {
            "ledger_id": _id,
            "run_id": _id,
            "state": _one_of(*(state for state in get_args(LedgerState) if state != "reserved")),
            "amount_microusd": _or_null(_number(0)),
            "source": _one_of(*get_args(CostSource)),
            "price_id": _or_null(_short),
            "at": _time,
        },
        ("ledger_id",),
    ),
    Portable("tags", {"run_id": _id, "tag": _text(MAX_TAG)}, ("run_id", "tag")),
    Portable(
        "battles",
        {
            "battle_id": _id,
            "operation": _one_of(*get_args(Operation)),
            "prompt": _text(),
            "image_a": _id,
            "image_b": _id,
            "offer_a": _offer,
            "offer_b": _offer,
            "source": _one_of(*get_args(BattleSource)),
            "is_demo": _switch,
            "probability": _chance,
            "state": _one_of("voted", "skipped", "expired", "reported"),
            "created_at": _time,
            "expires_at": _time,
            "shown_at": _at,
            "board": _one_of(*get_args(BoardName)),
            "category": _matching(re.compile(r"[a-z0-9-]{1,60}"), "a category"),
            "prompt_id": _or_null(_matching(re.compile(r"[a-z0-9-]{1,100}"), "a prompt of the bank")),
            "quality_a": _matching(_ID, "a quality"),
            "quality_b": _matching(_ID, "a quality"),
        },
        ("battle_id",),
    ),
    Portable(
        "votes",
        {
            "battle_id": _id,
            "outcome": _one_of(*get_args(Outcome)),
            "decided_ms": _or_null(_number(0)),
            "counted": _switch,
            "reason": _or_null(_short),
            "voted_at": _time,
            "follows": _or_null(_one_of(*get_args(Answer))),
            "looks": _or_null(_one_of(*get_args(Answer))),
            "undone_at": _at,
        },
        ("battle_id",),
    ),
)
TABLES: Mapping[str, Portable] = MappingProxyType({table.name: table for table in _TABLES})
"""In the order in which their rows are written: what others point at comes first."""
