"""What can happen to a job at every provider that has jobs, as values to queue on a fake."""

from dataclasses import dataclass

from tests.fakes.faults import Fault


@dataclass(frozen=True, slots=True)
class NeverEnds(Fault):
    """The job is at work for ever, unless it is cancelled where it can be; a call that waits for it gets no images."""


@dataclass(frozen=True, slots=True)
class PollBreaks(Fault):
    """The first `times` reads of its state are answered by this status; the job goes on behind them."""

    times: int
    status: int = 500


@dataclass(frozen=True, slots=True)
class GoneAfterwards(Fault):
    """The job succeeds, but each of its result files answers 404."""


EVERYWHERE = (NeverEnds, PollBreaks, GoneAfterwards)
