"""What is trained in a measurement, as plain numbers: every peer builds the same rows and networks from it."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from layers import layers_of, width_behind

PATTERN = 0.5  # of the noise that hides it


@dataclass(frozen=True)
class Work:
    """Networks on rows of a scikit-learn set, or on random rows; Adam, cross-entropy, every epoch validated.

    Rows are lines of `features`, or images and series of a `shape`; `layers` is what stands before the dense ones.
    """

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
    shape: tuple[int, ...] = ()
    layers: str = ""

    def plain(self) -> dict[str, Any]:
        """Return the work as data that JSON can hold."""
        return {**asdict(self), "hidden": list(self.hidden), "shape": list(self.shape)}


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
    return Work(**{**plain, "hidden": tuple(plain["hidden"]), "shape": tuple(plain["shape"])})


def arrays_of(work: Work) -> Arrays:
    """Return the rows of a work, the same in every process."""
    if work.data != "random":
        return split_set(work.data)
    return _patterns(work) if work.shape else _random(work)


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


def _patterns(work: Work) -> Arrays:
    """Return images or series that show the pattern of their class in noise."""
    rng = np.random.default_rng(0)
    y = rng.integers(work.classes, size=work.rows + work.validation_rows)
    patterns = PATTERN * rng.standard_normal((work.classes, *work.shape), np.float32)
    x = patterns[y] + rng.standard_normal((len(y), *work.shape), np.float32)
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
    """Return the operations of training one network of a work; with `layers`, three times those of the way forward."""
    if work.layers:
        sizes = (width_behind(work.layers, work.shape), *work.hidden, work.classes)
        products = sum(layer.multiplications for layer in layers_of(work.layers, work.shape))
        products += sum(a * b for a, b in itertools.pairwise(sizes))
        return 3.0 * 2.0 * products * work.rows * work.epochs
    random = (work.rows, work.features, work.classes)
    rows, features, classes = random if work.data == "random" else SIZES[work.data]
    return flops_of(features, work.hidden, classes, rows, work.epochs)
