"""Training histories whose truth is known, by which `docs/reliability.md` counts how often a verdict is right.

    python -m benchmarks.histories            # train them anew, from the root; a minute
    python -m benchmarks.histories --count    # judge those that are kept, and write the counts to the page

Each history is that of a few networks on rows drawn from a law, trained by the native engine. The same networks are
trained once more with thousands of validation rows in place of the few: these change neither weights nor order, so that
their curve is the loss in the population, without the noise of the few. That curve says what is true:

* diverged: a loss was no longer finite, or at the end training and population loss lay above where they began;
* not learned: at no epoch was the population's loss 5 % below that of the shares of the classes, or of the mean;
* still improving: over the last fifth of training it fell by a twentieth of what is learned, and its best is at the end;
* overfits: from its lowest point to the end it rose by a tenth (of the loss, of log-losses of half a nat) or more;
* slightly: by a fiftieth or more; never: by less.

Curves of single networks are smoothed over five hundredths of their epochs. Worlds of even seeds set the thresholds
of `shoal.evaluation.topics`; worlds of odd seeds were looked at only to count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from shoal.results import Status, Task
from shoal.training.engine_choice import choose_engine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.loss_choice import choose_loss
from shoal.training.member import Member, TrainedMember
from shoal.training.planner import find_budget
from shoal.training.problem import Part, make_problem
from shoal.training.trainer import train

KEPT = Path(__file__).parents[1] / "tests" / "fixtures" / "histories.npz"
POPULATION = 4000
Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class World:
    """A law, how many rows are drawn from it, and the networks that learn them.

    `classes` is 0 where values are learned; the rest are hyperparameters.
    """

    draw: Draw
    rows: tuple[int, int]
    hyperparameters: dict[str, Any]
    classes: int = 0
    networks: int = 1
    loss: str | None = None


def sine(noise: float, columns: int = 1) -> Draw:
    """Return a law: a sine of the first column with noise."""

    def draw(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
        x = random.uniform(-1.7, 1.7, (rows, columns))
        return x, np.sin(2.5 * x[:, :1]) + noise * random.normal(size=(rows, 1))

    return draw


def clouds(distance: float, columns: int, classes: int = 2) -> Draw:
    """Return a law: normal clouds, a class each, some widths apart."""

    def draw(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
        y = random.integers(classes, size=rows)
        x = random.normal(size=(rows, columns))
        x[:, :classes] += distance * np.eye(classes)[y]
        return x, y

    return draw


def rings(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw two classes by their distance from the middle, a tenth of the labels wrong."""
    x = random.normal(size=(rows, 2))
    y = (np.hypot(*x.T) > 1.18).astype(int)
    return x, np.where(random.random(rows) < 0.1, 1 - y, y)


LARGE = {"hidden": (64, 64), "activation": "tanh", "optimizer": "adam", "learning_rate": 0.005, "batch_size": 16}
SMALL = {"hidden": (8,), "activation": "tanh", "optimizer": "adam", "learning_rate": 0.005, "batch_size": 32}
WIDE = {"hidden": (128,), "activation": "relu", "optimizer": "adam", "learning_rate": 0.003, "batch_size": 16}
SLOW = {"hidden": (16,), "optimizer": "sgd", "batch_size": 32, "epochs": 40, "patience": 40}


def _to_the_end(base: dict[str, Any], epochs: int, **more: Any) -> dict[str, Any]:
    return {**base, "epochs": epochs, "patience": epochs, **more}


