"""`shoal.evolve`: a population of networks learns from fitness alone, without data and without gradients."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from shoal.errors import SettingError, ShoalError
from shoal.evolution.algorithms import Algorithm, algorithm_of
from shoal.evolution.evolved import Champion, Evolved
from shoal.evolution.folder import new_folder, write_run
from shoal.evolution.judging import Judged
from shoal.evolution.learning import EvolutionPlan, Generation, Learnt, learn
from shoal.evolution.policy import averaged
from shoal.evolution.tasks import FitnessTask, Part, task_of
from shoal.networks import Network
from shoal.resources import available_cores

TARGET = 0.99


def evolve(
    fitness: Any,
    network: Network | str | None = None,
    *,
    algorithm: str | Algorithm = "genetic",
    population: int | None = None,
    generations: int = 200,
    seeds: int = 1,
    seed: int = 0,
    sigma: float | None = None,
    episodes: int = 8,
    limit: int | None = None,
    target: float | None = None,
    every: int = 5,
    minutes: float | None = None,
    cores: int | None = None,
    executor: Any = None,
    out: str | Path | None = None,
    force: bool = False,
    tell: Callable[[Generation], None] = lambda _: None,
    **options: Any,
) -> Evolved:
    """Let populations of networks learn from a fitness alone, and judge their champions on starts that they never saw.

    In each generation all members act from the same new starts. Every few generations the best member and the
    algorithm's mean act from 100 further starts, the same each time, and the best there becomes the champion; it is
    judged on 1,000 others, the same for all seeds.

    Args:
        fitness: what to learn, the higher the better:
            the name of an environment, `cart-pole`, `pendulum`, `acrobot`, `balance`, `arm`, `orbit`, or one of your
            own, a subclass of `shoal.evolution.environments.Environment`;
            an environment of Gymnasium, single or vector, or `gymnasium:CartPole-v1`;
            a table `(x, y)`, whose loss is the fitness;
            a function of the parameters `(members, parameters)` float32 that returns `(members,)`, or, if its argument
            is called `policy`, of the policies, which `policy(observations)` asks for the actions of all members at
            once;
            with a second argument `seed` it gets another whole number each time, by which it should draw its starts.
        network: the shape of all members, or its text `"3 16:tanh 1:tanh"`; default 16 tanh neurons.
        algorithm: `genetic` (default), `cma-es` (from 200 parameters on its covariance is diagonal), or `openai-es`.
        population: members of a generation; default 64 for CMA-ES, 256 for the others.
        generations: at most; default 200.
        seeds: how many populations learn, one after the other, each from other random numbers; default 1.
        seed: of the first; the others count on from it. Default 0.
        sigma: standard deviation of the first generation about the start; default 0.5, for `openai-es` 0.2.
        episodes: of each member in a generation; default 8.
        limit: steps after which an episode ends; default the environment's, 1000 for Gymnasium's.
        target: on the starts for selection, at which a seed ends: the share of successes (default 0.99), or the fitness
            where success has no meaning (default none).
        every: generations between two choices of a champion; default 5.
        minutes: after which a seed ends; default none.
        cores: threads for environments of shoal; default all that are free.
        executor: with `submit`, to share the members among processes or machines; for functions only.
        out: a folder for the run: log, champions, page and animation. Default none is written.
        force: replace the run in that folder.
        tell: is called with each `Generation`.
        options: of the algorithm, such as `selection="tournament"` or `learning_rate=0.1`.

    Returns:
        The run, with `champion`, `champions`, `ensemble`, `together`, `log`, `animate`, `export`.

    Raises:
        SettingError: an argument makes no sense, the population does not fit into memory, or the function fails for
        all.
        NetworkError: the network does not suit the task.
        DataError: a table cannot be learnt.
        RunError: the folder is taken or cannot be written.

    Example:
        >>> import shoal
        >>> run = shoal.evolve("cart-pole", "4 5:tanh 1:tanh", generations=20)
        >>> run.champions[0].test.starts
        1000

    References:
        Hansen, arXiv:1604.00772 (2016); Salimans et al., arXiv:1703.03864 (2017); Beyer and Schwefel, Natural Computing
        1, 3 (2002).
    """
    try:
        chosen = _with_options(algorithm_of(algorithm), options)
        shape = Network.parse(network) if isinstance(network, str) else network
        cores = available_cores() if cores is None else _whole("cores", cores)
        counted = {"generations": generations, "seeds": seeds, "episodes": episodes, "every": every, "limit": limit}
        _check_numbers(counted, minutes, seed)
        task = task_of(fitness, shape, episodes=episodes, limit=limit, cores=cores, seed=seed, executor=executor)
        shape = task.default_network() if shape is None else shape
        task.check(shape)
        folder = None if out is None else new_folder(Path(out), force)
        if target is None and task.success and task.name != "table":
            target = TARGET
        seconds = None if minutes is None else 60 * minutes
        plan = EvolutionPlan(chosen, population, sigma, generations, target, every, seconds)
        learnt = _all_seeds(task, shape, plan, range(seed, seed + seeds), tell)
        run = _judged(task, shape, plan, learnt, seed)
        return run if folder is None else write_run(run, folder)
    except ShoalError as error:  # what a user mends is said in it, not in our own lines
        raise error.with_traceback(None) from None


def _all_seeds(
    task: FitnessTask, network: Network, plan: EvolutionPlan, seeds: range, tell: Callable[[Generation], None]
) -> list[Learnt]:
    learnt: list[Learnt] = []
    for seed in seeds:
        try:
            learnt.append(learn(task, network, plan, seed, tell))
        except KeyboardInterrupt:
            if not learnt:
                raise
            break
        if learnt[-1].ended == "it was interrupted":
            break
    return learnt


def _judged(task: FitnessTask, network: Network, plan: EvolutionPlan, learnt: list[Learnt], seed: int) -> Evolved:
    """Judge champions, means and the ensemble on unseen starts."""
    both = np.concatenate([np.stack([each.champion for each in learnt]), np.stack([each.mean for each in learnt])])
    measured = task.measure(network, both, Part.TEST, seed)
    count = len(learnt)
    champions = [
        Champion(each, Judged.of(measured, i), Judged.of(measured, count + i)) for i, each in enumerate(learnt)
    ]
    ensemble = None
    pair = averaged(network, [each.champion for each in learnt]) if count > 1 else None
    if pair is not None:
        ensemble = (*pair, Judged.of(task.measure(pair[0], pair[1][None], Part.TEST, seed)))
    return Evolved(task, network, plan, champions, ensemble)


def _with_options(algorithm: Algorithm, options: dict[str, Any]) -> Algorithm:
    """Return an algorithm with options of its own.

    Raises:
        SettingError: it has no such option.
    """
    known: list[str] = (
        [part.name for part in dataclasses.fields(algorithm)] if dataclasses.is_dataclass(algorithm) else []
    )
    for name in options:
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise SettingError(f"{algorithm.name} has no option {name!r}; {has}")
    return dataclasses.replace(algorithm, **options) if options else algorithm  # type: ignore[type-var]


def _check_numbers(counted: dict[str, Any], minutes: Any, seed: Any) -> None:
    for name, value in counted.items():
        if name != "limit" or value is not None:
            _whole(name, value)
    if minutes is not None and not minutes > 0:
        raise SettingError(f"minutes must be above 0, got {minutes!r}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SettingError(f"seed must be a whole number of at least 0, got {seed!r}")


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SettingError(f"{name} must be a whole number of at least 1, got {value!r}")
    return value
