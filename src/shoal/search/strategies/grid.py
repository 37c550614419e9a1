"""Grid search: every combination of the values that the user named; limits stand for five values."""

from __future__ import annotations

import math
from collections.abc import Sequence

from shoal.search.space import NAMED, Space, changing
from shoal.search.strategy import Outcome, Proposal, Search, check_named
from shoal.streams import Stream


def size(space: Space) -> int:
    """Return how many points the grid has."""
    check_named(space, "grid")
    return math.prod(len(values) for values in _values(space).values())


def propose(search: Search, outcomes: Sequence[Outcome]) -> list[Proposal]:
    """Return all points at once, the last name changing first; of too many, as many as are asked for, at random.

    Example:
        >>> from shoal.search.space import Categorical
        >>> space = Space({"l2": Categorical((0.0, 0.1)), "dropout": Categorical((0.0, 0.2))}, ("l2", "dropout"))
        >>> points = [proposal.hyperparameters for proposal in propose(Search(space, 4), ())]
        >>> [(point.l2, point.dropout) for point in points]
        [(0.0, 0.0), (0.0, 0.2), (0.1, 0.0), (0.1, 0.2)]
    """
    if outcomes:
        return []
    values, points, middle = _values(search.space), size(search.space), search.space.middle()
    taken: Sequence[int] = range(points)
    if search.count < points:
        taken = sorted(Stream(search.seed, NAMED).permutation(points)[: search.count].tolist())
    return [Proposal(changing(middle, _point(values, number))) for number in taken]


def _point(values: dict[str, tuple[object, ...]], number: int) -> dict[str, object]:
    """Return the values of the point of a number."""
    point = {}
    for name, each in reversed(values.items()):
        number, place = divmod(number, len(each))
        point[name] = each[place]
    return point


def _values(space: Space) -> dict[str, tuple[object, ...]]:
    return {name: part.spread for name, part in space.named_parts.items()}
