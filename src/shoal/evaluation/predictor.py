"""The predictor: the ensemble with everything that it needs to answer for new rows, and its answers.

It predicts with NumPy alone; no engine and no jax are imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Inputs, Preparation
from shoal.data.signals import Signals
from shoal.evaluation.scored import Scored
from shoal.networks import Network
from shoal.results import Task

LEVEL = 0.95
ROWS_AT_ONCE = 65_536
NUMBERS_AT_ONCE = 32_000_000  # of the layers of one network


@dataclass(frozen=True)
class EnsembleMember:
    """One kept network with its trained parameters, and the fold of a repeat that it did not learn from."""

    id: int
    candidate: dict[str, Any]
    network: Network
    parameters: list[dict[str, np.ndarray]]
    fold: int | None = None
    repeat: int = 0


@dataclass(frozen=True)
class Prediction:
    """What the ensemble says of rows.

    Classes: `probabilities` `(rows, classes)`, the mean over the members; `probability_std`, their spread;
    `labels`, the most probable class. Numbers: `mean`, `std`, `low`, `high`, `spread`, each `(rows, targets)` in
    the target's units: `spread` is the standard deviation over the members (over those of one fold, where there
    are folds), `std` adds the scatter of the data about the prediction, `low` and `high` bound 95 % of new
    measurements. Where each step of a series is predicted, all have an axis of time behind the rows, `(rows, time,
    ...)`, with NaN behind the end of a series, and `lengths` `(rows,)` holds the number of real steps.
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
    lengths: np.ndarray | None = None

    @property
    def labels(self) -> np.ndarray | None:
        """The most probable class of each row or step, None for numbers and behind the end of a series."""
        if self.probabilities is None:
            return None
        labels = np.asarray(self.classes, object)[np.argmax(self.probabilities, axis=-1)]
        labels[np.isnan(self.probabilities[..., 0])] = None
        return np.asarray(labels)

    def at(self, steps: np.ndarray) -> Prediction:
        """Return the prediction for some steps, `(rows, time)` true or false, one after the other."""
        return self._each(lambda values: values[steps], None)

    def until(self, time: int, lengths: np.ndarray | None) -> Prediction:
        """Return the prediction of so many steps, with NaN behind the end of each series; None: all go to the last."""
        ends = np.full(len(self), time) if lengths is None else np.asarray(lengths)
        real = (np.arange(time) < ends[:, None])[:, :, None]
        return self._each(lambda values: np.where(real, values[:, :time], np.nan), ends)

    def _each(self, change: Callable[[np.ndarray], np.ndarray], lengths: np.ndarray | None) -> Prediction:
        names = ("probabilities", "probability_std", "mean", "std", "low", "high", "spread")
        given = {name: values for name in names if (values := getattr(self, name)) is not None}
        changed: dict[str, Any] = {name: change(values) for name, values in given.items()}
        return replace(self, **changed, lengths=lengths)

    def __len__(self) -> int:
        first = self.probabilities if self.probabilities is not None else self.mean
        return 0 if first is None else len(first)

    def frame(self) -> pl.DataFrame:
        """Return the prediction as columns to put beside the input.

        Where each step is predicted, a row for each real step, with the columns `row` and `step` (from 0 and 1 on).
        """
        if self.lengths is not None:
            most = int(self.lengths.max(initial=0))
            rows, steps = np.nonzero(np.arange(most) < self.lengths[:, None])
            of_steps = self.at((rows, steps)).frame().get_columns()  # type: ignore[arg-type]
            return pl.DataFrame([pl.Series("row", rows), pl.Series("step", steps + 1), *of_steps])
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
class Alarm:
    """When a row counts as an anomaly: its score lies above `threshold`, as of so many usual rows."""

    threshold: float
    false_alarm_rate: float


