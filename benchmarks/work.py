"""What is trained in a measurement, as plain numbers: every peer builds the same rows and networks from it."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Work:
    """Dense networks on rows of a scikit-learn set, or on random rows; Adam, cross-entropy, every epoch validated."""

    data: str
    hidden: tuple[int, ...]
    batch_size: int
    epochs: int
    activation: str = "relu"
    learning_rate: float = 0.001
    rows: int = 0
    validation_rows: int = 0
    features: int = 0
    classes: int = 0

    def plain(self) -> dict[str, Any]:
        """Return the work as data that JSON can hold."""
        return {**asdict(self), "hidden": list(self.hidden)}


@dataclass(frozen=True)
class Arrays:
    """Normalised float32 features and class numbers of the training and validation rows."""

    x: np.ndarray
    y: np.ndarray
    validation_x: np.ndarray
    validation_y: np.ndarray
    classes: int


def work_from(plain: dict[str, Any]) -> Work:
    """Return the work that `Work.plain` wrote."""
    return Work(**{**plain, "hidden": tuple(plain["hidden"])})


def arrays_of(work: Work) -> Arrays:
    """Return the rows of a work, the same in every process."""
    return _random(work) if work.data == "random" else split_set(work.data)


def split_set(name: str, seed: int = 0) -> Arrays:
    """Return a classification set of scikit-learn, split 64 / 16 / 20 % and normalised on its training rows."""
    import sklearn.datasets
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    x, y = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    x, _, y, _ = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    x, validation_x, y, validation_y = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(x)
    parts = (scaler.transform(part).astype(np.float32) for part in (x, validation_x))
    x, validation_x = parts
    return Arrays(x, y, validation_x, validation_y, len(np.unique(y)))


def _random(work: Work) -> Arrays:
    """Return rows whose class is the largest of noisy linear scores, so that there is something to learn."""
    rng = np.random.default_rng(0)
    rows = work.rows + work.validation_rows
    x = rng.standard_normal((rows, work.features), np.float32)
    scores = x @ rng.standard_normal((work.features, work.classes), np.float32)
    y = np.argmax(scores + rng.gumbel(size=scores.shape), axis=1)
    return Arrays(x[: work.rows], y[: work.rows], x[work.rows :], y[work.rows :], work.classes)


def flops_of(inputs: int, hidden: tuple[int, ...], outputs: int, rows: int, epochs: int) -> float:
    """Return the floating-point operations of training one network, those of its kernels alone.

    A kernel is multiplied three times, forward, for its gradient and for its inputs' gradient, at two operations
    a weight and row; the inputs of the first layer need no gradient. Validation is not counted.
    """
    sizes = (inputs, *hidden, outputs)
    kernels = [a * b for a, b in itertools.pairwise(sizes)]
    return float(rows * epochs * (4 * kernels[0] + 6 * sum(kernels[1:])))


# rows, features and classes of the sets that are trained on by name
SIZES = {"iris": (96, 4, 3), "breast_cancer": (364, 30, 2), "digits": (1149, 64, 10)}


def flops(work: Work) -> float:
    """Return the operations of training one network of a work."""
    random = (work.rows, work.features, work.classes)
    rows, features, classes = random if work.data == "random" else SIZES[work.data]
    return flops_of(features, work.hidden, classes, rows, work.epochs)
