"""Every algorithm keeps one contract: pure, deterministic, undisturbed by bad numbers, and it finds a minimum."""

from __future__ import annotations

import copy
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.errors import SettingError
from shoal.evolution.algorithms import ALGORITHMS, algorithm_of
from shoal.evolution.algorithms.base import Algorithm, SearchState, centred_ranks, order_of
from shoal.evolution.algorithms.cma_es import FULL_BELOW, CmaEs
from shoal.evolution.algorithms.genetic import Genetic

VARIANTS: list[Algorithm] = [*ALGORITHMS.values(), Genetic(selection="tournament", crossover=0.0)]
NAMES = [f"{each.name}-{i}" for i, each in enumerate(VARIANTS)]
each_algorithm = pytest.mark.parametrize("algorithm", VARIANTS, ids=NAMES)


def sphere(points: np.ndarray) -> np.ndarray:
    return (points**2).sum(axis=1)


def run(algorithm: Algorithm, n: int = 5, generations: int = 40, seed: int = 0, start: float = 1.0) -> SearchState:
    state = algorithm.begin(np.full(n, start), 32, 0.5, seed)
    for _ in range(generations):
        candidates = algorithm.ask(state)
        state = algorithm.tell(state, candidates, -sphere(candidates))
    return state


@each_algorithm
def test_a_search_is_named_by_its_seed(algorithm: Algorithm) -> None:
    assert np.array_equal(run(algorithm).mean, run(algorithm).mean)
    assert not np.array_equal(run(algorithm).mean, run(algorithm, seed=1).mean)


@each_algorithm
def test_asking_and_telling_change_nothing(algorithm: Algorithm) -> None:
    state = run(algorithm, generations=3)
    before = copy.deepcopy(state)
    candidates = algorithm.ask(state)
    assert np.array_equal(candidates, algorithm.ask(state))
    told = [algorithm.tell(state, candidates, -sphere(candidates)) for _ in range(2)]
    assert np.array_equal(algorithm.ask(told[0]), algorithm.ask(told[1]))
    for name, value in vars(before).items():
        assert np.array_equal(getattr(state, name), value), name
    assert told[0].generation == state.generation + 1


@each_algorithm
def test_candidates_are_as_many_as_the_state_says(algorithm: Algorithm) -> None:
    state = algorithm.begin(np.zeros(7), 12, 0.5, 0)
    assert algorithm.ask(state).shape == (state.members, 7) == (12, 7)
    odd = algorithm.begin(np.zeros(7), 13, 0.5, 0)
    assert algorithm.ask(odd).shape == (odd.members, 7)


@each_algorithm
def test_the_first_steps_are_as_large_as_asked(algorithm: Algorithm) -> None:
    steps = algorithm.ask(algorithm.begin(np.full(50, 3.0), 200, 0.25, 0)) - 3.0
    assert 0.24 < steps.std() < 0.26


@each_algorithm
def test_the_sphere_is_descended(algorithm: Algorithm) -> None:
    assert sphere(run(algorithm, generations=150).mean[None])[0] < 0.01 * sphere(np.ones((1, 5)))[0]


@each_algorithm
def test_only_the_order_of_fitness_counts(algorithm: Algorithm) -> None:
    state = algorithm.begin(np.ones(4), 32, 0.5, 0)
    candidates = algorithm.ask(state)
    plain = algorithm.tell(state, candidates, -sphere(candidates))
    bent = algorithm.tell(state, candidates, -np.exp(sphere(candidates)))
    assert np.array_equal(algorithm.ask(plain), algorithm.ask(bent))


@each_algorithm
def test_a_member_without_fitness_counts_as_the_worst(algorithm: Algorithm) -> None:
    state = algorithm.begin(np.ones(4), 32, 0.5, 0)
    candidates = algorithm.ask(state)
    fitness = -sphere(candidates)
    missing, worst = fitness.copy(), fitness.copy()
    missing[3], worst[3] = np.nan, -1e9
    told = [algorithm.tell(state, candidates, each) for each in (missing, worst)]
    assert np.array_equal(algorithm.ask(told[0]), algorithm.ask(told[1]))


@each_algorithm
@pytest.mark.parametrize("value", [0.0, np.nan])
def test_equal_fitness_leaves_everything_finite(algorithm: Algorithm, value: float) -> None:
    state = algorithm.begin(np.ones(4), 16, 0.5, 0)
    for _ in range(30):
        state = algorithm.tell(state, algorithm.ask(state), np.full(state.members, value))
    assert np.isfinite(algorithm.ask(state)).all()


