"""The predictor: the ensemble with everything that it needs to answer for new rows, and its answers.

It predicts with NumPy alone; no engine and no jax are imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Inputs, Preparation
from shoal.data.signals import Signals
from shoal.prediction.calibration import Calibration, disagreement, entropy
from shoal.prediction.conformal import Conformal, prediction_sets
from shoal.prediction.ensemble import EnsembleMember as EnsembleMember
from shoal.prediction.ensemble import members_from_parts, members_to_parts
from shoal.prediction.input_errors import input_spread
from shoal.prediction.intrinsic_scatter import MeasuredErrors, error_of_fit, total_error
from shoal.prediction.prediction import Prediction as Prediction
from shoal.prediction.region import Region
from shoal.prediction.replicas import data_spread, moves
from shoal.results import Task
from shoal.statistics.bootstrap import normal_quantile
from shoal.training.heads import VALUE, Described, Head, QuantileHead, head_from_dict

ROWS_AT_ONCE = 65_536
AS_AVERAGED = Calibration()
NUMBERS_AT_ONCE = 32_000_000  # of the layers of one network


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
        noise: standard deviation of the data about the ensemble, `(targets,)`, in the target's units; beside that
            which the networks themselves predict.
        quantile: half width of the interval in units of `std`, `(targets,)`; of classes see `Conformal.quantile`.
        alarm: of an ensemble of autoencoders, when a row counts as an anomaly.
        scale: factor of the standard deviations, `(targets,)`; None: 1.
        calibration: what is done to averaged probabilities.
        conformal: how intervals and sets were made; None in runs of an earlier format, whose intervals hold 95 %.
        region: where the training rows lie; None of images, series and autoencoders.
        replicas: the kept networks once more for each draw of the target errors, or none.
        measured: what is known of the measured errors of the targets, if anything is.
        input_errors: the column of the errors of each feature that has one.
        head: what the outputs of the networks say of the targets.
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
    head: Head = VALUE

    def predict(self, table: Inputs) -> Prediction:
        """Return what the ensemble says of the rows of a table, of images or of series.

        Of autoencoders the outputs are the inputs, in units of their scatter; see `prediction.autoencoder`.

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
        return input_spread(table, self.input_errors, lambda rows: self.mean(self.preparation.transform(rows)))

    def mean(self, x: np.ndarray) -> np.ndarray:
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
        if self.preparation.task is Task.CLASSIFICATION:  # no interval has to agree with probabilities
            each = self.member_outputs(x)
            return {"mean": each.mean(axis=0), "spread": each.std(axis=0), "entropy": entropy(each).mean(axis=0)}
        described = [self._described(member, x) for member in self.members]
        each = np.stack([one.mean for one in described])
        averages = {"mean": each.mean(axis=0), "spread": self._spread(each), **_mean_of(described)}
        if "covariance" in averages:
            averages["covariance"] += self._covariance(each)
        if self.conformal is not None and self.conformal.folds:
            averages["low"], averages["high"] = self._ends_by_fold(described)
        return averages

    def _ends_by_fold(self, described: Sequence[Described]) -> tuple[np.ndarray, np.ndarray]:
        """Return both ends of the interval by CV+, from what each member says."""
        assert self.conformal is not None
        parts = []
        for part in self.conformal.folds:
            own = [
                one
                for one, member in zip(described, self.members, strict=True)
                if (member.fold, member.repeat) == (part.fold, part.repeat)
            ]
            each = np.stack([one.mean for one in own])
            found = {"mean": each.mean(axis=0), "spread": each.std(axis=0), **_mean_of(own)}
            parts.append((found["mean"], *self.sides(found)))
        means, below, above = (np.stack([part[i] for part in parts]) for i in range(3))
        return self.conformal.cross(means, below, above)

    def total(self, spread: np.ndarray, variance: Any = None) -> np.ndarray:
        """Return the total standard deviation `(..., targets)` for a spread of the members.

        `variance` is what the networks themselves predict of the data.
        """
        own = 0.0 if variance is None else variance
        return np.asarray((1.0 if self.scale is None else self.scale) * np.sqrt(spread**2 + self.noise**2 + own))

    def sides(self, found: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the total standard deviation of values below and of those above the mean.

        They differ where the networks predict quantiles: each is then that of a normal distribution with the same
        outermost quantile.

        Args:
            found: `mean`, `spread` and, if networks predict them, `variance` and `quantiles`.
        """
        spread = found["spread"]
        if "quantiles" not in found or not isinstance(self.head, QuantileHead):
            std = self.total(spread, found.get("variance"))
            return std, std
        reach = normal_quantile(self.head.levels[-1] - self.head.levels[0])
        ends = found["quantiles"][..., 0], found["quantiles"][..., -1]
        below, above = (self.total(spread, ((end - found["mean"]) / reach) ** 2) for end in ends)
        return below, above

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
        std, (below, above) = self.total(spread, found.get("variance")), self.sides(found)
        half = self.quantile if known is None else known.quantiles(groups, mean.shape)
        low, high = mean - half * below, mean + half * above
        if known is not None and "low" in found:
            own = known.knows(groups, mean.shape)
            low, high = np.where(own, low, found["low"]), np.where(own, high, found["high"])
        low = np.maximum(low, 0.0) if self.head.counts else low
        ends = {"low": low, "high": high, "data_spread": found.get("data"), "std_below": below, "std_above": above}
        answer = Prediction(preparation.targets, mean=mean, std=std, spread=spread, degrees=self.degrees, **ends)
        answer = self._with_distribution(answer, found)
        if self.measured is None:
            return answer
        scatter = np.broadcast_to(self.measured.values, mean.shape) if answer.noise is None else answer.noise
        answer = replace(answer, scatter=scatter, noise=None)
        return replace(answer, total=total_error(scatter, error_of_fit(answer)))

    def _with_distribution(self, answer: Prediction, found: Mapping[str, np.ndarray]) -> Prediction:
        """Return the prediction with what the networks say of the distribution of the targets."""
        noise, covariance = found.get("variance"), found.get("covariance")
        if covariance is not None:
            scale = np.ones(len(self.noise)) if self.scale is None else self.scale
            covariance = scale[:, None] * scale * (covariance + np.diag(self.noise**2))
        levels = self.head.levels if isinstance(self.head, QuantileHead) else ()
        more: dict[str, Any] = {"quantiles": found.get("quantiles"), "covariance": covariance}
        return replace(answer, noise=None if noise is None else np.sqrt(noise), levels=levels, **more)

    def _data_spread(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Return the spread over the replicas as `data`, or nothing without them."""
        if not self.replicas:
            return {}
        return {"data": data_spread(self.replicas, lambda replica: self._one(replica, x), self.mean(x))}

    @property
    def degrees(self) -> int:
        """The number of members, less one for each fold."""
        return len(self.members) - len({member.fold for member in self.members})

    def moves(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the draws of the replicas, and how far the answer moved with each, `(draws, rows, targets)`."""
        draws, each = moves(self.replicas, lambda replica: self._one(replica, x))
        return draws, np.stack(each) - np.mean(each, axis=0)

    def _spread(self, each: np.ndarray) -> np.ndarray:
        """Return the deviation over the members `(members, rows, outputs)`, in the mean over the folds.

        The interval is measured on rows that only the members of one fold predict. The spread of a new row is that
        of as many members, which learned from the same rows; how much folds differ is part of the noise.
        """
        return np.asarray(np.sqrt(np.mean([some.var(axis=0) for some in self._by_fold(each)], axis=0)))

    def _covariance(self, each: np.ndarray) -> np.ndarray:
        """Return the covariance of the targets over the members, `(rows, targets, targets)`, as `_spread`."""
        away = [some - some.mean(axis=0) for some in self._by_fold(each)]
        return np.asarray(np.mean([np.einsum("mri,mrj->rij", some, some) / len(some) for some in away], axis=0))

    def _by_fold(self, each: np.ndarray) -> list[np.ndarray]:
        """Return what the members of each fold say."""
        folds = [member.fold for member in self.members]
        return [each[[own == fold for own in folds]] for fold in dict.fromkeys(folds)]

    def _answers(self, x: np.ndarray, answering: np.ndarray) -> dict[str, np.ndarray]:
        """Return mean, deviation and mean entropy over the members that are asked about each row."""
        rows = [np.flatnonzero(asked) for asked in answering]
        count, classes = answering.sum(axis=0), self.preparation.task is Task.CLASSIFICATION

        def average(values: Sequence[np.ndarray]) -> np.ndarray:
            total = np.zeros((len(x), *values[0].shape[1:]))
            for own, value in zip(rows, values, strict=True):
                total[own] += value
            return total / count.reshape(-1, *[1] * (total.ndim - 1))

        pairs = list(zip(self.members, rows, strict=True))
        described = [] if classes else [self._described(member, x[own]) for member, own in pairs]
        each = [self._one(member, x[own]) for member, own in pairs] if classes else [one.mean for one in described]
        mean = average(each)
        squares = average([(one - mean[own]) ** 2 for own, one in zip(rows, each, strict=True)])
        found = {"mean": mean, "spread": np.sqrt(squares), **_mean_of(described, average)}
        return {**found, "entropy": average([entropy(one) for one in each])} if classes else found

    def member_outputs(self, x: np.ndarray) -> np.ndarray:
        """Return each member's probabilities or values, `(members, rows, [time,] classes or targets)` float64."""
        return np.stack([self._one(member, x) for member in self.members])

    def _one(self, member: EnsembleMember, x: np.ndarray) -> np.ndarray:
        if self.preparation.task is Task.CLASSIFICATION:
            return to_probabilities(self._output(member, x))
        return self._described(member, x).mean

    def _described(self, member: EnsembleMember, x: np.ndarray) -> Described:
        """Return what one member says of the targets of rows, or of the inputs that it reconstructs."""
        output = self._output(member, x)
        if self.preparation.task is Task.RECONSTRUCTION:
            return Described(output)
        return self.head.describe(output, self.preparation.target_mean, self.preparation.target_scale)

    def _output(self, member: EnsembleMember, x: np.ndarray) -> np.ndarray:
        parts = [member.network.predict(member.parameters, x[some]) for some in self.pieces(len(x))]
        return np.concatenate(parts).astype(np.float64)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the predictor as plain data and named arrays."""
        arrays = {"noise": self.noise, "quantile": self.quantile}
        if self.scale is not None:
            arrays["scale"] = self.scale
        document: dict[str, Any] = {"preparation": self.preparation.to_dict()}
        document["members"] = members_to_parts("members", self.members, arrays)
        if self.replicas:
            document["replicas"] = members_to_parts("replicas", self.replicas, arrays)
        if self.input_errors:
            document["input_errors"] = dict(self.input_errors)
        if self.measured is not None:
            document["measured"] = self.measured.to_dict()
        if self.head != VALUE:
            document["head"] = self.head.to_dict()
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

        members, replicas = (members_from_parts(name, document, arrays) for name in ("members", "replicas"))
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
            head_from_dict(document["head"]) if "head" in document else VALUE,
        )


def _mean_of(
    described: Sequence[Described], average: Callable[[list[np.ndarray]], np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Return the average over members of what they say of the data about the mean, by name; nothing without a head."""
    found = {}
    for name in ("variance", "quantiles", "covariance"):
        values = [value for one in described if (value := getattr(one, name)) is not None]
        if values:
            found[name] = np.mean(values, axis=0) if average is None else average(values)
    return found


def to_probabilities(output: np.ndarray) -> np.ndarray:
    """Return `(..., classes)` probabilities that sum to one, from one sigmoid or one output per class."""
    if output.shape[-1] == 1:
        return np.concatenate([1.0 - output, output], axis=-1)
    positive = np.clip(output, 1e-12, None)
    return np.asarray(positive / positive.sum(axis=-1, keepdims=True))
