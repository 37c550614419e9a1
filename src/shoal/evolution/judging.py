"""What champions are worth: on starts that no one learnt from and no one was chosen by, over several seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from shoal.evolution.tasks import Measured
from shoal.results import Interval
from shoal.statistics.bootstrap import wilson

SOLVED = 0.95
"""The share of unseen starts from which a champion must succeed, for its seed to count as solved."""


@dataclass(frozen=True)
class Judged:
    """One policy on unseen starts.

    Attributes:
        starts: how many; 1: the same is measured each time.
        fitness: the mean, with a 95 % interval over the starts.
        success: the share of successes, with Wilson's 95 % interval; None where success has no meaning.
    """

    starts: int
    fitness: Interval
    success: Interval | None

    @property
    def solved(self) -> bool | None:
        """Whether it succeeds from at least 95 % of the starts; None where success has no meaning."""
        return None if self.success is None else self.success.value >= SOLVED

    @classmethod
    def of(cls, measured: Measured, member: int = 0) -> Judged:
        """Return what was measured of one member."""
        fitness = measured.fitness[member]
        success = None
        if measured.success is not None:
            share = float(measured.success[member].mean())
            success = Interval(share, *wilson(share, len(fitness)), "wilson")
        return cls(len(fitness), mean_with_interval(fitness), success)


@dataclass(frozen=True)
class Together:
    """The champions of all seeds.

    Attributes:
        seeds: how many.
        solved: the share of seeds that count as solved, with Wilson's interval; None where success has no meaning.
        success: the mean share of successes. Its interval is Wilson's for as many trials as seeds, which is at least as
            wide as that of any distribution of shares between 0 and 1, and never of no width.
        fitness: the mean over the seeds, with Student's interval.
    """

    seeds: int
    solved: Interval | None
    success: Interval | None
    fitness: Interval

    @classmethod
    def of(cls, judged: list[Judged]) -> Together:
        """Return what the champions of several seeds are worth together."""
        seeds, solved, success = len(judged), None, None
        if all(each.success is not None for each in judged):
            shares = [each.success.value for each in judged if each.success is not None]
            share = sum(bool(each.solved) for each in judged) / seeds
            solved = Interval(share, *wilson(share, seeds), "wilson")
            success = Interval(float(np.mean(shares)), *wilson(float(np.mean(shares)), seeds), "wilson")
        fitness = mean_with_interval(np.array([each.fitness.value for each in judged]))
        return cls(seeds, solved, success, fitness)


def mean_with_interval(values: np.ndarray) -> Interval:
    """Return a mean with Student's 95 % interval; of a single value, and of equal ones, the interval is not known.

    Example:
        >>> mean_with_interval(np.array([1.0, 2.0, 3.0])).low.__round__(3)
        -0.484
    """
    count, mean = len(values), float(np.mean(values))
    if count < 2 or np.ptp(values) == 0:
        return Interval(mean, math.nan, math.nan, "student")
    half = float(student.ppf(0.975, count - 1) * np.std(values, ddof=1) / math.sqrt(count))
    return Interval(mean, mean - half, mean + half, "student")
