"""Everything of one owner is deleted: runs are stopped, rows and words go in one transaction, bytes when nobody needs them."""

from __future__ import annotations

import asyncio
import secrets
import shutil

from arena.copies import FOLDER, is_battle_id
from playground.engine import Engine
from playground.services import Services
from storage.engine import Database
from storage.erasing import Erased, erase
from storage.freeing import UNUSED_S, sweep_freed


async def erase_everything(services: Services, engine: Engine, owner: str, *, unused_s: float = UNUSED_S) -> Erased:
    """Deletes what is the owner's and forgets their keys. It cannot be undone; whoever is killed on the way begins again.

    Bytes that were put in the last `unused_s` seconds go with the next tidying, as somebody else may just be using them.

    Raises: StoreError when nothing could be deleted.
    """
    services.keys.forget_all(owner)
    await engine.cancel_all(owner)
    nobody = f"gone-{secrets.token_hex(16)}"

    def write(db: Database) -> Erased:
        return erase(db, owner, services.now(), nobody)

    erased = await asyncio.to_thread(services.store.write, write)
    await asyncio.to_thread(_drop_copies, services, erased.battles)
    await asyncio.to_thread(sweep_freed, services.store, unused_s=unused_s)
    return erased


def _drop_copies(services: Services, battles: tuple[str, ...]) -> None:
    for battle_id in battles:
        if is_battle_id(battle_id):
            shutil.rmtree(services.store.data_dir / FOLDER / battle_id, ignore_errors=True)
