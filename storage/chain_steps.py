"""What the step `m017_vote_chain` of `storage.migrations` runs. Data only."""

from __future__ import annotations

# Links point at votes without a reference: a link stays as a tombstone whatever becomes of its vote.
VOTE_CHAIN = (
    """create table vote_links (
        link integer primary key,
        seq integer not null,
        kind text not null check (kind in ('cast', 'undone', 'erased')),
        votes integer not null check (votes >= 0),
        counted integer not null check (counted in (0, 1)),
        reason text,
        undone_at text,
        nonce text check (nonce is null or length(nonce) = 32),
        digest text not null check (length(digest) = 64),
        head text not null check (length(head) = 64)
    ) strict""",
    "create index vote_links_by_vote on vote_links (seq)",
)
