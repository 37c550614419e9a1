"""Laws from which rows are drawn, and the networks that learn them: the worlds of `benchmarks.histories`.

* `WORLDS` and `SHIPPED` were looked at with seed 0 while the verdicts were written.
* `random_world` draws from the same laws; the interval of the rise was set on such ones.
* `HELD_BACK` are of other kinds: other laws, noise, losses, optimizers, depths. They only count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

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
    "noisy points, large network": World(sine(0.6), (38, 10), _to_the_end(LARGE, 200)),
    "noisy points, six networks": World(sine(0.6), (38, 12), _to_the_end(LARGE, 120), networks=6),
    "noise in eight columns": World(sine(0.5, 8), (60, 30), _to_the_end(LARGE, 120)),
    "clouds, wide network": World(clouds(1.2, 10), (80, 40), _to_the_end(WIDE, 150), 2),
    "clouds, fast and wide": World(clouds(1.5, 20), (150, 60), _to_the_end(WIDE, 120, learning_rate=0.01), 2),
    "clouds, five networks": World(clouds(1.2, 10), (80, 40), _to_the_end(WIDE, 120), 2, networks=5),
    "clouds, slow and wide": World(clouds(1.2, 10), (120, 60), _to_the_end(WIDE, 150, learning_rate=0.0004), 2),
    "rings, patience": World(rings, (200, 60), {**WIDE, "epochs": 200, "patience": 30}, 2),
    "likelihood of noisy points": World(sine(0.4), (60, 30), _to_the_end(LARGE, 120), loss="gaussian_nll"),
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

WIDE_OF_THE_ISSUE = _to_the_end({"hidden": (256, 256), "activation": "relu", "learning_rate": 0.003}, 100)
SHIPPED: dict[str, tuple[str, dict[str, Any], int]] = {
    "breast_cancer, 256-256": ("breast_cancer", WIDE_OF_THE_ISSUE, 2),
    "iris, 64-64": ("iris", _to_the_end(LARGE, 200), 3),
    "iris, steps of 1e-6": ("iris", {**SLOW, "learning_rate": 1e-6}, 3),
    "wine, small network": ("wine", _to_the_end(SMALL, 100), 3),
}
"""Built-in sets, whose population are the rows that no network learned from."""


def random_world(random: np.random.Generator) -> World:
    """Draw a world: a law of those above, 6 to 80 validation rows, and networks small or large, slow or fast."""
    rows = int(np.exp(random.uniform(np.log(20), np.log(300)))), int(np.exp(random.uniform(np.log(6), np.log(81))))
    law = int(random.integers(4))
    columns = int(random.integers(2, 21))
    draw = (sine(random.uniform(0.1, 0.8)), sine(random.uniform(0.1, 0.8), columns), rings)[law] if law < 3 else None
    base = (LARGE, SMALL, WIDE)[int(random.integers(3))]
    epochs = int(random.integers(20, 151))
    hyperparameters = _to_the_end(base, epochs, learning_rate=float(np.exp(random.uniform(np.log(3e-4), np.log(0.03)))))
    if random.random() < 0.25:
        hyperparameters["patience"] = int(random.integers(10, 31))
    networks = int(random.choice([1, 1, 1, 3, 6]))
    if draw is None:
        return World(clouds(random.uniform(0.0, 2.5), columns), rows, hyperparameters, 2, networks)
    loss = "gaussian_nll" if law < 2 and random.random() < 0.2 else None
    return World(draw, rows, hyperparameters, 2 if law == 2 else 0, networks, loss)


def friedman(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw Friedman's first law (1991) in ten columns, noise of its half."""
    x = random.random((rows, 10))
    law = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    return (x - 0.5) / 0.29, ((law + 2.5 * random.normal(size=rows) - 14.4) / 5.5)[:, None]


