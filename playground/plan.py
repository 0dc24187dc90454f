"""From what a person asked to what would be sent, and what it would cost. Pure: nothing is sent or stored here.

The Run button, the command line, and later X-ray, sweeps and the API all read the same `Plan`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from providers.adapter import HttpCall
from providers.adapters import ADAPTERS
from providers.catalog import Catalog, ModelSpec, Offer, Provider, UnknownOffer
from providers.checks import Problem, problems_of
from providers.pricing import Estimate, estimate
from providers.types import FieldHandling, ImageRequest, Operation


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One run as it would go out, with everything that stands in its way."""

    offer: Offer
    provider: Provider
    spec: ModelSpec
    request: ImageRequest
    problems: tuple[Problem, ...]
    """Empty when it can be sent."""
    fields: tuple[FieldHandling, ...]
    call: HttpCall
    """The literal request, without the key; exactly this is sent."""
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs of one press of Run."""

    runs: tuple[PlannedRun, ...]
    operation: Operation
    prompt: str
    problems: tuple[Problem, ...] = ()
    """Problems of the press as a whole, such as no offer ticked."""

    @property
    def is_sendable(self) -> bool:
        """Whether every run can be sent."""
        return bool(self.runs) and not self.all_problems

    @property
    def all_problems(self) -> tuple[Problem, ...]:
        """Problems of the press and of its runs, each said once."""
        found = [*self.problems, *(problem for run in self.runs for problem in run.problems)]
        return tuple(dict.fromkeys(found))

    @property
    def high_microusd(self) -> int | None:
        """The most the press is expected to cost; `None` when a run's price is unknown."""
        amounts = [run.estimate.high_microusd for run in self.runs]
        return None if None in amounts else sum(amount for amount in amounts if amount is not None)

    @property
    def low_microusd(self) -> int | None:
        """The least the press is expected to cost; `None` when a run's price is unknown."""
        amounts = [run.estimate.low_microusd for run in self.runs]
        return None if None in amounts else sum(amount for amount in amounts if amount is not None)


def make_plan(request: ImageRequest, offers: Sequence[str], catalog: Catalog) -> Plan:
    """A run for each offer named. A name that is no offer becomes a problem of the plan."""
    planned: list[PlannedRun] = []
    problems: list[Problem] = []
    for name in dict.fromkeys(offers):
        try:
            offer = catalog.offer(name)
        except UnknownOffer as error:
            problems.append(Problem("offers", str(error)))
            continue
        planned.append(plan_run(request, offer, catalog))
    if not offers:
        problems.append(Problem("offers", "No model is chosen. Tick at least one."))
    return Plan(tuple(planned), request.operation, request.prompt, tuple(problems))


def plan_run(request: ImageRequest, offer: Offer, catalog: Catalog) -> PlannedRun:
    """What this offer would be sent for the request, and at what price."""
    provider, spec = catalog.provider(offer.provider_id), catalog.spec(offer)
    adapter = ADAPTERS[provider.adapter]
    call, fields = adapter.build(request, offer, spec)
    return PlannedRun(
        offer=offer,
        provider=provider,
        spec=spec,
        request=request,
        problems=tuple(problems_of(request, spec, provider)),
        fields=fields,
        call=call,
        estimate=estimate(request, spec, offer),
    )
