"""One at a time: from a base, each hyperparameter that the user named moves alone; limits stand for five values.

The base has the first of each row of alternatives, the middle of limits, and the middle of what was not named.
"""

from __future__ import annotations

from collections.abc import Sequence

from shoal.search.space import Space, changing
from shoal.search.strategy import Outcome, Proposal, Search, check_count, check_named


def size(space: Space) -> int:
    """Return how many candidates there are: the base, and each of the other values."""
    check_named(space, "one-at-a-time")
    return len(_moves(space))


def propose(search: Search, outcomes: Sequence[Outcome]) -> list[Proposal]:
    """Return the base and then every move from it, at once.

    Example:
        >>> from shoal.search.space import Categorical
        >>> space = Space({"l2": Categorical((0.0, 0.1)), "dropout": Categorical((0.0, 0.2))}, ("l2", "dropout"))
        >>> tried = [proposal.hyperparameters for proposal in propose(Search(space, 3), ())]
        >>> [(each.l2, each.dropout) for each in tried]
        [(0.0, 0.0), (0.1, 0.0), (0.0, 0.2)]
    """
    if outcomes:
        return []
    moves, base = _moves(search.space), search.space.middle()
    check_count(search, len(moves), "search one-at-a-time")
    return [Proposal(changing(base, move)) for move in moves]


def _moves(space: Space) -> list[dict[str, object]]:
    """Return what changes in each candidate, nothing in the base."""
    named = space.named_parts.items()
    moved = [{name: value} for name, part in named for value in part.spread if value != part.middle]
    return [{}, *moved]
