"""Which offers keep failing, so that no battle is drawn with them. Whoever calls owns the transaction."""

from __future__ import annotations

import json

from storage.engine import Database
from storage.rows import fetch

FAILURES = 3
"""So many failures on end, and an offer is left out of draws."""
KEY_KINDS = ("auth", "permission", "quota", "rate_limit")
"""Kinds of errors that say something of the offer with one key: nobody else's draws follow from them."""
OUTAGE_KINDS = (*KEY_KINDS, "not_found", "timeout", "server", "network", "malformed", "unknown")
"""Kinds of errors that say something of the offer, and not of what it was asked."""


def failing_offers(db: Database, owner: str, *, since: str) -> set[str]:
    """Offers whose newest `FAILURES` runs since then (UTC text) all failed for reasons of the provider: `owner`'s own runs, or
    everybody's without what only speaks of another's key.
    """
    rows = fetch(
        db,
        """with ended as (
            select seq, owner, offer, state, error ->> 'kind' as kind from runs
            where finished_at >= :since and state in ('succeeded', 'failed', 'unknown')
        ), newest as (
            select offer, 'own' as whose, state, kind, row_number() over (partition by offer order by seq desc) as place
            from ended where owner = :owner
            union all
            select offer, 'all', state, kind, row_number() over (partition by offer order by seq desc)
            from ended where owner = :owner or coalesce(kind, '') not in (select value from json_each(:key_kinds))
        )
        select distinct offer from newest where place <= :failures
        group by offer, whose having count(*) = :failures and sum(state = 'succeeded' or kind not in (
            select value from json_each(:kinds))) = 0""",
        {
            "owner": owner,
            "since": since,
            "failures": FAILURES,
            "key_kinds": json.dumps(KEY_KINDS),
            "kinds": json.dumps(OUTAGE_KINDS),
        },
    )
    return {row["offer"] for row in rows}
