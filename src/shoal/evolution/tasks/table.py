"""A table as a task: the loss as fitness, so that evolution can be seen beside gradient descent."""

from __future__ import annotations

from typing import Any

import numpy as np

from shoal.errors import DataError
from shoal.evolution.populations import outputs
from shoal.evolution.tasks.base import FitnessTask, Measured, Part
from shoal.networks import Network

SHARES = 0.64, 0.80
"""The first 64 % of the shuffled rows train, up to 80 % select, the rest tests."""


class TableTask(FitnessTask):
    """The mean log probability of the right class, or less the mean squared error of numbers.

    Rows are shuffled once, by the seed of the run; 64 % train, 16 % choose the champion, and 20 % judge it.

    Args:
        x: `(rows, features)`.
        y: classes `(rows,)`, whole numbers or texts; or numbers `(rows,)` or `(rows, targets)`.
        seed: names the order of the rows.

    Raises:
        DataError: arrays that do not fit together, or are not finite.
    """

    name = "table"
    title = "Predict the targets of a table."
    episode = "row"

    def __init__(self, x: Any, y: Any, seed: int) -> None:
        x, y = np.asarray(x, np.float32), np.asarray(y)
        if x.ndim != 2 or len(x) != len(y) or len(x) < 10 or not np.isfinite(x).all():
            raise DataError(
                f"a table needs finite features (rows, features) and as many targets, at least ten rows; got {x.shape} "
                f"and {y.shape}"
            )
        self.classes = y.ndim == 1 and y.dtype.kind in "iubUSO"
        if self.classes:
            names, y = np.unique(y, return_inverse=True)
            self.actions = tuple(map(str, names))
            self.success = "the class is right"
        else:
            y = np.asarray(y, np.float32).reshape(len(y), -1)
            if not np.isfinite(y).all():
                raise DataError("a target is no finite number; leave out its row")
            self.actions = tuple(f"target {i}" for i in range(1, y.shape[1] + 1))
        self.observations = tuple(f"feature {i}" for i in range(1, x.shape[1] + 1))
        order = np.random.default_rng(seed).permutation(len(x))
        first, second = (round(share * len(x)) for share in SHARES)
        self.rows = dict(zip(Part, np.split(order, [first, second]), strict=True))
        self.x, self.y = x, y

    def default_network(self) -> Network:
        """Return 8 tanh neurons, and probabilities for classes."""
        last = ":softmax" if self.classes else ""
        return Network.parse(f"{len(self.observations)} 8:tanh {len(self.actions)}{last}")

    def measure(self, network: Network, population: np.ndarray, part: Part, seed: int, generation: int = 0) -> Measured:
        """Compute the loss of each row, in training its mean."""
        del seed, generation
        rows = self.rows[part]
        said, truth = outputs(network, population, self.x[None, rows]), self.y[rows]
        success = None
        if self.classes:
            right = said[:, np.arange(len(rows)), truth]
            fitness, success = np.log(np.maximum(right.astype(np.float64), 1e-12)), said.argmax(axis=2) == truth
        else:
            fitness = -((said.astype(np.float64) - truth) ** 2).mean(axis=2)
        fitness = np.where(np.isfinite(fitness), fitness, np.nan)
        if part is Part.TRAINING:
            fitness = fitness.mean(axis=1, keepdims=True)
        failure = "its outputs are not finite" if np.isnan(fitness).any() else None
        return Measured(fitness, success, said.shape[0] * said.shape[1], failure)