@given(st.lists(st.floats(allow_infinity=False), min_size=2, max_size=30))
@settings(deadline=None, max_examples=60)
def test_ranks_are_centred_and_follow_the_order(values: list[float]) -> None:
    fitness = np.array(values)
    ranks, known = centred_ranks(fitness), np.where(np.isnan(fitness), -np.inf, fitness)
    assert abs(ranks.sum()) < 1e-9
    assert np.abs(ranks).max() <= 0.5
    for i, j in itertools.combinations(range(len(known)), 2):
        assert np.sign(ranks[i] - ranks[j]) == int(known[i] > known[j]) - int(known[i] < known[j])
    assert known[order_of(fitness)].tolist() == sorted(known.tolist(), reverse=True)


def test_mutations_adapt_to_the_scale_of_the_problem() -> None:
    assert run(Genetic(), generations=150).sigma < 0.05
    assert run(Genetic(), generations=8, start=1000.0).sigma > 0.5


def test_elites_survive_as_they_are() -> None:
    algorithm = Genetic(elites=3)
    state = algorithm.begin(np.ones(4), 20, 0.5, 0)
    candidates = algorithm.ask(state)
    best = candidates[np.argsort(sphere(candidates))[:3]]
    assert np.array_equal(algorithm.ask(algorithm.tell(state, candidates, -sphere(candidates)))[:3], best)


def test_cma_learns_the_covariance_of_a_quadratic_form() -> None:
    """The inverse of the covariance becomes the Hessian, up to a factor."""
    hessian = np.diag([1.0, 100.0]) + np.array([[0.0, 5.0], [5.0, 0.0]])
    algorithm = CmaEs()
    state = algorithm.begin(np.full(2, 3.0), 12, 1.0, 0)
    for _ in range(60):
        candidates = algorithm.ask(state)
        state = algorithm.tell(state, candidates, -np.einsum("mi,ij,mj->m", candidates, hessian, candidates))
    learnt = np.linalg.inv(state.covariance)
    ratios = np.linalg.eigvalsh(learnt) / np.linalg.eigvalsh(hessian)
    assert 1 / 4 < ratios[0] / ratios[1] < 4


def test_cma_is_separable_from_two_hundred_parameters_on() -> None:
    assert CmaEs().begin(np.zeros(FULL_BELOW - 1), 10, 0.5, 0).covariance.ndim == 2
    assert CmaEs().begin(np.zeros(FULL_BELOW), 10, 0.5, 0).covariance.ndim == 1


def rosenbrock(x: np.ndarray) -> np.ndarray:
    return (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(axis=1)


def evaluations(function, seed: int, members: int = 10, n: int = 10, most: int = 20_000) -> int:
    algorithm = CmaEs()
    state = algorithm.begin(np.random.default_rng(seed).uniform(-2, 2, n), members, 0.5, seed)
    for used in range(members, most, members):
        candidates = algorithm.ask(state)
        values = function(candidates)
        if values.min() < 1e-8:
            return used
        state = algorithm.tell(state, candidates, -values)
    return most


@pytest.mark.slow
@pytest.mark.parametrize("function", [sphere, rosenbrock])
def test_cma_needs_as_many_evaluations_as_the_package_cma(function) -> None:
    cma = pytest.importorskip("cma")
    ours, theirs = [], []
    for seed in range(5):
        start = np.random.default_rng(seed).uniform(-2, 2, 10)
        search = cma.CMAEvolutionStrategy(start, 0.5, {"popsize": 10, "verbose": -9, "seed": seed + 1, "ftarget": 1e-8})
        while not search.stop() and search.result.evaluations < 20_000:
            asked = search.ask()
            search.tell(asked, function(np.array(asked)).tolist())
        theirs.append(search.result.evaluations)
        ours.append(evaluations(function, seed))
    assert 0.8 < np.median(ours) / np.median(theirs) < 1.25


@pytest.mark.parametrize(
    ("options", "message"),
    [({"selection": "roulette"}, "'truncation' or 'tournament'"), ({"share": 2.0}, "share must lie between 0 and 1")],
)
def test_options_that_make_no_sense_are_refused(options: dict, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Genetic(**options)


def test_an_unknown_algorithm_gets_a_suggestion() -> None:
    with pytest.raises(SettingError, match="Did you mean 'genetic'"):
        algorithm_of("genetics")