@dataclass(frozen=True)
class Predictor:
    """An ensemble of networks with their preparation.

    Attributes:
        preparation: from the columns of a table to features.
        members: the kept networks.
        noise: standard deviation of the data about the ensemble, `(targets,)`, in the target's units.
        quantile: half width of the 95 % interval in units of `std`, `(targets,)`.
        alarm: of an ensemble of autoencoders, when a row counts as an anomaly.
    """

    preparation: Preparation
    members: tuple[EnsembleMember, ...]
    noise: np.ndarray
    quantile: np.ndarray
    alarm: Alarm | None = None

    def predict(self, table: Inputs) -> Prediction:
        """Return what the ensemble says of the rows of a table, of images or of series.

        Of autoencoders the outputs are the inputs, in units of their scatter; see `evaluation.reconstructing`.

        Raises:
            DataError: a column is missing, or holds values of another type than in training.
        """
        prediction = self.predict_features(self.preparation.transform(table))
        if self.preparation.per_step and isinstance(table, Signals):
            return prediction.until(table.shape[0], table.lengths)
        return prediction

    def predict_features(self, x: np.ndarray, answering: np.ndarray | None = None) -> Prediction:
        """Return what the ensemble says of prepared rows.

        Args:
            x: `(rows, features)`.
            answering: `(members, rows)`, whether a member is asked about a row; None: all are asked about all.
                A row needs one at least.
        """
        parts = []
        for some in self.pieces(len(x)):  # many members and rows at once would not fit into memory
            asked = None if answering is None else answering[:, some]
            parts.append(self._mean_and_spread(x[some], asked))
        mean, spread = (np.concatenate(part) for part in zip(*parts, strict=True))
        return self._prediction(mean, spread)

    def pieces(self, rows: int) -> Iterator[slice]:
        """Give the rows in pieces, few at a time where a network needs many numbers for each."""
        most = max((member.network.values for member in self.members), default=1)
        once = max(1, min(ROWS_AT_ONCE, NUMBERS_AT_ONCE // most))
        yield from (slice(i, i + once) for i in range(0, max(rows, 1), once))

    def _mean_and_spread(self, x: np.ndarray, asked: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        if asked is not None:
            return self._answers(x, asked)
        each = self.member_outputs(x)
        numbers = self.preparation.task is not Task.CLASSIFICATION  # no interval has to agree with probabilities
        return each.mean(axis=0), self._spread(each) if numbers else each.std(axis=0)

    def _prediction(self, mean: np.ndarray, spread: np.ndarray) -> Prediction:
        preparation = self.preparation
        if preparation.task is Task.CLASSIFICATION:
            return Prediction(preparation.targets, preparation.classes, mean, spread)
        std = np.sqrt(spread**2 + self.noise**2)
        half = self.quantile * std
        return Prediction(preparation.targets, mean=mean, std=std, low=mean - half, high=mean + half, spread=spread)

    def _spread(self, each: np.ndarray) -> np.ndarray:
        """Return the deviation over the members `(members, rows, outputs)`, in the mean over the folds.

        The interval is measured on rows that only the members of one fold predict. The spread of a new row is that
        of as many members, which learned from the same rows; how much folds differ is part of the noise.
        """
        folds = [member.fold for member in self.members]
        variances = [each[[own == fold for own in folds]].var(axis=0) for fold in dict.fromkeys(folds)]
        return np.asarray(np.sqrt(np.mean(variances, axis=0)))

    def _answers(self, x: np.ndarray, answering: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and deviation over the members that are asked about each row."""
        rows = [np.flatnonzero(asked) for asked in answering]
        each = [self._one(member, x[own]) for member, own in zip(self.members, rows, strict=True)]
        shape = each[0].shape[1:]
        count = answering.sum(axis=0).reshape(-1, *[1] * len(shape))
        mean, squares = np.zeros((2, len(x), *shape))
        for own, output in zip(rows, each, strict=True):
            mean[own] += output
        mean /= count
        for own, output in zip(rows, each, strict=True):
            squares[own] += (output - mean[own]) ** 2
        return mean, np.sqrt(squares / count)

    def held_out(self, folds: np.ndarray | None, rows: int) -> np.ndarray:
        """Return which members did not learn from each validation row, `(members, rows)`.

        Args:
            folds: the fold of each row in each repeat, `(rows, repeats)`; None where no member learned from them.
            rows: number of rows.
        """
        if folds is None:
            return np.ones((len(self.members), rows), bool)
        return np.stack([folds[:, member.repeat] == member.fold for member in self.members])

    def member_outputs(self, x: np.ndarray) -> np.ndarray:
        """Return each member's probabilities or values, `(members, rows, [time,] classes or targets)` float64."""
        return np.stack([self._one(member, x) for member in self.members])

    def _one(self, member: EnsembleMember, x: np.ndarray) -> np.ndarray:
        parts = [member.network.predict(member.parameters, x[some]) for some in self.pieces(len(x))]
        output = np.concatenate(parts).astype(np.float64)
        if self.preparation.task is Task.CLASSIFICATION:
            return to_probabilities(output)
        if self.preparation.task is Task.RECONSTRUCTION:
            return output
        return self.preparation.unscale_target(output)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the predictor as plain data and named arrays."""
        arrays = {"noise": self.noise, "quantile": self.quantile}
        for k, member in enumerate(self.members):
            for i, layer in enumerate(member.parameters):
                arrays.update({f"members/{k}/{i}/{name}": array for name, array in layer.items()})
        document = {"preparation": self.preparation.to_dict(), "members": [_described(m) for m in self.members]}
        return document if self.alarm is None else {**document, "alarm": asdict(self.alarm)}, arrays

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
            where = entry.get("fold"), entry.get("repeat", 0)
            members.append(EnsembleMember(entry["id"], entry["candidate"], network, parameters, *where))
        preparation = Preparation.from_dict(document["preparation"])
        alarm = Alarm(**document["alarm"]) if "alarm" in document else None
        return cls(preparation, tuple(members), arrays["noise"], arrays["quantile"], alarm)


def _described(member: EnsembleMember) -> dict[str, Any]:
    described = {"id": member.id, "candidate": member.candidate, "network": member.network.to_dict()}
    return described if member.fold is None else {**described, "fold": member.fold, "repeat": member.repeat}


def to_probabilities(output: np.ndarray) -> np.ndarray:
    """Return `(..., classes)` probabilities that sum to one, from one sigmoid or one output per class."""
    if output.shape[-1] == 1:
        return np.concatenate([1.0 - output, output], axis=-1)
    positive = np.clip(output, 1e-12, None)
    return np.asarray(positive / positive.sum(axis=-1, keepdims=True))


def with_noise(
    predictor: Predictor, x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, answering: np.ndarray | None = None
) -> Predictor:
    """Return the predictor with its noise and interval measured on rows that trained no weight.

    The noise is what the spread of the members leaves unexplained: `noise² = max(0, mean(r² - spread²))`. The
    interval is split conformal (Lei et al., JASA 113, 1094, 2018): the quantile of `|r| / std` that covers
    95 % of new rows; with fewer than 19 rows it is the largest ratio seen, times 1.5.

    With folds, the residual and the spread of a row are those of the members that did not learn from it
    (cross-conformal; Vovk, Ann. Math. Artif. Intell. 74, 9, 2015). The spread over all members would not do: those
    that learned from the row are drawn to it and so disagree with the others just where the residual is large, and
    the interval would come out too small. New rows are predicted by the members of all folds; their mean is a
    little better than that of one fold, so that the interval errs on the wide side.

    Args:
        predictor: an ensemble for numbers; one for classes is returned as it is.
        x: prepared features of the validation rows.
        y: their targets, `(rows, targets)`, in the target's units; of steps `(rows, time, targets)`, NaN without one.
        weights: of the rows, or None.
        answering: `(members, rows)`, the members that did not learn from each row; None: none of them did.
    """
    if predictor.preparation.task is Task.CLASSIFICATION:
        return predictor
    guess = predictor.predict_features(x, answering)
    assert guess.mean is not None
    assert guess.spread is not None
    scored = Scored.of(Task.REGRESSION, y, weights)
    spread = scored.taken(guess.spread)
    residuals = scored.truth - scored.taken(guess.mean)
    average = None if weights is None else np.asarray(scored.weights, np.float64).reshape(len(residuals))
    unexplained = np.average(residuals**2 - spread**2, axis=0, weights=average)
    floor = 1e-6 * predictor.preparation.target_scale
    noise = np.sqrt(np.maximum(unexplained, floor**2))
    ratios = np.abs(residuals) / np.sqrt(spread**2 + noise**2)
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
