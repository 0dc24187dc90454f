"""Runs as an ended process leaves them."""

from __future__ import annotations

from playground import entering
from playground.keys import FoundKey
from playground.plan import Plan, make_plan
from playground.services import LOCAL_OWNER
from providers.rows import CATALOG
from providers.types import ImageRequest
from storage import runs
from tests.harness import Harness

DEMO = make_plan(ImageRequest("a fox"), ["demo/flat"], CATALOG)


def left(one: Harness, worker_id: str = "gone", plan: Plan = DEMO, *, typed_by: str | None = None) -> str:
    """The id of a run, mostly of the Demo, that was queued by a process, mostly by one that is not there any more.
    `typed_by`: its owner, on whose typed key it goes.
    """
    group = entering.group_of(plan, typed_by or LOCAL_OWNER, "run", one.services)
    key = FoundKey("session" if typed_by else "none", None)
    row = entering.run_of(group, 0, plan.runs[0], key, worker_id, one.services)
    entering.store(one.services, group, [row], plan, worker_id)
    return row.run_id


def state_of(one: Harness, run_id: str) -> str:
    view = one.services.store.read(lambda db: runs.get(db, run_id, None))
    assert view is not None
    return view.run.state
