"""A store whose every text is markup, and the pages that are saved of it."""

from __future__ import annotations

import json
from dataclasses import replace

from sqlite_utils import Database

from playground.library import GroupView
from playground.services import Services
from storage import battles, curation, reports, searches, templates
from storage.curation import Picked
from storage.records import Battle, Group, RunError, RunView, StoredImage, Template
from storage.searches import SavedSearch
from tests.arena.world import add_run, picture
from tests.storage.builders import NOW, make_group, make_image, make_run
from ui.history_report import report_page
from ui.sweep_page import sweep_page

EVIL = (
    "\"'><img src=x onerror=window.ran=1><script>window.ran=2</script><svg onload=window.ran=3>"
    "</title></style></textarea>${window.ran=4}{{7*7}}`"
)
SHORT = "<img src=x onerror=window.ran=5>"
FILE_NAME = "'><img src=x onerror=window.ran=7>${window.ran=8}.png"
EVIL_OFFER = "compatible/<img src=x onerror=window.ran=6>"


def fill(services: Services) -> None:
    """Runs, a sweep, a battle and everything a person can name, all of it hostile."""
    ids = [add_run(services, prompt=f"{EVIL} {n}", data=picture(number=n))[0] for n in range(2)]
    ids += add_run(services, EVIL_OFFER, prompt=EVIL, data=picture(number=7))
    add_run(services, prompt=EVIL, state="failed")
    cells = [{"run": 0, "problem": ""}, {"run": None, "problem": EVIL}]
    layout = {"x": {"vary": "prompt", "values": [EVIL, SHORT]}, "y": None, "cells": cells}

    def write(db: Database) -> None:
        error = '{"kind": "invalid_request", "message": ' + _json(EVIL) + ', "param": ' + _json(SHORT) + "}"
        db.execute("update runs set error = ? where state = 'failed'", [error])
        db.execute(
            "update runs set got = ?, asked = json_set(asked, '$.user', ?)", ['{"size": ' + _json(SHORT) + "}", EVIL]
        )
        db.execute("update images set revised_prompt = ?", [EVIL])
        db.execute("update groups set kind = 'sweep', layout = ?, template = ? where rowid = 1", [_json(layout), EVIL])
        picked = Picked(images=ids)
        curation.add_tags(db, "local", picked, [SHORT])
        for row in list(db.table("runs").rows):
            curation.set_note(db, "local", row["run_id"], EVIL)
        templates.put(db, Template("t1", "local", SHORT, EVIL, None, NOW))
        searches.save(db, "local", SavedSearch(SHORT[:40], EVIL, "newest"), NOW)
        battle = Battle(
            battle_id="a" * 32, voter="local", operation="generate", prompt=EVIL, image_a=ids[0], image_b=ids[2],
            offer_a="openai/gpt-image-2", offer_b=EVIL_OFFER, source="history", is_demo=False, probability=0.5, state="open",
            created_at=NOW, expires_at="2999-01-01T00:00:00.000Z",
        )  # fmt: skip
        battles.insert(db, battle)
        reports.add(db, battle.battle_id, "local", "other", EVIL, NOW)

    services.store.write(write)


def _json(value: object) -> str:
    return json.dumps(value)


def files(services: Services) -> dict[str, str]:
    """The HTML files that are saved, of a run whose every text is hostile."""
    error = RunError("invalid_request", EVIL, EVIL)
    run = make_run(
        offer=EVIL_OFFER, prompt=EVIL, note=EVIL, tags=(SHORT,), error=error, asked={"prompt": EVIL, "size": EVIL, SHORT: EVIL},
        sent={"size": EVIL}, got={"size": EVIL, "quality": SHORT}, state="succeeded",
    )  # fmt: skip
    image: StoredImage = replace(make_image(), revised_prompt=EVIL)
    view = RunView(run, (image,), (), (), 0, "reported", "settled")
    broken = RunView(replace(run, run_id="r2", state="failed"), (), (), (), 0, "reported", "settled")
    cells = [{"run": 0, "problem": ""}, {"run": 1, "problem": ""}, {"run": None, "problem": EVIL}]
    values = [EVIL, SHORT, EVIL]
    layout = {"x": {"vary": "prompt", "values": values, "name": EVIL}, "y": None, "cells": cells}
    group: Group = replace(make_group(kind="sweep", layout=layout), template=EVIL)
    small = {image.sha256: picture(form="WEBP")}
    sweep = sweep_page(GroupView(group, (view, broken)), small, services.catalog)
    assert sweep is not None
    return {
        "report.html": report_page([view, broken], small, services.catalog, made_at=NOW),
        "sweep.html": sweep,
    }
