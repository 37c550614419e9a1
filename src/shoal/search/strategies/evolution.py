"""Evolution: children of the best candidates so far, crossed and mutated, as in a genetic algorithm.

A third is drawn at random, 32 at most. Of each later generation every candidate has two parents, each the best of three
of the living population, which are the 8 best so far; it takes each hyperparameter from either and moves one or two
of them a little. Networks begin with weights of their own: inherited ones would make a score depend on its ancestors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from shoal.search.space import NAMED, changing
from shoal.search.strategy import Outcome, Proposal, Search
from shoal.streams import Stream
from shoal.training.hyperparameters import Hyperparameters

FIRST, LATER = 32, 16
"""Candidates of the first generation and of each later one, at most."""
LIVING, RIVALS = 8, 3
"""How many of the best may be parents, and of how many that are drawn the best becomes one."""
MOVED, REACH = 1.5, 0.25
"""How many hyperparameters a mutation moves on average, and how far, as a share of the limits."""


def propose(search: Search, outcomes: Sequence[Outcome]) -> list[Proposal]:
    """Return the next generation."""
    first, later = min(FIRST, -(-search.count // 3)), min(LATER, -(-search.count // 6))
    start = len(outcomes)
    if not search.space.varies:
        return [Proposal(candidate) for candidate in search.drawn(start, search.count)]
    if start < first:
        return [Proposal(candidate) for candidate in search.drawn(start, first)]
    end = min(start + later, search.count)
    sound = [outcome for outcome in outcomes if np.isfinite(outcome.score)]
    living = sorted(sound, key=lambda outcome: (outcome.score, outcome.number))[:LIVING]
    if not living:  # nothing to stand on: draw on
        return [Proposal(candidate) for candidate in search.drawn(start, end)]
    best_first = [outcome.proposal.hyperparameters for outcome in living]
    return [Proposal(_child(search, best_first, number)) for number in range(start, end)]


def _child(search: Search, living: Sequence[Hyperparameters], number: int) -> Hyperparameters:
    """Return a candidate of two parents; `living` has the best first."""
    stream = Stream(search.seed, NAMED, number)
    mother, father = (living[min(stream.integer(len(living)) for _ in range(RIVALS))] for _ in range(2))
    varied, moving = search.space.varied, search.space.named_parts or search.space.varied
    values: dict[str, Any] = {}
    for name, part in varied.items():
        of_mother, moves, *point = (float(u) for u in stream.uniform((2 + part.dimensions,)))
        value = getattr(mother if of_mother < 0.5 else father, name)
        values[name] = part.near(value, REACH, point) if name in moving and moves < MOVED / len(moving) else value
    return changing(mother, values)
