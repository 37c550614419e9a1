"""One seed: a population learns, and a champion is chosen on starts that it did not learn from."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from shoal.evolution.algorithms import Algorithm
from shoal.evolution.search import Evolution
from shoal.evolution.tasks import FitnessTask, Measured, Part
from shoal.networks import Network

QUANTILES = {"worst": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75, "best": 1.0}


@dataclass(frozen=True)
class EvolutionPlan:
    """How to learn.

    Attributes:
        algorithm: with its options.
        population: members of a generation; None: as many as the algorithm has by default.
        sigma: of the first generation; None: as the algorithm has by default.
        generations: at most.
        target: of the champion on the starts for selection, at which learning ends: its share of successes, or its
            fitness where success has no meaning; None: none.
        every: generations between two looks at the starts for selection.
        seconds: after which learning ends; None: never.
    """

    algorithm: Algorithm
    population: int | None
    sigma: float | None
    generations: int
    target: float | None
    every: int
    seconds: float | None


@dataclass(frozen=True)
class Generation:
    """What one generation did.

    Attributes:
        seed: of the population.
        number: from 1.
        fitness: the quantiles of the members' fitness, in the order of `QUANTILES`; NaN where nobody had one.
        sigma: of the algorithm.
        failed: members without a fitness.
        equal: whether all that had one had the same.
        steps: of all episodes.
        selected: score of the champion on the starts for selection, where it was looked at.
    """

    seed: int
    number: int
    fitness: tuple[float, ...]
    sigma: float
    failed: int
    equal: bool
    steps: int
    selected: float | None = None


@dataclass
class Learnt:
    """What one seed came to.

    Attributes:
        seed: of the population.
        champion, mean: parameters `(parameters,)` of the champion, and what the algorithm takes for the best point.
        score: of the champion on the starts for selection.
        generations: the log.
        evaluations: of members, those for selection included.
        steps: of all episodes.
        seconds: that it took.
        ended: why it ended, as a sentence goes on.
        failure: what was wrong with the first member that failed.
    """

    seed: int
    champion: np.ndarray
    mean: np.ndarray
    score: float
    generations: list[Generation] = field(default_factory=list)
    evaluations: int = 0
    steps: int = 0
    seconds: float = 0.0
    ended: str = "all generations were done"
    failure: str | None = None


def learn(
    task: FitnessTask,
    network: Network,
    plan: EvolutionPlan,
    seed: int,
    tell: Callable[[Generation], None] = lambda _: None,
) -> Learnt:
    """Learn with one seed.

    Every few generations the best member and the algorithm's mean act from the starts for selection, the same each
    time;
    who has done best there becomes the champion.
    """
    begun = time.perf_counter()
    search = Evolution(network, algorithm=plan.algorithm, population=plan.population, sigma=plan.sigma, seed=seed)
    learnt = Learnt(seed, search.state.mean, search.state.mean, -np.inf)
    try:
        for number in range(1, plan.generations + 1):
            population = search.ask()
            measured = task.measure(network, population, Part.TRAINING, seed, number)
            fitness = measured.mean
            search.tell(fitness)
            _count(learnt, measured, len(population))
            late = plan.seconds is not None and time.perf_counter() - begun > plan.seconds
            selected = None
            if number % plan.every == 0 or number == plan.generations or late:
                place = int(np.where(np.isnan(fitness), -np.inf, fitness).argmax())
                selected = _select(task, network, learnt, np.stack([population[place], search.state.mean]), seed)
            one = _generation(seed, number, measured, search.state.sigma, selected)
            learnt.generations.append(one)
            tell(one)
            if plan.target is not None and learnt.score >= plan.target:
                learnt.ended = "the target was reached on the starts for selection"
                break
            if late:
                learnt.ended = "the time was over"
                break
    except KeyboardInterrupt:
        if not np.isfinite(learnt.score):
            raise
        learnt.ended = "it was interrupted"
    learnt.mean, learnt.seconds = search.state.mean, time.perf_counter() - begun
    return learnt


def score(measured: Measured) -> np.ndarray:
    """Return by what members are compared, `(members,)`: successes first, then fitness; fitness alone without them."""
    fitness = np.where(np.isnan(measured.mean), -np.inf, measured.mean)
    return fitness if measured.rate is None else measured.rate


def _select(task: FitnessTask, network: Network, learnt: Learnt, candidates: np.ndarray, seed: int) -> float:
    """Make a candidate the champion if it does better than the present one, and return the champion's score."""
    pool = np.concatenate([candidates, learnt.champion[None]])
    measured = task.measure(network, pool, Part.SELECTION, seed)
    _count(learnt, measured, len(pool))
    fitness = np.where(np.isnan(measured.mean), -np.inf, measured.mean)
    scores = score(measured)
    best = max(range(len(pool)), key=lambda i: (scores[i], fitness[i], i))
    learnt.champion, learnt.score = pool[best], float(scores[best])
    return learnt.score


def _count(learnt: Learnt, measured: Measured, members: int) -> None:
    learnt.evaluations += members
    learnt.steps += measured.steps
    learnt.failure = learnt.failure or measured.failure


def _generation(seed: int, number: int, measured: Measured, sigma: float, selected: float | None) -> Generation:
    known = measured.mean[~np.isnan(measured.mean)]
    quantiles = np.quantile(known, list(QUANTILES.values())) if len(known) else np.full(len(QUANTILES), np.nan)
    equal = len(known) > 1 and bool(np.ptp(known) == 0)
    return Generation(
        seed, number, tuple(map(float, quantiles)), sigma, measured.failed, equal, measured.steps, selected
    )
