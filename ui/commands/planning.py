"""What `estimate` and `generate` share: the plan of the options, and what is said of it before anything is sent."""

from __future__ import annotations

import argparse

from playground.plan import Plan, make_plan
from playground.refusals import PlanRefused
from playground.services import utc_now
from providers.catalog import Catalog
from providers.rows import DEFAULT_QUALITY
from ui.answering import Answer
from ui.arguments import unreadable
from ui.documents import lifecycle_notice
from ui.request_options import read_request


def planned(options: argparse.Namespace, answer: Answer, catalog: Catalog) -> Plan:
    """What the options ask for, with all that stands in its way. Raises: PlanRefused, UploadRefused."""
    garbled = unreadable(options)
    if garbled:
        raise PlanRefused(garbled)
    request = read_request(options, answer.say)
    return make_plan(request, options.offer, catalog, default_quality=DEFAULT_QUALITY)


def tell_ends(plan: Plan, answer: Answer) -> None:
    """Says which models end, or have ended."""
    for run in plan.runs:
        notice = lifecycle_notice(run, utc_now().date())
        if notice:
            answer.say(f"{run.offer.offer_id}: {notice}")
