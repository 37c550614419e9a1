"""Refining: half of the candidates at random, then the best one's hyperparameters one at a time, nearer each round.

It is coordinate search: each candidate of a later round is the best one so far, with one hyperparameter moved, of those
that the user named or else of all. The reach of the moves halves from round to round. It follows what a person does who
draws a few networks at random and then turns one knob after the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.search.space import NAMED, changing
from shoal.search.strategy import Outcome, Proposal, Search
from shoal.streams import Stream

FIRST, LATER = 32, 16
"""Candidates of the first round and of each later one, at most."""
REACH = 0.5
"""Of the moves of the second round, as a share of the limits."""


def propose(search: Search, outcomes: Sequence[Outcome]) -> list[Proposal]:
    """Return the candidates of the next round."""
    first, later = min(FIRST, -(-search.count // 2)), min(LATER, -(-search.count // 4))
    space, start = search.space, len(outcomes)
    if start < first or not space.varies:
        end = first if space.varies else search.count
        return [Proposal(candidate) for candidate in search.drawn(start, end)]
    best = min(outcomes, key=lambda outcome: (outcome.score, outcome.number))
    if not np.isfinite(best.score):  # nothing to stand on: draw on
        return [Proposal(candidate) for candidate in search.drawn(start, start + later)]
    reach = REACH / 2 ** ((start - first) // later)
    numbers = range(start, min(start + later, search.count))
    return [_moved(search, best.proposal, number, number - first, reach) for number in numbers]


def _moved(search: Search, best: Proposal, number: int, turn: int, reach: float) -> Proposal:
    """Return the best candidate with one hyperparameter moved, each in its turn."""
    names = list(search.space.named_parts or search.space.varied)
    name = names[turn % len(names)]
    part = search.space.varied[name]
    point = [float(u) for u in Stream(search.seed, NAMED, number).uniform((part.dimensions,))]
    value = part.near(getattr(best.hyperparameters, name), reach, point)
    return Proposal(changing(best.hyperparameters, {name: value}))