def linear(columns: int, noise: float, targets: int = 1, heavy: bool = False) -> Draw:
    """Return a law: sums of all columns with slopes that alternate, with normal or Student's noise (3 degrees)."""
    slopes = np.cos(np.arange(columns * targets)).reshape(columns, targets) / np.sqrt(columns / 2)

    def draw(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
        x = random.normal(size=(rows, columns))
        shape = (rows, targets)
        return x, x @ slopes + noise * (random.standard_t(3, shape) if heavy else random.normal(size=shape))

    return draw


def widening(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a parabola whose noise grows with the second column."""
    x = random.normal(size=(rows, 3))
    return x, (x[:, :1] ** 2 - 1) * 0.7 + np.exp(0.7 * x[:, 1:2] - 1) * random.normal(size=(rows, 1))


def counts(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw counts whose rate grows exponentially with the first column, scaled to a spread near one."""
    x = random.normal(size=(rows, 6))
    return x, (random.poisson(np.exp(0.8 * x[:, :1] + 0.5)) - 2.3) / 2.5


def moons(wrong: float) -> Draw:
    """Return a law: two half circles, a class each, with a share of wrong labels."""

    def draw(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
        y, angle = random.integers(2, size=rows), random.uniform(0, np.pi, rows)
        side = 1 - 2 * y
        x = np.stack([np.cos(angle) * side + y, np.sin(angle) * side + 0.5 * y], axis=1) - [0.5, 0.25]
        return x / [0.86, 0.5] + 0.2 * random.normal(size=(rows, 2)), np.where(random.random(rows) < wrong, 1 - y, y)

    return draw


def parity(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the parity of the signs of three columns of eight."""
    x = random.normal(size=(rows, 8))
    return x, (np.prod(np.sign(x[:, :3]), axis=1) > 0).astype(int)


def rare(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a class of every twelfth row, a little apart in each of 15 columns."""
    y = (np.arange(rows) % 12 == 0).astype(int)
    return random.normal(size=(rows, 15)) + 0.45 * y[:, None], y


def spirals(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw three arms of a spiral, a class each."""
    y, radius = random.integers(3, size=rows), random.uniform(0.2, 2.0, rows)
    angle = 2.5 * radius + 2 * np.pi * y / 3 + 0.25 * random.normal(size=rows)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y


def coins(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw four classes that have nothing to do with twelve columns."""
    return random.normal(size=(rows, 12)), random.integers(4, size=rows)


def _networks(
    hidden: tuple[int, ...], activation: str, optimizer: str, learning_rate: float, epochs: int, **more: Any
) -> dict[str, Any]:
    names = {"hidden": hidden, "activation": activation, "optimizer": optimizer, "learning_rate": learning_rate}
    return {**names, "batch_size": 24, "epochs": epochs, "patience": epochs, **more}


HELD_BACK: dict[str, World] = {
    "Friedman's law, momentum": World(friedman, (150, 50), _networks((48,), "relu", "sgd", 0.02, 150, momentum=0.9)),
    "Friedman's law, many rows": World(friedman, (1000, 300), _networks((24, 12), "gelu", "adamw", 0.003, 50)),
    "50 columns, rmsprop": World(linear(50, 0.7), (80, 30), _networks((96,), "elu", "rmsprop", 0.002, 100)),
    "50 columns, l1": World(linear(50, 0.7), (400, 80), _networks((32,), "tanh", "adam", 0.003, 80, l1=1.0)),
    "heavy tails": World(linear(5, 0.5, heavy=True), (90, 40), _networks((64, 32), "relu", "nadam", 0.004, 120)),
    "heavy tails, huber": World(
        linear(5, 0.5, heavy=True), (400, 100), _networks((16,), "tanh", "adam", 0.003, 80), loss="huber"
    ),
    "absolute errors": World(sine(0.5), (100, 30), _networks((64, 64), "relu", "adam", 0.004, 120), loss="mae"),
    "three targets": World(linear(12, 0.6, 3), (70, 25), _networks((80, 40), "tanh", "adam", 0.003, 120), networks=4),
    "widening noise": World(
        widening, (200, 60), _networks((48, 24), "tanh", "rmsprop", 0.002, 120), loss="gaussian_nll"
    ),
    "counts": World(counts, (120, 40), _networks((64,), "softplus", "lion", 0.001, 120)),
    "moons, a quarter wrong": World(moons(0.25), (120, 40), _networks((128, 64), "relu", "adam", 0.003, 150), 2),
    "moons, adagrad": World(moons(0.05), (300, 80), _networks((16, 16), "tanh", "adagrad", 0.05, 100), 2),
    "parity": World(parity, (150, 50), _networks((64, 64), "tanh", "adam", 0.003, 120), 2),
    "rare class": World(rare, (240, 72), _networks((64,), "relu", "nadam", 0.003, 100), 2, networks=3),
    "spirals": World(spirals, (400, 100), _networks((32, 32), "elu", "adam", 0.005, 100, schedule="cosine"), 3),
    "spirals, stopped early": World(spirals, (400, 100), _networks((32, 32), "elu", "adam", 0.0005, 25), 3),
    "four coins, wide network": World(coins, (150, 50), _networks((128,), "relu", "adamw", 0.003, 80), 4),
    "four coins, small network": World(coins, (400, 100), _networks((4,), "tanh", "sgd", 0.05, 60), 4),
    "steps of 1e-6, momentum": World(friedman, (200, 60), _networks((32,), "relu", "sgd", 1e-6, 40, momentum=0.9)),
    "steps too large, rmsprop": World(moons(0.1), (150, 50), _networks((32, 32), "elu", "rmsprop", 2.0, 60), 2),
    "steps too large, momentum": World(friedman, (150, 50), _networks((32,), "relu", "sgd", 3.0, 60, momentum=0.9)),
}
"""Worlds of other kinds, none of which was looked at before it was counted."""
