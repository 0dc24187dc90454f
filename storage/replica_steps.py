"""What the step `m018_replicas` of `storage.migrations` runs, and what its tables mean. Data only.

The rows are of the moment: who is there now, what is held or asked for now. Nothing points at them, no copy takes them along.
"""

from __future__ import annotations

from collections.abc import Mapping

REPLICAS = (
    "create table workers (worker_id text primary key, seen_ms integer not null) strict",
    """create table seats (
        ticket integer primary key,
        seat_id text not null unique,
        worker_id text not null,
        provider text not null
    ) strict""",
    "create index seats_by_provider on seats (provider, ticket)",
    "create table stops (run_id text primary key, why text not null, asked_at text not null) strict",
    """create table uses (
        use_id integer primary key,
        subject text not null,
        kind text not null,
        at_ms integer not null,
        amount integer not null check (amount > 0)
    ) strict""",
    "create index uses_by_subject on uses (subject, kind, at_ms)",
    "create index uses_by_time on uses (at_ms)",
)

TABLES: Mapping[str, str] = {
    "workers": "Processes of an app on PostgreSQL that are there now. Whoever is not seen for the term of a lease loses it.",
    "seats": "Calls under way or next in line at a provider, over all replicas: the oldest so many of each hold a place.",
    "stops": "Runs that somebody asked to stop at another replica than the one that carries them.",
    "uses": "What visitors used in the last hour, where several replicas count together.",
}
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "workers": {
        "worker_id": "as `runs.worker`",
        "seen_ms": "when it was seen last, milliseconds by the database's clock",
    },
    "seats": {
        "ticket": "number in line, the lowest first",
        "seat_id": "fresh id of whoever asks",
        "worker_id": "the process that makes the call",
        "provider": "id in the catalogue",
    },
    "stops": {"run_id": "which run", "why": "what its end says", "asked_at": "UTC"},
    "uses": {
        "use_id": "row number",
        "subject": "keyed hash of a visitor or of a network address",
        "kind": "what was used: runs, votes, uploads, their bytes, tries of keys, calls by endpoint",
        "at_ms": "when, in milliseconds since 1970",
        "amount": "how much",
    },
}
