"""The predictor: the ensemble with everything that it needs to answer for new rows, and its answers.

It predicts with NumPy alone; no engine and no jax are imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Inputs, Preparation
from shoal.data.signals import Signals
from shoal.evaluation.calibration import Calibration, disagreement, entropy
from shoal.evaluation.conformal import Conformal, prediction_sets
from shoal.evaluation.inputs import input_spread
from shoal.evaluation.noise import MeasuredErrors, error_of_fit, total_error
from shoal.evaluation.region import Region
from shoal.evaluation.replicas import data_spread
from shoal.networks import Network
from shoal.results import Task

ERRORS = ("data_spread", "input_spread", "scatter", "total")
ROWS_AT_ONCE = 65_536
AS_AVERAGED = Calibration()
BETWEEN = " | "  # the classes of a set
NUMBERS_AT_ONCE = 32_000_000  # of the layers of one network


@dataclass(frozen=True)
class EnsembleMember:
    """One network with its trained parameters, and the fold of a repeat that it did not learn from.

    Of a replica, `draw` is the number of the redrawn targets that it learned from, and `origin` the kept network that
    it repeats.
    """

    id: int
    candidate: dict[str, Any]
    network: Network
    parameters: list[dict[str, np.ndarray]]
    fold: int | None = None
    repeat: int = 0
    draw: int | None = None
    origin: int | None = None


@dataclass(frozen=True)
class Prediction:
    """What the ensemble says of rows.

    Attributes:
        targets, classes: names.
        probabilities: `(rows, classes)`, the mean over the members, calibrated; `labels` are the most probable classes.
        averaged: `(rows, classes)`, the probabilities before calibration.
        probability_std: `(rows, classes)`, the standard deviation over the members, before calibration.
        disagreement: `(rows,)`, the part of the uncertainty that comes from disagreement between members, in nats:
            the entropy of their mean less the mean of their entropies, before calibration. It is what more data of
            this kind could remove.
        sets: `(rows, classes)`, the classes that together hold the truth with the stated coverage.
        mean: `(rows, targets)`, the value, in the target's units; the mean over the members.
        spread: `(rows, targets)`, the standard deviation over the members (over those of one fold, where there are
            folds): how far they disagree.
        std: `(rows, targets)`, the total: the spread and the scatter of the data about the prediction, scaled so that
            residuals on rows that trained no weight are as wide.
        low, high: `(rows, targets)`, the interval that holds new measurements with the stated coverage (conformal).
        data_spread: `(rows, targets)`, with replicas: the error that the measured errors of the targets leave on the
            mean.
        input_spread: `(rows, targets)`, the error that the errors of the features leave, where both are known.
        scatter: `(rows, targets)`, with measured errors: the intrinsic scatter about the mean.
        total: `(rows, targets)`, with measured errors: `spread`, `data_spread`, `input_spread` and `scatter` together,
            the error of a true value; where the errors of new measurements are given, they are part of it.
        outside: `(rows,)`, whether a row lies outside the region of the training rows; there, no error bar can be
            relied on. None where nothing is known of the region.
        lengths: `(rows,)`, the number of real steps where each step of a series is predicted. All others have an axis
            of time behind the rows then, `(rows, time, ...)`, with NaN (no class in a set) behind the end of a series.
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
    data_spread: np.ndarray | None = None
    input_spread: np.ndarray | None = None
    scatter: np.ndarray | None = None
    total: np.ndarray | None = None
    lengths: np.ndarray | None = None
    disagreement: np.ndarray | None = None
    sets: np.ndarray | None = None
    outside: np.ndarray | None = None
    averaged: np.ndarray | None = None

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
        real = np.arange(time) < ends[:, None]

        def cut(values: np.ndarray) -> np.ndarray:
            there = real.reshape(*real.shape, *[1] * (values.ndim - 2))
            return np.where(there, values[:, :time], False if values.dtype == bool else np.nan)

        return self._each(cut, ends)

    def _each(self, change: Callable[[np.ndarray], np.ndarray], lengths: np.ndarray | None) -> Prediction:
        of_classes = ("probabilities", "averaged", "probability_std", "disagreement", "sets")
        of_numbers = ("mean", "std", "low", "high", "spread", *ERRORS)
        given = {name: values for name in (*of_classes, *of_numbers) if (values := getattr(self, name)) is not None}
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
            if self.disagreement is not None:
                columns["disagreement"] = self.disagreement
            if self.sets is not None:
                names = np.asarray(self.classes, object)
                columns["set"] = pl.Series([BETWEEN.join(names[row]) for row in self.sets], dtype=pl.String)
        else:
            several = len(self.targets) > 1
            for i, target in enumerate(self.targets):
                end = f"_{target}" if several else ""
                words = [("prediction", self.mean), ("std", self.std), ("low", self.low), ("high", self.high)]
                words += [(name, array) for name in ("spread", *ERRORS) if (array := getattr(self, name)) is not None]
                for word, array in words:
                    columns[word + end] = None if array is None else array[:, i]
        if self.outside is not None:
            columns["outside"] = self.outside
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
        quantile: half width of the interval in units of `std`, `(targets,)`; of classes see `Conformal.quantile`.
        alarm: of an ensemble of autoencoders, when a row counts as an anomaly.
        scale: factor of the standard deviations, `(targets,)`; None: 1.
        calibration: what is done to averaged probabilities.
        conformal: how intervals and sets were made; None in runs of an earlier format, whose intervals hold 95 %.
        region: where the training rows lie; None of images, series and autoencoders.
        replicas: the kept networks once more for each draw of the target errors, or none.
        measured: what is known of the measured errors of the targets, if anything is.
        input_errors: the column of the errors of each feature that has one.
    """

    preparation: Preparation
    members: tuple[EnsembleMember, ...]
    noise: np.ndarray
    quantile: np.ndarray
    alarm: Alarm | None = None
    scale: np.ndarray | None = None
    calibration: Calibration = AS_AVERAGED
    conformal: Conformal | None = None
    region: Region | None = None
    replicas: tuple[EnsembleMember, ...] = ()
    measured: MeasuredErrors | None = None
    input_errors: Mapping[str, str] = field(default_factory=dict)

    def predict(self, table: Inputs) -> Prediction:
        """Return what the ensemble says of the rows of a table, of images or of series.

        Of autoencoders the outputs are the inputs, in units of their scatter; see `evaluation.reconstructing`.

        Raises:
            DataError: a column is missing, or holds values of another type than in training.
        """
        x = self.preparation.transform(table)
        prediction = self.predict_features(x, groups=self.groups_of(table))
        if self.region is not None:
            prediction = replace(prediction, outside=self.region.outside(x))
        if isinstance(table, pl.DataFrame):
            prediction = self.with_input_errors(prediction, table)
            sigma = None if self.measured is None else self.measured.read(table)
            if sigma is not None:
                prediction = replace(prediction, total=total_error(prediction.total, sigma))
        if self.preparation.per_step and isinstance(table, Signals):
            return prediction.until(table.shape[0], table.lengths)
        return prediction

    def with_input_errors(self, prediction: Prediction, table: pl.DataFrame) -> Prediction:
        """Return the prediction of a table with the error that those of its features leave, where they are known."""
        spread = self.input_spread(table)
        if spread is None:
            return prediction
        total = None if prediction.total is None else total_error(prediction.total, spread)
        return replace(prediction, input_spread=spread, total=total)

    def input_spread(self, table: Inputs) -> np.ndarray | None:
        """Return the error that those of the features leave on the mean, `(rows, targets)`, or None if not known."""
        if not self.input_errors or not isinstance(table, pl.DataFrame):
            return None
        if not set(self.input_errors.values()) <= set(table.columns):
            return None
        return input_spread(table, self.input_errors, lambda rows: self._mean(self.preparation.transform(rows)))

    def _mean(self, x: np.ndarray) -> np.ndarray:
        """Return the mean over the members, `(rows, targets)`."""
        return np.asarray(np.mean([self._one(member, x) for member in self.members], axis=0))

    def groups_of(self, table: Inputs) -> list[str | None] | None:
        """Return to which group each row of a table belongs; None where groups have no intervals of their own."""
        known = self.conformal
        if known is None or known.column is None or not known.by_group or not isinstance(table, pl.DataFrame):
            return None
        if known.column not in table.columns:
            return None
        names: list[str | None] = table.get_column(known.column).cast(pl.String).to_list()
        return names

    def predict_features(
        self, x: np.ndarray, answering: np.ndarray | None = None, groups: list[str | None] | None = None
    ) -> Prediction:
        """Return what the ensemble says of prepared rows.

        Args:
            x: `(rows, features)`.
            answering: `(members, rows)`, whether a member is asked about a row; None: all are asked about all.
                A row needs one at least.
            groups: to which group each row belongs, as `groups_of` tells.
        """
        parts = []
        for some in self.pieces(len(x)):  # many members and rows at once would not fit into memory
            asked = None if answering is None else answering[:, some]
            parts.append({**self._averages(x[some], asked), **self._data_spread(x[some])})
        return self._prediction({name: np.concatenate([part[name] for part in parts]) for name in parts[0]}, groups)

    def pieces(self, rows: int) -> Iterator[slice]:
        """Give the rows in pieces, few at a time where a network needs many numbers for each."""
        most = max((member.network.values for member in self.members), default=1)
        once = max(1, min(ROWS_AT_ONCE, NUMBERS_AT_ONCE // most))
        yield from (slice(i, i + once) for i in range(0, max(rows, 1), once))

    def _averages(self, x: np.ndarray, asked: np.ndarray | None) -> dict[str, np.ndarray]:
        """Return mean and spread over the members, of classes also the mean entropy, of folds the ends by CV+."""
        if asked is not None:
            return self._answers(x, asked)
        each = self.member_outputs(x)
        if self.preparation.task is Task.CLASSIFICATION:  # no interval has to agree with probabilities
            return {"mean": each.mean(axis=0), "spread": each.std(axis=0), "entropy": entropy(each).mean(axis=0)}
        averages = {"mean": each.mean(axis=0), "spread": self._spread(each)}
        if self.conformal is not None and self.conformal.folds:
            where = [(member.fold, member.repeat) for member in self.members]
            own = [each[[at == (part.fold, part.repeat) for at in where]] for part in self.conformal.folds]
            stds = np.stack([self.total(some.std(axis=0)) for some in own])
            ends = self.conformal.cross(np.stack([some.mean(axis=0) for some in own]), stds)
            averages["low"], averages["high"] = ends
        return averages

    def total(self, spread: np.ndarray) -> np.ndarray:
        """Return the total standard deviation for a spread of the members, `(..., targets)`."""
        return np.asarray((1.0 if self.scale is None else self.scale) * np.sqrt(spread**2 + self.noise**2))

    def _prediction(self, found: dict[str, np.ndarray], groups: list[str | None] | None) -> Prediction:
        preparation, known = self.preparation, self.conformal
        mean, spread = found["mean"], found["spread"]
        if preparation.task is Task.CLASSIFICATION:
            calibrated = self.calibration(mean)
            answer = Prediction(preparation.targets, preparation.classes, calibrated, spread)
            if known is not None:
                quantile = known.quantiles(groups, mean.shape)
                answer = replace(answer, sets=prediction_sets(calibrated, quantile))
            return replace(answer, averaged=mean, disagreement=disagreement(mean, found["entropy"]))
        std = self.total(spread)
        half = (self.quantile if known is None else known.quantiles(groups, mean.shape)) * std
        low, high = mean - half, mean + half
        if known is not None and "low" in found:
            own = known.knows(groups, mean.shape)
            low, high = np.where(own, low, found["low"]), np.where(own, high, found["high"])
        ends = {"low": low, "high": high, "data_spread": found.get("data")}
        answer = Prediction(preparation.targets, mean=mean, std=std, spread=spread, **ends)
        if self.measured is None:
            return answer
        scatter = np.broadcast_to(self.measured.values, mean.shape)
        return replace(answer, scatter=scatter, total=total_error(scatter, error_of_fit(answer)))

    def _data_spread(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return the spread over the replicas as `data`, or nothing without them."""
        return {"data": data_spread(self.replicas, lambda replica: self._one(replica, x))} if self.replicas else {}

    def _spread(self, each: np.ndarray) -> np.ndarray:
        """Return the deviation over the members `(members, rows, outputs)`, in the mean over the folds.

        The interval is measured on rows that only the members of one fold predict. The spread of a new row is that
        of as many members, which learned from the same rows; how much folds differ is part of the noise.
        """
        folds = [member.fold for member in self.members]
        variances = [each[[own == fold for own in folds]].var(axis=0) for fold in dict.fromkeys(folds)]
        return np.asarray(np.sqrt(np.mean(variances, axis=0)))

    def _answers(self, x: np.ndarray, answering: np.ndarray) -> dict[str, np.ndarray]:
        """Return mean, deviation and mean entropy over the members that are asked about each row."""
        rows = [np.flatnonzero(asked) for asked in answering]
        each = [self._one(member, x[own]) for member, own in zip(self.members, rows, strict=True)]
        shape = each[0].shape[1:]
        count = answering.sum(axis=0).reshape(-1, *[1] * len(shape))
        mean, squares = np.zeros((2, len(x), *shape))
        entropies, classes = np.zeros((len(x), *shape[:-1])), self.preparation.task is Task.CLASSIFICATION
        for own, output in zip(rows, each, strict=True):
            mean[own] += output
            if classes:
                entropies[own] += entropy(output)
        mean /= count
        for own, output in zip(rows, each, strict=True):
            squares[own] += (output - mean[own]) ** 2
        return {"mean": mean, "spread": np.sqrt(squares / count), "entropy": entropies / count[..., 0]}

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
        if self.scale is not None:
            arrays["scale"] = self.scale
        document = {"preparation": self.preparation.to_dict(), "members": _to_parts("members", self.members, arrays)}
        if self.replicas:
            document["replicas"] = _to_parts("replicas", self.replicas, arrays)
        if self.input_errors:
            document["input_errors"] = dict(self.input_errors)
        if self.measured is not None:
            document["measured"] = self.measured.to_dict()
        if self.alarm is not None:
            document["alarm"] = asdict(self.alarm)
        for name in ("calibration", "conformal", "region"):
            part = getattr(self, name)
            if part is not None:
                document[name], own = part.to_parts()
                arrays.update({f"{name}/{key}": array for key, array in own.items()})
        return document, arrays

    @classmethod
    def from_parts(cls, document: dict[str, Any], arrays: dict[str, np.ndarray]) -> Predictor:
        """Return the predictor that `to_parts` described; what an earlier format lacks changes no prediction."""

        def part(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
            head = f"{name}/"
            return document[name], {k.removeprefix(head): array for k, array in arrays.items() if k.startswith(head)}

        members, replicas = (_from_parts(name, document, arrays) for name in ("members", "replicas"))
        preparation = Preparation.from_dict(document["preparation"])
        alarm = Alarm(**document["alarm"]) if "alarm" in document else None
        quantile = arrays["quantile"]
        return cls(
            preparation,
            members,
            arrays["noise"],
            quantile,
            alarm,
            arrays.get("scale"),
            Calibration.from_parts(*part("calibration")) if "calibration" in document else AS_AVERAGED,
            Conformal.from_parts(*part("conformal"), quantile) if "conformal" in document else None,
            Region.from_parts(*part("region")) if "region" in document else None,
            replicas,
            MeasuredErrors.from_dict(document["measured"]) if "measured" in document else None,
            document.get("input_errors", {}),
        )


def _to_parts(part: str, members: tuple[EnsembleMember, ...], arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return networks as plain data, and add their parameters to the named arrays."""
    for k, member in enumerate(members):
        for i, layer in enumerate(member.parameters):
            arrays.update({f"{part}/{k}/{i}/{name}": array for name, array in layer.items()})
    return [_described(member) for member in members]


def _from_parts(part: str, document: dict[str, Any], arrays: dict[str, np.ndarray]) -> tuple[EnsembleMember, ...]:
    """Return the networks that `_to_parts` described."""
    members = []
    for k, entry in enumerate(document.get(part, ())):
        network = Network.from_dict(entry["network"])
        parameters = [
            {name: arrays[f"{part}/{k}/{i}/{name}"] for name in shapes}
            for i, shapes in enumerate(network.parameter_shapes)
        ]
        network.check_parameters(parameters)
        where = entry.get("fold"), entry.get("repeat", 0), entry.get("draw"), entry.get("origin")
        members.append(EnsembleMember(entry["id"], entry["candidate"], network, parameters, *where))
    return tuple(members)


def _described(member: EnsembleMember) -> dict[str, Any]:
    described: dict[str, Any] = {"id": member.id, "candidate": member.candidate, "network": member.network.to_dict()}
    if member.fold is not None:
        described |= {"fold": member.fold, "repeat": member.repeat}
    return described if member.draw is None else {**described, "draw": member.draw, "origin": member.origin}


def to_probabilities(output: np.ndarray) -> np.ndarray:
    """Return `(..., classes)` probabilities that sum to one, from one sigmoid or one output per class."""
    if output.shape[-1] == 1:
        return np.concatenate([1.0 - output, output], axis=-1)
    positive = np.clip(output, 1e-12, None)
    return np.asarray(positive / positive.sum(axis=-1, keepdims=True))
