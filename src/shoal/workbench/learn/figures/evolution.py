"""Genetic learning: a population learns to act from its fitness alone."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from shoal.evolution.environments import Environment, environment_of
from shoal.evolution.environments.base import Line
from shoal.evolution.populations import outputs
from shoal.evolution.search import Evolution
from shoal.evolution.tasks import Part
from shoal.evolution.tasks.environment import EnvironmentTask
from shoal.networks import Network
from shoal.resources import available_cores
from shoal.streams import Stream
from shoal.workbench.learn.drawing import axes, band, drawing, line, lines, points
from shoal.workbench.learn.figure import Choice, Figure, Slider, State

MOST = 30
WORLDS = {
    "cart-pole": ("a pole on a cart", "4 5:tanh 1:tanh"),
    "pendulum": ("a pendulum to swing up", "3 8:tanh 1:tanh"),
}
QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
Learnt = tuple[np.ndarray, np.ndarray]


@lru_cache(maxsize=16)
def learnt(world: str, population: int, sigma: float, seed: int) -> Learnt:
    """Return quantiles of the fitness `(generations, 5)`, and the best member of each generation `(generations, n)`."""
    network = Network.parse(WORLDS[world][1])
    task = EnvironmentTask(environment_of(world), 4, None, available_cores())
    search = Evolution(network, population=population, sigma=sigma, seed=seed)
    fitness, best = [], []
    for number in range(1, MOST + 1):
        members = search.ask()
        measured = task.measure(network, members, Part.TRAINING, seed, number).mean
        search.tell(measured)
        fitness.append(np.nanquantile(measured, QUANTILES))
        best.append(members[int(np.nanargmax(measured))])
    return np.array(fitness), np.array(best)


def episode(world: str, member: np.ndarray, seed: int) -> np.ndarray:
    """Return the states of one episode, `(steps + 1, states)`, from a start that nobody learnt from."""
    environment, network = environment_of(world), Network.parse(WORLDS[world][1])
    state = environment.starts(1, Stream(seed, 99))
    states = [state[:, 0]]
    for _ in range(environment.limit):
        action = outputs(network, member[None], environment.observe(state).T[None])[0].T
        moment = environment.step(state, action)
        state = moment.state
        states.append(state[:, 0])
        if moment.ended[0]:
            break
    return np.array(states)


def scene(environment: Environment, state: np.ndarray) -> list[dict[str, Any]]:
    """Return the marks of one moment."""
    marks = []
    for shape in environment.drawing(state):
        if isinstance(shape, Line):
            marks.append(line([shape.x, shape.to_x], [shape.y, shape.to_y], "ink", width=max(1.5, 1.5 * shape.width)))
        else:
            marks.append(points([shape.x], [shape.y], "vermilion", size=6.0))
    return marks


def compute(state: State, _: None) -> dict[str, Any]:
    """Return the fitness over the generations, and what the best of one generation does."""
    world, generation = state["world"], state["generation"]
    environment = environment_of(world)
    fitness, best = learnt(world, state["population"], state["sigma"], state["seed"])
    states = episode(world, best[generation - 1], state["seed"])
    step = min(state["step"], len(states) - 1)
    numbers = np.arange(1, MOST + 1)
    angle = environment.states.index(next(name for name in environment.states if name.startswith("angle")))
    left, low, right, high = environment.view
    span = float(np.ptp(fitness)) or 1.0
    time = np.arange(len(states)) * environment.dt
    panels = [
        axes(
            f"Generation {generation}, after {step * environment.dt:.2f} s",
            (left, right, "m"),
            (low, high, "m"),
            scene(environment, states[step]),
            square=world == "pendulum",
        ),
        axes(
            "Fitness of the population",
            (1.0, float(MOST), "generation"),
            (float(fitness.min()) - 0.05 * span, float(fitness.max()) + 0.05 * span, "fitness"),
            [
                band(numbers, fitness[:, 1], fitness[:, 3], label="middle half"),
                line(numbers, fitness[:, 2], label="median"),
                line(numbers, fitness[:, 4], "vermilion", label="best"),
                points([generation], [fitness[generation - 1, 4]], "vermilion", size=5),
            ],
        ),
        axes(
            "The best of this generation",
            (0.0, environment.limit * environment.dt, "time in s"),
            (float(states[:, angle].min()) - 0.1, float(states[:, angle].max()) + 0.1, "angle in rad"),
            [
                lines(time, [states[:, angle]], ["blue"], width=1.6, opacity=1.0),
                points([time[step]], [states[step, angle]], "vermilion", size=5),
            ],
        ),
    ]
    count = Network.parse(WORLDS[world][1]).parameter_count
    say = (
        f"In generation {generation} the best of {state['population']} networks of {count} weights has a fitness of "
        f"{fitness[generation - 1, 4]:.1f}, the median {fitness[generation - 1, 2]:.1f}. From a new start its episode "
        f"lasts {len(states) - 1} of {environment.limit} steps."
    )
    facts = [
        ("Best fitness", f"{fitness[generation - 1, 4]:.1f}"),
        ("Median", f"{fitness[generation - 1, 2]:.1f}"),
        ("Weights", str(count)),
        ("Networks tried so far", f"{generation * state['population']:,}"),
    ]
    return drawing(panels, say, facts, {"step": environment.limit})


FIGURE = Figure(
    "evolution",
    "Without labels",
    2,
    "Genetic learning",
    "No data and no gradient: networks act, and the fit ones have children with small changes.",
    (r"w_\mathrm{child} = \mathrm{cross}(w_\mathrm{mother}, w_\mathrm{father}) + \sigma\, \varepsilon",),
    "Why may the best of a generation act worse from a new start than its fitness says?",
    "It is the luckiest of many: a largest of noisy numbers is too high on average. Champions are judged on starts of "
    "their own.",
    (
        Slider("step", "Time: step", 0, 500, 40, 4, play=True, whole=True),
        Slider("generation", "Generation", 1, MOST, MOST, 1, play=True, whole=True),
        Choice("world", "World", {name: words for name, (words, _) in WORLDS.items()}),
        Slider("population", "Population", 16, 256, 96, 16, whole=True),
        Slider("sigma", "Size of the changes σ", 0.05, 2.0, 0.5, 0.1, log=True),
        Slider("seed", "Other seed", 0, 20, 0, 1, whole=True),
    ),
    compute,
)
