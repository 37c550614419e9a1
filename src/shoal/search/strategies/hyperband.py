"""Hyperband (Li and others, JMLR 18, 185, 2018): rounds of successive halving that begin to compare ever later.

Early comparisons save most, but let slow starters go. So the candidates are dealt to four rounds, 27, 12, 6 and 4 parts
of them, with three rungs, the later two, the last one, and none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from shoal.search.strategies.halving import TOGETHER, rungs_of
from shoal.search.strategy import Outcome, Proposal, Search

PARTS = (27, 12, 6, 4)
"""Candidates of each round, of 49: 4 / (s + 1) · 3^s, rounded up, for s = 3, 2, 1 and 0 rungs, as in the paper."""


def propose(search: Search, outcomes: Sequence[Outcome]) -> list[Proposal]:
    """Return the candidates of the next round, with its rungs.

    Example:
        >>> from shoal.search.space import Fixed, Space
        >>> search, told = Search(Space({"epochs": Fixed(81), "patience": Fixed(30)}), count=49), []
        >>> while more := propose(search, told):
        ...     print(len(more), more[0].rungs)
        ...     told += [Outcome(len(told) + n, proposal, 1.0, 0.1) for n, proposal in enumerate(more)]
        27 (3, 9, 27)
        12 (9, 27)
        6 (27,)
        4 ()
    """
    together = min(search.count, TOGETHER)
    ends = [round(together * part / sum(PARTS)) for part in accumulate(PARTS)]
    start = len(outcomes)
    turn, place = divmod(start, together)
    number = next(i for i, end in enumerate(ends) if place < end)
    drawn = search.drawn(start, turn * together + ends[number])
    return [Proposal(candidate, rungs_of(drawn, len(PARTS) - 1 - number)) for candidate in drawn]
