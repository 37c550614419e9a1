"""The predictor: the ensemble with everything that it needs to answer for new rows, and its answers.

It predicts with NumPy alone; no engine and no jax are imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Preparation
from shoal.networks import Network
from shoal.results import Task

LEVEL = 0.95
ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class EnsembleMember:
    """One kept network with its trained parameters."""

    id: int
    candidate: dict[str, Any]
    network: Network
    parameters: list[dict[str, np.ndarray]]


@dataclass(frozen=True)
class Prediction:
    """What the ensemble says of rows.

    Classes: `probabilities` `(rows, classes)`, the mean over the members; `probability_std`, their spread;
    `labels`, the most probable class. Numbers: `mean`, `std`, `low`, `high`, `spread`, each `(rows, targets)` in
    the target's units: `spread` is the standard deviation over the members, `std` adds the scatter of the
    data about the prediction, `low` and `high` bound 95 % of new measurements.
    """

    targets: tuple[str, ...]
    classes: tuple[str, ...] = ()
    probabilities: np.ndarray | None = None
    probability_std: np.ndarray | None = None
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    spread: np.ndarray | None = None

    @property
    def labels(self) -> np.ndarray | None:
        """The most probable class of each row, None for numbers."""
        if self.probabilities is None:
            return None
        return np.asarray(self.classes, object)[np.argmax(self.probabilities, axis=1)]

    def __len__(self) -> int:
        first = self.probabilities if self.probabilities is not None else self.mean
        return 0 if first is None else len(first)

    def frame(self) -> pl.DataFrame:
        """Return the prediction as columns to put beside the input."""
        columns: dict[str, Any] = {}
        if self.probabilities is not None:
            columns["prediction"] = list(np.asarray(self.classes)[np.argmax(self.probabilities, axis=1)])
            for i, name in enumerate(self.classes):
                columns[f"probability_{name}"] = self.probabilities[:, i]
        else:
            several = len(self.targets) > 1
            for i, target in enumerate(self.targets):
                end = f"_{target}" if several else ""
                words = (("prediction", self.mean), ("std", self.std), ("low", self.low), ("high", self.high))
                for word, array in words:
                    columns[word + end] = None if array is None else array[:, i]
        return pl.DataFrame(columns)


@dataclass(frozen=True)
class Predictor:
    """An ensemble of networks with their preparation.

    Attributes:
        preparation: from the columns of a table to features.
        members: the kept networks.
        noise: standard deviation of the data about the ensemble, `(targets,)`, in the target's units.
        quantile: half width of the 95 % interval in units of `std`, `(targets,)`.
    """

    preparation: Preparation
    members: tuple[EnsembleMember, ...]
    noise: np.ndarray
    quantile: np.ndarray

    def predict(self, table: pl.DataFrame) -> Prediction:
        """Return what the ensemble says of the rows of a table.

        Raises:
            DataError: a column is missing, or holds values of another type than in training.
        """
        return self.predict_features(self.preparation.transform(table))

    def predict_features(self, x: np.ndarray) -> Prediction:
        """Return what the ensemble says of prepared rows `(rows, features)`."""
        each = self.member_outputs(x)
        preparation = self.preparation
        mean, spread = each.mean(axis=0), each.std(axis=0)
        if preparation.task is Task.CLASSIFICATION:
            return Prediction(preparation.targets, preparation.classes, mean, spread)
        std = np.sqrt(spread**2 + self.noise**2)
        half = self.quantile * std
        return Prediction(preparation.targets, mean=mean, std=std, low=mean - half, high=mean + half, spread=spread)

    def member_outputs(self, x: np.ndarray) -> np.ndarray:
        """Return each member's probabilities or values, `(members, rows, classes or targets)` float64."""
        return np.stack([self._one(member, x) for member in self.members])

    def _one(self, member: EnsembleMember, x: np.ndarray) -> np.ndarray:
        starts = range(0, max(len(x), 1), ROWS_AT_ONCE)
        parts = [member.network.predict(member.parameters, x[i : i + ROWS_AT_ONCE]) for i in starts]
        output = np.concatenate(parts).astype(np.float64)
        if self.preparation.task is Task.CLASSIFICATION:
            return to_probabilities(output)
        return self.preparation.unscale_target(output)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the predictor as plain data and named arrays."""
        arrays = {"noise": self.noise, "quantile": self.quantile}
        for k, member in enumerate(self.members):
            for i, layer in enumerate(member.parameters):
                arrays.update({f"members/{k}/{i}/{name}": array for name, array in layer.items()})
        members = [{"id": m.id, "candidate": m.candidate, "network": m.network.to_dict()} for m in self.members]
        return {"preparation": self.preparation.to_dict(), "members": members}, arrays

    @classmethod
    def from_parts(cls, document: dict[str, Any], arrays: dict[str, np.ndarray]) -> Predictor:
        """Return the predictor that `to_parts` described."""
        members = []
        for k, entry in enumerate(document["members"]):
            network = Network.from_dict(entry["network"])
            parameters = [
                {name: arrays[f"members/{k}/{i}/{name}"] for name in shapes}
                for i, shapes in enumerate(network.parameter_shapes)
            ]
            network.check_parameters(parameters)
            members.append(EnsembleMember(entry["id"], entry["candidate"], network, parameters))
        preparation = Preparation.from_dict(document["preparation"])
        return cls(preparation, tuple(members), arrays["noise"], arrays["quantile"])


def to_probabilities(output: np.ndarray) -> np.ndarray:
    """Return `(rows, classes)` probabilities that sum to one, from one sigmoid or one output per class."""
    if output.shape[1] == 1:
        return np.concatenate([1.0 - output, output], axis=1)
    positive = np.clip(output, 1e-12, None)
    return np.asarray(positive / positive.sum(axis=1, keepdims=True))


def with_noise(predictor: Predictor, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None) -> Predictor:
    """Return the predictor with its noise and interval measured on rows that trained no weight.

    The noise is what the spread of the members leaves unexplained: `noise² = max(0, mean(r² - spread²))`. The
    interval is split conformal (Lei et al., JASA 113, 1094, 2018): the quantile of `|r| / std` that covers
    95 % of new rows; with fewer than 19 rows it is the largest ratio seen, times 1.5.

    Args:
        predictor: an ensemble for numbers; one for classes is returned as it is.
        x: prepared features of the validation rows.
        y: their targets, `(rows, targets)`, in the target's units.
        weights: of the rows, or None.
    """
    if predictor.preparation.task is Task.CLASSIFICATION:
        return predictor
    guess = predictor.predict_features(x)
    assert guess.mean is not None
    assert guess.spread is not None
    residuals = y - guess.mean
    average = None if weights is None else np.asarray(weights, np.float64).reshape(len(y))
    unexplained = np.average(residuals**2 - guess.spread**2, axis=0, weights=average)
    floor = 1e-6 * predictor.preparation.target_scale
    noise = np.sqrt(np.maximum(unexplained, floor**2))
    ratios = np.abs(residuals) / np.sqrt(guess.spread**2 + noise**2)
    return Predictor(predictor.preparation, predictor.members, noise, conformal_quantile(ratios))


def conformal_quantile(ratios: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Return, per column, the size that holds `level` of new values with the finite-sample correction.

    Example:
        >>> float(conformal_quantile(np.arange(1.0, 100.0)[:, None])[0])
        95.0
    """
    count = len(ratios)
    rank = int(np.ceil((count + 1) * level))
    if rank > count:
        return np.asarray(1.5 * ratios.max(axis=0))
    return np.asarray(np.sort(ratios, axis=0)[rank - 1])


def choose_members(scores: Sequence[float], keep: int | None) -> list[int]:
    """Return the positions of the members to keep, best first.

    By default at most 8 and at most half of those that did not diverge. Scores are cross-fitted: rows that
    stopped a member did not judge it.

    Example:
        >>> choose_members([0.3, 0.1, float("inf"), 0.2], None)
        [1, 3]
    """
    order = sorted((score, i) for i, score in enumerate(scores) if np.isfinite(score))
    most = keep if keep is not None else min(8, (len(order) + 1) // 2)
    return [i for _, i in order[:most]]
