"""Who can be compared with whom: islands and leagues of competitors. Pure.

An island is a set that battles connect; between two islands no vote says anything. A league is a set in which everyone
has taken points from everyone, over others if need be. Exactly when all competitors are one league, the plain maximum of
the likelihood is finite (Ford 1957); otherwise some are "unbounded": only a prior keeps their ratings finite.
"""

from __future__ import annotations

import numpy as np

from arena.ratings.outcomes import Flags, Floats


def islands(points: Floats) -> list[list[int]]:
    """Indices connected by battles, largest island first; `points` (M, M) holds what row i scored against column j."""
    return _groups(_reach((points + points.T) > 0))


def leagues(points: Floats) -> list[list[int]]:
    """Indices that have taken points from each other, directly or over others; the largest league first."""
    reach = _reach(points > 0)
    return _groups(reach & reach.T)


def outside_main(groups: list[list[int]]) -> list[list[int]]:
    """The groups that the board is not about: all but the largest; all of them when two are equally large.

    `groups` come with the largest first.
    """
    has_main = len(groups) == 1 or (len(groups) > 1 and len(groups[0]) > len(groups[1]))
    return groups[1:] if has_main else groups


def _reach(steps: Flags) -> Flags:
    """(M, M) whether j can be reached from i over any number of steps, none included."""
    size = len(steps)
    reach = steps | np.eye(size, dtype=np.bool_)
    length = 1
    while length < size:
        wider = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
        if np.array_equal(wider, reach):
            break
        reach, length = wider, 2 * length
    return reach


def _groups(together: Flags) -> list[list[int]]:
    """The classes of an equivalence relation (M, M): the largest first, then by their first index."""
    firsts = np.argmax(together, axis=1) if len(together) else np.empty(0, dtype=np.intp)
    groups: dict[int, list[int]] = {}
    for index, first in enumerate(firsts.tolist()):
        groups.setdefault(first, []).append(index)
    return sorted(groups.values(), key=lambda group: (-len(group), group[0]))