WORLDS: dict[str, World] = {
    "noisy points, large network": World(sine(0.6), (38, 10), _to_the_end(LARGE, 400)),
    "noisy points, six networks": World(sine(0.6), (38, 12), _to_the_end(LARGE, 300), networks=6),
    "noise in eight columns": World(sine(0.5, 8), (60, 30), _to_the_end(LARGE, 200)),
    "clouds, wide network": World(clouds(1.2, 10), (80, 40), _to_the_end(WIDE, 150), 2),
    "clouds, fast and wide": World(clouds(1.5, 20), (150, 60), _to_the_end(WIDE, 120, learning_rate=0.01), 2),
    "clouds, five networks": World(clouds(1.2, 10), (80, 40), _to_the_end(WIDE, 120), 2, networks=5),
    "clouds, slow and wide": World(clouds(1.2, 10), (120, 60), _to_the_end(WIDE, 250, learning_rate=0.0004), 2),
    "rings, patience": World(rings, (200, 60), {**WIDE, "epochs": 200, "patience": 30}, 2),
    "likelihood of noisy points": World(sine(0.4), (60, 30), _to_the_end(LARGE, 200), loss="gaussian_nll"),
    "many rows, small network": World(sine(0.3), (600, 200), _to_the_end(SMALL, 120)),
    "many clouds, small network": World(clouds(2.0, 4, 3), (800, 250), _to_the_end(SMALL, 60), 3),
    "likelihood, many rows": World(sine(0.3), (600, 200), _to_the_end(SMALL, 80), loss="gaussian_nll"),
    "no noise": World(sine(0.0), (300, 100), _to_the_end(SMALL, 200)),
    "clouds far apart": World(clouds(6.0, 3), (300, 100), _to_the_end(SMALL, 60), 2),
    "noisy steps": World(sine(0.5), (120, 40), _to_the_end(SMALL, 120, learning_rate=0.1, batch_size=4)),
    "noisy steps of classes": World(clouds(1.5, 5), (120, 40), _to_the_end(SMALL, 100, learning_rate=0.1), 2),
    "dropout": World(clouds(1.5, 10), (300, 100), _to_the_end(WIDE, 60, dropout=0.5, l2=1.0), 2),
    "few rows to judge": World(clouds(1.5, 4), (200, 6), _to_the_end(SMALL, 80), 2),
    "few noisy rows": World(sine(0.6), (20, 4), _to_the_end(SMALL, 100)),
    "steps of 1e-6": World(clouds(2.0, 4, 3), (96, 24), {**SLOW, "learning_rate": 1e-6}, 3),
    "steps of 1e-7 in values": World(sine(0.3), (200, 60), {**SLOW, "learning_rate": 1e-7}),
    "labels drawn at random": World(clouds(0.0, 5), (200, 60), {**SMALL, "epochs": 60, "patience": 20, "l2": 1.0}, 2),
    "values drawn at random": World(
        lambda r, n: (r.normal(size=(n, 4)), r.normal(size=(n, 1))), (150, 50), {**SMALL, "epochs": 60, "patience": 20}
    ),
    "random labels, wide network": World(clouds(0.0, 8), (120, 50), _to_the_end(WIDE, 80), 2),
    "slow descent": World(sine(0.3), (300, 100), {**SLOW, "learning_rate": 0.003, "epochs": 60, "patience": 60}),
    "slow descent of classes": World(clouds(3.0, 4, 3), (300, 100), {**SLOW, "learning_rate": 0.005}, 3),
    "steps of 1e6": World(clouds(2.0, 4, 3), (96, 24), {**SLOW, "learning_rate": 1e6}, 3),
    "steps too large": World(sine(0.3), (100, 30), {**SLOW, "learning_rate": 30.0}),
    "steps too large, but finite": World(
        clouds(1.0, 5), (150, 50), {**SLOW, "optimizer": "adam", "learning_rate": 3.0, "hidden": (32, 32)}, 2
    ),
}
SEEDS = (0, 1)


@dataclass(frozen=True)
class History:
    """What a verdict sees of some networks, and what is true.

    Attributes:
        train, validation: losses `(networks, epochs)`, NaN after the end.
        halves: validation loss of each half of the rows `(networks, epochs, 2)`.
        rows: how many validation rows.
        log_loss: whether the loss is a negative log-likelihood.
        statuses: of the networks.
        true_rise: of the population's loss from its lowest point to the end, mean over the networks.
        truth: see the head of this module.
    """

    name: str
    seed: int
    train: np.ndarray
    validation: np.ndarray
    halves: np.ndarray
    rows: int
    log_loss: bool
    statuses: tuple[Status, ...]
    true_rise: float
    truth: str
    learned: tuple[float, float, float] = field(default=(0.0, 0.0, 0.0))


def _problem(world: World, training: Part, validation: Part, seed: int) -> Any:
    task = Task.CLASSIFICATION if world.classes else Task.REGRESSION
    loss = choose_loss(task, world.classes, world.loss)
    return make_problem(task, loss, training, validation, classes=world.classes, seed=seed)


def trained(world: World, training: Part, validation: Part, seed: int, stop: bool = True) -> list[TrainedMember]:
    """Return the networks of a world, trained; without `stop` to their last epoch."""
    problem = _problem(world, training, validation, seed)
    wanted = dict(world.hyperparameters)
    if not stop:
        wanted["patience"] = wanted["epochs"]
    members = [Member(i, Hyperparameters(**wanted)) for i in range(world.networks)]
    return train(problem, members, choose_engine(problem, members, "native", find_budget(None)).make()).members
