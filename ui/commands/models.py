"""`models`: what can be asked for here, with limits and prices. Opens no store."""

from __future__ import annotations

import argparse

from ui.answering import Answer
from ui.commands.parts import Parts
from ui.failures import ALL_WELL
from ui.plain_documents import catalog_document


def run(_options: argparse.Namespace, answer: Answer, parts: Parts) -> int:
    """Lists the offers; returns the exit code."""
    catalog = parts.catalog
    answer.document(catalog_document(catalog))
    for offer in catalog.offers:
        spec = catalog.spec(offer)
        ends = f"  ends {spec.retires_on}" if spec.retires_on else ""
        answer.line(f"{offer.offer_id:36} {spec.name}{ends}")
    return ALL_WELL
