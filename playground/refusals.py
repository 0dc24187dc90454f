"""Why a press is not carried out: nothing was stored or sent."""

from __future__ import annotations

from playground.owners import LOCAL_OWNER
from providers.checks import Problem


class PlanRefused(ValueError):
    """The plan has problems; nothing was stored or sent."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


class NotYours(PermissionError):
    """Limits and prices are the operator's to set. The message can be shown."""


def operators_only(owner: str, *, is_operator: bool) -> None:
    """Passes who was recognised as the operator, and the owner of a local app, who always is.

    Raises: NotYours for anybody else.
    """
    if not is_operator and owner != LOCAL_OWNER:
        raise NotYours("Limits and prices are set by whoever runs this server.")
