"""Random search (Bergstra and Bengio, JMLR 13, 281, 2012): quasi-random in what the user named, else independent."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.search.strategy import Outcome, Proposal, Search


def propose(search: Search, outcomes: Sequence[Outcome]) -> list[Proposal]:
    """Return all candidates at once; each depends on the seed and its number alone.

    Example:
        >>> from shoal.search.space import Fixed, Space
        >>> search = Search(Space({"hidden": Fixed((8,))}), count=2)
        >>> [proposal.hyperparameters.hidden for proposal in propose(search, ())]
        [(8,), (8,)]
    """
    return [Proposal(candidate) for candidate in search.drawn(len(outcomes), search.count)]
