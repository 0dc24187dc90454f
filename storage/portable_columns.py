"""Which columns of which tables travel in an archive, and what may stand in each.

What is not named here never leaves and is never taken in: owners, workers, row numbers and what follows from other rows. A
value from an archive is somebody's text until `checked` has seen it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import get_args

from storage.blobs import EXTENSIONS
from storage.curation import MAX_NOTE, MAX_TAG
from storage.migrations import RELEASED
from storage.portable_values import (
    Take,
    Value,
    chance,
    day,
    document,
    error_document,
    matching,
    moment,
    number,
    one_of,
    or_null,
    request,
    text,
    words,
)
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

_MOST_PX = 100_000
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PHASH = re.compile(r"[0-9a-f]{16}")
_OFFER = re.compile(r"[^\s/]{1,80}/\S{1,200}")
_PICTURES = tuple(media_type for media_type, extension in EXTENSIONS.items() if extension != "bin")

Values = dict[str, Value]
"""A row as it goes into the database; JSON is text."""


class WrongRow(ValueError):
    """A row of an archive that cannot be taken; the message says which column and what was expected."""


@dataclass(frozen=True, slots=True)
class Later:
    """Since when a column travels."""

    step: str
    """Of the schema, as `storage.migrations` names it: archives written before it lack the column."""
    value: Value
    """What stands in rows of such archives, as the archive would say it."""


@dataclass(frozen=True, slots=True)
class Portable:
    """A table that travels."""

    name: str
    columns: Mapping[str, Take]
    key: tuple[str, ...]
    """Columns that name a row; no archive has two of one key."""
    places: tuple[tuple[str, ...], ...] = ()
    """Further columns of which no two rows have the same values."""
    later: Mapping[str, Later] = field(default_factory=dict)
    """Columns that the first archives did not have. Whoever adds a column names it here, so that older files stay readable."""


def absent(table: Portable, schema: str) -> Values:
    """What stands for the columns that no archive of that step of the schema could have; empty for one of today.

    Raises:
        ValueError: there is no such step.
    """
    written = RELEASED.index(schema)
    return {name: one.value for name, one in table.later.items() if RELEASED.index(one.step) > written}


def checked(table: Portable, row: object, stand_ins: Mapping[str, Value] = MappingProxyType({})) -> Values:
    """The row of an archive, if it is one of the table and nothing else.

    `stand_ins`: of columns that may be missing, see `absent`.

    Raises:
        WrongRow: a column that is unknown, missing, or has a value it cannot have.
    """
    if not isinstance(row, dict):
        raise WrongRow(f"a line of {table.name} is no object")
    row = dict(stand_ins) | row
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
        if (values["settled_by"] is None) != (values["source"] != "by_hand"):
            raise WrongRow("ledger.settled_by: expected who settled it where that was by hand, and else none")
    if table.name == "battles" and values["image_a"] == values["image_b"]:
        raise WrongRow("battles.image_b: expected another image than image_a")
    if table.name == "images" and (values["converted_sha256"] is None) != (values["converted_type"] is None):
        raise WrongRow("images.converted_type: expected one where there is a converted_sha256, and else none")


_id, _hash = matching(_ID, "an id"), matching(_SHA256, "a SHA-256 in lower-case hexadecimal")
_offer = matching(_OFFER, "an offer as provider/model")
_at = or_null(moment)
_place, _pixels, _bytes = number(0, 1_000_000), number(1, _MOST_PX), number(1)
_switch = number(0, 1)
_picture = one_of(*_PICTURES)
_short = text(2_000)

_TABLES = (
    Portable(
        "groups",
        {
            "group_id": _id,
            "kind": one_of(*get_args(GroupKind)),
            "operation": one_of(*get_args(Operation)),
            "template": text(),
            "created_at": moment,
            "layout": or_null(document),
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
            "operation": one_of(*get_args(Operation)),
            "prompt": text(),
            "asked": request,
            "sent": or_null(document),
            "got": or_null(document),
            "state": one_of(*ENDED_STATES),
            "key_source": or_null(one_of("server", "session", "none")),
            "queued_at": moment,
            "sent_at": _at,
            "finished_at": _at,
            "latency_ms": or_null(number(0)),
            "first_preview_ms": or_null(number(0)),
            "first_byte_ms": or_null(number(0)),
            "request_id": or_null(_short),
            "remote_id": or_null(_short),
            "unreadable_sha256": or_null(_hash),
            "error": or_null(error_document),
            "estimate_microusd": or_null(number(0)),
            "trashed_at": _at,
            "deleted_at": _at,
            "note": text(MAX_NOTE),
        },
        ("run_id",),
        later={"first_byte_ms": Later("m012_first_byte", None)},
    ),
    Portable(
        "inputs",
        {
            "run_id": _id,
            "role": one_of(*get_args(InputRole)),
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
            "seed": or_null(number(-(2**63) + 1, 2**63 - 1)),
            "revised_prompt": or_null(text()),
            "checks": words,
            "created_at": moment,
            "converted_sha256": or_null(_hash),
            "converted_type": or_null(_picture),
            "phash": or_null(matching(_PHASH, "16 hexadecimal digits")),
            "favourite": _switch,
            "stars": number(0, 5),
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
            "at": moment,
        },
        ("run_id", "image_position", "partial_position"),
    ),
    Portable(
        "derived_images",
        {
            "image_id": _id,
            "kind": one_of(*get_args(DerivedKind)),
            "sha256": _hash,
            "media_type": _picture,
            "width": _pixels,
            "height": _pixels,
            "size_bytes": _bytes,
            "figures": document,
            "created_at": moment,
        },
        ("image_id", "kind"),
    ),
    Portable(
        "locks",
        {"image_id": _id, "state": one_of("made", "refused"), "note": _short, "tries": _place, "at": moment},
        ("image_id",),
    ),
    Portable("masks", {"base_sha256": _hash, "mask_sha256": _hash, "updated_at": moment}, ("base_sha256",)),
    Portable(
        "ledger",
        {
            "ledger_id": _id,
            "run_id": _id,
            "offer": _offer,
            "quality": matching(_ID, "a quality"),
            "payer": text(80),
            "state": one_of(*(state for state in get_args(LedgerState) if state != "reserved")),
            "amount_microusd": or_null(number(0)),
            "reserved_microusd": or_null(number(0)),
            "source": one_of(*get_args(CostSource)),
            "price_id": or_null(_short),
            "images": _place,
            "day": day,
            "reserved_at": moment,
            "at": moment,
            "settled_by": or_null(_short),
            "note": _short,
        },
        ("ledger_id",),
    ),
    Portable("tags", {"run_id": _id, "tag": text(MAX_TAG)}, ("run_id", "tag")),
    Portable(
        "battles",
        {
            "battle_id": _id,
            "operation": one_of(*get_args(Operation)),
            "prompt": text(),
            "image_a": _id,
            "image_b": _id,
            "offer_a": _offer,
            "offer_b": _offer,
            "source": one_of(*get_args(BattleSource)),
            "is_demo": _switch,
            "probability": chance,
            "state": one_of("voted", "skipped", "expired", "reported"),
            "created_at": moment,
            "expires_at": moment,
            "shown_at": _at,
            "board": one_of(*get_args(BoardName)),
            "category": matching(re.compile(r"[a-z0-9-]{1,60}"), "a category"),
            "prompt_id": or_null(matching(re.compile(r"[a-z0-9-]{1,100}"), "a prompt of the bank")),
            "quality_a": matching(_ID, "a quality"),
            "quality_b": matching(_ID, "a quality"),
        },
        ("battle_id",),
    ),
    Portable(
        "votes",
        {
            "battle_id": _id,
            "outcome": one_of(*get_args(Outcome)),
            "decided_ms": or_null(number(0)),
            "counted": _switch,
            "reason": or_null(_short),
            "voted_at": moment,
            "follows": or_null(one_of(*get_args(Answer))),
            "looks": or_null(one_of(*get_args(Answer))),
            "undone_at": _at,
        },
        ("battle_id",),
    ),
)
TABLES: Mapping[str, Portable] = MappingProxyType({table.name: table for table in _TABLES})
"""In the order in which their rows are written: what others point at comes first."""
