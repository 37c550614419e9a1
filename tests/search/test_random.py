"""Random search: a candidate depends on the seed and its number alone."""

from __future__ import annotations

from shoal.search.space import Space
from shoal.search.spaces import default_space
from shoal.search.strategies import random
from shoal.search.strategy import Outcome, Proposal, Search
from shoal.training.hyperparameters import Hyperparameters

SPACE = default_space(100, classification=True)


def propose(space: Space, count: int, seed: int, start: int = 0) -> list[Hyperparameters]:
    """Return candidates of a random search from one number on."""
    told = [Outcome(i, Proposal(Hyperparameters()), 1.0, 0.1) for i in range(start)]
    return [proposal.hyperparameters for proposal in random.propose(Search(space, start + count, seed), told)]


def test_a_candidate_depends_on_its_number_alone() -> None:
    many = propose(SPACE, 20, seed=4)
    assert propose(SPACE, 5, seed=4) == many[:5]
    assert propose(SPACE, 5, seed=4, start=11) == many[11:16]


def test_candidates_differ() -> None:
    assert len(set(propose(SPACE, 30, seed=4))) == 30


def test_another_seed_draws_other_candidates() -> None:
    a, b = propose(SPACE, 10, seed=0), propose(SPACE, 10, seed=1)
    assert all(x != y for x, y in zip(a, b, strict=True))
