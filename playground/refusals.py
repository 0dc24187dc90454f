"""Why a press is not carried out: nothing was stored or sent."""

from __future__ import annotations

from providers.checks import Problem


class PlanRefused(ValueError):
    """The plan has problems; nothing was stored or sent."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems
