"""What a strategy of the search is: it proposes candidates, is told their scores, and proposes again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from shoal.errors import SettingError, counted
from shoal.search import strategies
from shoal.search.space import Space
from shoal.training.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class Proposal:
    """What shall be trained.

    Attributes:
        hyperparameters: of the candidate.
        rungs: epochs, rising, after each of which those that were proposed together are compared, and only the best
            train on (`shoal.training.rungs`); the same for all of them.
    """

    hyperparameters: Hyperparameters
    rungs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of a proposal.

    Attributes:
        number: of the candidate, counted from 0 in the order of the proposals.
        proposal: what was trained.
        score: mean over its networks, lower is better; infinite where one of them diverged or was not trained.
        error: standard error of the score over its networks; NaN for a single one.
    """

    number: int
    proposal: Proposal
    score: float
    error: float


@dataclass(frozen=True)
class Search:
    """What is searched.

    Attributes:
        space: what each hyperparameter may be.
        count: how many candidates shall be proposed in all.
        seed: names the random numbers.
        first: candidates to begin with, before any are drawn; those of an earlier run.
    """

    space: Space
    count: int
    seed: int = 0
    first: tuple[Hyperparameters, ...] = ()

    def drawn(self, start: int, end: int) -> list[Hyperparameters]:
        """Return the candidates of some numbers: of `first`, then drawn from the space, each by its number alone."""
        numbers = range(start, min(end, self.count))
        return [self.first[n] if n < len(self.first) else self.space.candidate(self.seed, n) for n in numbers]


class Strategy(Protocol):
    """A module of `shoal.search.strategies`, known by its file name; it keeps nothing between two calls.

    One that has a number of candidates of its own also has `size(space)`, see `size_of`.
    """

    def propose(self, search: Search, outcomes: Sequence[Outcome]) -> list[Proposal]:
        """Return what to train next, an empty list at the end.

        Args:
            search: what is searched.
            outcomes: of all that was proposed so far, in the order of the proposals. The answer depends on the
                arguments alone, so that a search that was interrupted goes on as if it had not been.
        """


def strategy_names() -> tuple[str, ...]:
    """Return the names of all strategies.

    Example:
        >>> "one-at-a-time" in strategy_names()
        True
    """
    return tuple(module.name.replace("_", "-") for module in iter_modules(strategies.__path__))


def get_strategy(name: str) -> Strategy:
    """Return the strategy of this name."""
    return cast(Strategy, import_module(f"{strategies.__name__}.{name.replace('-', '_')}"))


def size_of(name: str, space: Space) -> int | None:
    """Return how many candidates a strategy has in a space; None: as many as are asked for.

    Where it has a number of its own, hyperparameters that the user did not name stay at the middle of the space.

    Raises:
        SettingError: it has nothing to do in the space.
    """
    size: Callable[[Space], int] | None = getattr(get_strategy(name), "size", None)
    return None if size is None else size(space)


def check_named(space: Space, strategy: str) -> None:
    """Raise SettingError unless the user named what a strategy shall try."""
    if not space.named:
        raise SettingError(
            f"search {strategy} tries what you name; name alternatives or limits of a hyperparameter, e.g. "
            '--learning-rate "0.001; 0.01; 0.1" or --learning-rate 0.0001..0.1'
        )


def check_count(search: Search, needed: int, what: str) -> None:
    """Raise SettingError where a strategy needs more candidates than were asked for."""
    if search.count < needed:
        raise SettingError(
            f"{what} has {counted(needed, 'candidate')}, and networks={search.count} leaves no room for them; leave "
            "out networks, or name fewer values"
        )
