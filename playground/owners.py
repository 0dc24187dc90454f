"""Who owns what: `local` where there is one owner, else a hash of what a visitor holds, or of whom they signed in as."""

from __future__ import annotations

import hashlib

LOCAL_OWNER = "local"
"""The one owner of everything in local mode."""

_SIGNED_IN = "hf-"


def owner_of_token(token: str) -> str:
    """The owner id of a visitor's token, which cannot be found from it."""
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def owner_of_account(account_id: str) -> str:
    """The owner id of a Hugging Face account, by the id that stays when its name changes."""
    return _SIGNED_IN + hashlib.sha256(f"huggingface {account_id}".encode()).hexdigest()[:32]


def is_signed_in(owner: str) -> bool:
    """Whether the owner is an account and not just a browser."""
    return owner.startswith(_SIGNED_IN)
