"""The predictor: the ensemble with everything that it needs to answer for new rows, and its answers.

It predicts with NumPy, or networks with windows or memory by the native kernel; what trains and jax are not imported.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from shoal.data import Inputs, Preparation
from shoal.data.labels import labels_of
from shoal.data.signals import Signals
from shoal.prediction.averages import Asked, NumberAverages, mean_over_members
from shoal.prediction.calibration import Calibration, disagreement, entropy
from shoal.prediction.conformal import Conformal, prediction_sets
from shoal.prediction.ensemble import EnsembleMember as EnsembleMember
from shoal.prediction.ensemble import members_from_parts, members_to_parts, replicas_from_parts, replicas_to_parts
from shoal.prediction.input_errors import input_spread
from shoal.prediction.input_noise import InputNoise
from shoal.prediction.intrinsic_scatter import MeasuredErrors, error_of_fit, total_error
from shoal.prediction.prediction import ClassPrediction, NumberPrediction
from shoal.prediction.prediction import Prediction as Prediction
from shoal.prediction.region import Region
from shoal.prediction.replicas import data_spread, moves
from shoal.results import Task
from shoal.short_repr import ShortRepr
from shoal.statistics.bootstrap import normal_quantile
from shoal.training.forward import ROWS_AT_ONCE, BoundNetwork, predict, sharing_beginnings
from shoal.training.heads import VALUE, Described, Head, QuantileHead, head_from_dict

AS_AVERAGED = Calibration()
NUMBERS_AT_ONCE = 32_000_000  # of what one network says


@dataclass(frozen=True)
class Alarm:
    """When a row counts as an anomaly: its score lies above `threshold`, as of so many usual rows."""

    threshold: float
    false_alarm_rate: float


@dataclass(frozen=True, repr=False)
class Predictor(ShortRepr):
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
        input_noise: how much the errors of the features count in the error of a row; None where they have none, and in
            runs of an earlier format, whose `std` does not know them.
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
    input_noise: InputNoise | None = None

    def predict(self, table: Inputs) -> Prediction:
        """Return what the ensemble says of the rows of a table, of images or of series.

        Of autoencoders the outputs are the inputs, in units of their scatter; see `prediction.autoencoder`.

        Raises:
            DataError: a column is missing, or holds values of another type than in training.
        """
        x = self.preparation.transform(table)
        prediction = self.predict_features(x, groups=self.groups_of(table), input_spread=self.input_spread(table))
        if isinstance(prediction, NumberPrediction) and isinstance(table, pl.DataFrame):
            sigma = None if self.measured is None else self.measured.read(table)
            if sigma is not None:
                total = total_error(prediction.total, sigma)
                prediction = replace(prediction, total=total, total_of_measurement=True)
        if self.region is not None:
            prediction = replace(prediction, outside=self.region.outside(x))
        if self.preparation.per_step and isinstance(table, Signals):
            return prediction.until(table.shape[0], table.lengths)
        return prediction

    def input_spread(self, table: Inputs) -> np.ndarray | None:
        """Return how far the mean moves within the errors of the features, `(rows, targets)`, or None if not known."""
        if not self.input_errors or not isinstance(table, pl.DataFrame):
            return None
        if not set(self.input_errors.values()) <= set(table.columns):
            return None
        return input_spread(table, self.input_errors, lambda rows: self.mean(self.preparation.transform(rows)))

    def effective_error(self, sigma: np.ndarray, input_spread: np.ndarray | None) -> np.ndarray:
        """Return measured errors of targets together with what those of the features add, both `(rows, targets)`.

        This is the root of the effective variance (Orear, Am. J. Phys. 50, 912, 1982); where the networks learn a
        scatter, that has no part in it.
        """
        if input_spread is None or self.input_noise is None:
            return total_error(sigma, input_spread)
        return total_error(sigma, np.sqrt(self.input_noise.share_alone) * input_spread)

    def in_float64(self) -> Predictor:
        """Return the same that computes in float64, whose answer for a row does not depend on rows beside it."""

        def doubled(member: EnsembleMember) -> EnsembleMember:
            layers = [{name: array.astype(np.float64) for name, array in layer.items()} for layer in member.parameters]
            return replace(member, parameters=layers)

        return replace(self, members=tuple(map(doubled, self.members)))

    def mean(self, x: np.ndarray) -> np.ndarray:
        """Return the mean over the members, `(rows, targets)`."""
        with sharing_beginnings():
            return mean_over_members([self.member_output(member, x) for member in self.members])

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
        self,
        x: np.ndarray,
        answering: np.ndarray | None = None,
        groups: list[str | None] | None = None,
        input_spread: np.ndarray | None = None,
    ) -> Prediction:
        """Return what the ensemble says of prepared rows, of classes or of numbers.

        Args:
            x: `(rows, features)`.
            answering: `(members, rows)`, whether a member is asked about a row; None: all are asked about all.
                A row needs one at least.
            groups: to which group each row belongs, as `groups_of` tells.
            input_spread: of each row, `(rows, targets)`, as `input_spread` tells; None: where features have errors, it
                counts as in the rows by which error bars were measured.
        """
        if self.preparation.task is Task.CLASSIFICATION:
            return self.predict_classes(x, answering, groups)
        return self.predict_numbers(x, answering, groups, input_spread)

    def predict_classes(
        self, x: np.ndarray, answering: np.ndarray | None = None, groups: list[str | None] | None = None
    ) -> ClassPrediction:
        """Return what an ensemble that tells classes says of prepared rows; arguments as of `predict_features`."""
        parts = self._parts(x, answering, groups)
        return ClassPrediction.joined([self._classes(x[some], asked, names) for some, asked, names in parts])

    def predict_numbers(
        self,
        x: np.ndarray,
        answering: np.ndarray | None = None,
        groups: list[str | None] | None = None,
        input_spread: np.ndarray | None = None,
    ) -> NumberPrediction:
        """Return what an ensemble that predicts numbers says of prepared rows; arguments as of `predict_features`."""
        moved = input_spread
        parts = [
            self._numbers(x[some], asked, names, None if moved is None else moved[some])
            for some, asked, names in self._parts(x, answering, groups)
        ]
        return NumberPrediction.joined(parts)

    def _parts(
        self, x: np.ndarray, answering: np.ndarray | None, groups: list[str | None] | None
    ) -> Iterator[tuple[slice, Asked, list[str | None] | None]]:
        """Give some of the rows at a time, since many members and rows at once would not fit into memory."""
        for some in self.pieces(len(x)):
            asked = Asked(None if answering is None else answering[:, some])
            yield some, asked, None if groups is None else groups[some]

    def pieces(self, rows: int) -> Iterator[slice]:
        """Give the rows in pieces, few at a time where a network says much of each."""
        most = max((math.prod(member.network.output_shape) for member in self.members), default=1)
        once = max(1, min(ROWS_AT_ONCE, NUMBERS_AT_ONCE // most))
        yield from (slice(i, i + once) for i in range(0, max(rows, 1), once))

    def _classes(self, x: np.ndarray, asked: Asked, groups: list[str | None] | None) -> ClassPrediction:
        preparation, conformal = self.preparation, self.conformal
        with sharing_beginnings():
            each = [to_probabilities(self._output(member, x[asked.rows(i)])) for i, member in enumerate(self.members)]
        averaged = asked.average(each)
        probabilities, sets = self.calibration(averaged), None
        if conformal is not None:
            sets = prediction_sets(probabilities, conformal.quantiles(groups, probabilities.shape))
        return ClassPrediction(
            preparation.targets,
            labels_of(preparation.classes, preparation.label_type),
            probabilities,
            probability_std=asked.spread(each, averaged),
            averaged=averaged,
            disagreement=disagreement(averaged, asked.average([entropy(member) for member in each])),
            sets=sets,
        )

    def _numbers(
        self, x: np.ndarray, asked: Asked, groups: list[str | None] | None, input_spread: np.ndarray | None
    ) -> NumberPrediction:
        with sharing_beginnings():
            described = [self._described(member, x[asked.rows(i)]) for i, member in enumerate(self.members)]
        everyone = asked.answering is None
        averages = NumberAverages.of_all(described, self._folds) if everyone else NumberAverages.of(described, asked)
        averages = self.with_input_noise(averages, input_spread)
        mean, (below, above), std = averages.mean, self.sides(averages), self.std(averages)
        conformal = self.conformal
        half = self.quantile if conformal is None else conformal.quantiles(groups, mean.shape)
        low, high = mean - half * below, mean + half * above
        if everyone and conformal is not None and conformal.folds:
            known, ends = conformal.knows(groups, mean.shape), self._ends_by_fold(described, conformal, input_spread)
            low, high = np.where(known, low, ends[0]), np.where(known, high, ends[1])
        counted = input_spread if averages.input_spread is None else averages.input_spread
        prediction = NumberPrediction(
            self.preparation.targets,
            mean=mean,
            std=std,
            spread=averages.spread,
            low=np.maximum(low, 0.0) if self.head.counts else low,
            high=high,
            std_below=below,
            std_above=above,
            degrees=self.degrees,
            noise=None if averages.variance is None else np.sqrt(averages.variance),
            data_spread=self._data_spread(x),
            input_spread=None if input_spread is None else counted,
            quantiles=averages.quantiles,
            levels=self.head.levels if isinstance(self.head, QuantileHead) else (),
            covariance=None if averages.covariance is None else self._total_covariance(averages.covariance, std),
        )
        return prediction if self.measured is None else _with_total(prediction, self.measured, counted)

    def with_input_noise(self, averages: NumberAverages, input_spread: np.ndarray | None) -> NumberAverages:
        """Return averages with what the errors of the features count in each row, and what is left of the rest.

        Args:
            averages: of the members.
            input_spread: of each row; None: it counts as in the rows by which error bars were measured.
        """
        noise = self.input_noise
        if noise is None:
            return averages
        moved = np.broadcast_to(noise.typical, averages.mean.shape) if input_spread is None else input_spread
        variance = None if averages.variance is None else np.asarray(noise.learned_share) * averages.variance
        return replace(averages, variance=variance, input_spread=np.sqrt(noise.share) * moved)

    def _ends_by_fold(
        self, described: Sequence[Described], conformal: Conformal, input_spread: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return both ends of the interval by CV+, from what each member says."""
        parts = []
        for part in conformal.folds:
            of_part = [(member.fold, member.repeat) == (part.fold, part.repeat) for member in self.members]
            averages = NumberAverages.of(list(itertools.compress(described, of_part)))
            averages = self.with_input_noise(averages, input_spread)
            parts.append((averages.mean, *self.sides(averages)))
        means, below, above = (np.stack(each) for each in zip(*parts, strict=True))
        return conformal.cross(means, below, above)

    def std(self, averages: NumberAverages) -> np.ndarray:
        """Return the standard deviation of new values, `(..., targets)`: all that they scatter about the mean."""
        return self._together(averages, averages.variance)

    def sides(self, averages: NumberAverages) -> tuple[np.ndarray, np.ndarray]:
        """Return the standard deviation of values below and of those above the mean.

        They differ where the networks predict quantiles: each is then that of a normal distribution with the same
        outermost quantile.
        """
        if averages.quantiles is None or not isinstance(self.head, QuantileHead):
            std = self.std(averages)
            return std, std
        reach = normal_quantile(self.head.levels[-1] - self.head.levels[0])
        ends = averages.quantiles[..., 0], averages.quantiles[..., -1]
        share = np.asarray(1.0 if self.input_noise is None else self.input_noise.learned_share)
        below, above = (self._together(averages, share * ((end - averages.mean) / reach) ** 2) for end in ends)
        return below, above

    def _together(self, averages: NumberAverages, variance: np.ndarray | None) -> np.ndarray:
        """Return all errors of new values together; `variance` is what the networks themselves predict of the data."""
        scale = 1.0 if self.scale is None else self.scale
        square = averages.spread**2 + self.noise**2 + (0.0 if variance is None else variance)
        if averages.input_spread is not None:
            square = square + averages.input_spread**2
        return np.asarray(scale * np.sqrt(square))

    def _total_covariance(self, covariance: np.ndarray, std: np.ndarray) -> np.ndarray:
        """Return the covariance of the targets, `(rows, targets, targets)`, with the noise, as large as `std`."""
        noisy = covariance + np.diag(self.noise**2)
        size = std / np.sqrt(np.diagonal(noisy, axis1=-2, axis2=-1))
        return np.asarray(size[..., :, None] * size[..., None, :] * noisy)

    def _data_spread(self, x: np.ndarray) -> np.ndarray | None:
        """Return the spread over the replicas, or None without them."""
        if not self.replicas:
            return None
        return data_spread(self.replicas, lambda replica: self.member_output(replica, x), self.mean(x))

    @property
    def degrees(self) -> int:
        """The number of members, less one for each fold."""
        return len(self.members) - len(set(self._folds))

    @property
    def _folds(self) -> list[int | None]:
        return [member.fold for member in self.members]

    def moves(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the draws of the replicas, and how far the answer moved with each, `(draws, rows, targets)`."""
        draws, each = moves(self.replicas, lambda replica: self.member_output(replica, x))
        return draws, np.stack(each) - np.mean(each, axis=0)

    def member_outputs(self, x: np.ndarray) -> np.ndarray:
        """Return each member's probabilities or values, `(members, rows, [time,] classes or targets)` float64."""
        with sharing_beginnings():
            return np.stack([self.member_output(member, x) for member in self.members])

    def member_output(self, member: EnsembleMember, x: np.ndarray) -> np.ndarray:
        """Return the probabilities or values of one member or replica, `(rows, [time,] classes or targets)`."""
        if self.preparation.task is Task.CLASSIFICATION:
            return to_probabilities(self._output(member, x))
        return self._described(member, x).mean

    def described(self, x: np.ndarray) -> list[Described]:
        """Return what each member says of the targets of prepared rows."""
        return [self._described(member, x) for member in self.members]

    def _described(self, member: EnsembleMember, x: np.ndarray) -> Described:
        """Return what one member says of the targets of rows, or of the inputs that it reconstructs."""
        output = self._output(member, x)
        if self.preparation.task is Task.RECONSTRUCTION:
            return Described(output)
        return self.head.describe(output, self.preparation.target_mean, self.preparation.target_scale)

    def _output(self, member: EnsembleMember, x: np.ndarray) -> np.ndarray:
        bound = self._bound.get(id(member))  # replicas are too many
        output = predict(member.network, member.parameters, x) if bound is None else bound(x)
        return output.astype(np.float64)

    @cached_property
    def _bound(self) -> dict[int, BoundNetwork]:
        """The members ready to answer, by where they are in memory."""
        return {id(member): BoundNetwork(member.network, member.parameters) for member in self.members}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_bound"}

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the predictor as plain data and named arrays."""
        arrays = {"noise": self.noise, "quantile": self.quantile}
        if self.scale is not None:
            arrays["scale"] = self.scale
        document: dict[str, Any] = {"preparation": self.preparation.to_dict()}
        document["members"] = members_to_parts("members", self.members, arrays)
        if self.replicas:
            document["replicas"] = replicas_to_parts(self.replicas, arrays)
        if self.input_errors:
            document["input_errors"] = dict(self.input_errors)
        if self.input_noise is not None:
            document["input_noise"] = self.input_noise.to_dict()
        if self.measured is not None:
            document["measured"] = self.measured.to_dict()
        if self.head != VALUE:
            document["head"] = self.head.to_dict()
        if self.alarm is not None:
            document["alarm"] = asdict(self.alarm)
        for name in ("calibration", "conformal", "region"):
            part = getattr(self, name)
            if part is not None:
                document[name], of_part = part.to_parts()
                arrays.update({f"{name}/{key}": array for key, array in of_part.items()})
        return document, arrays

    @classmethod
    def from_parts(cls, document: dict[str, Any], arrays: dict[str, np.ndarray]) -> Predictor:
        """Return the predictor that `to_parts` described; what an earlier format lacks changes no prediction."""

        def part(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
            head = f"{name}/"
            return document[name], {k.removeprefix(head): array for k, array in arrays.items() if k.startswith(head)}

        members, replicas = members_from_parts("members", document, arrays), replicas_from_parts(document, arrays)
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
            InputNoise.from_dict(document["input_noise"]) if "input_noise" in document else None,
        )


def _with_total(
    prediction: NumberPrediction, measured: MeasuredErrors, input_spread: np.ndarray | None
) -> NumberPrediction:
    """Return the prediction with the scatter that the networks predict or that was measured, and the total."""
    scatter = np.broadcast_to(measured.values, prediction.mean.shape) if prediction.noise is None else prediction.noise
    total = total_error(scatter, error_of_fit(prediction), input_spread)
    return replace(prediction, scatter=scatter, noise=None, total=total)


def to_probabilities(output: np.ndarray) -> np.ndarray:
    """Return `(..., classes)` probabilities that sum to one, from one sigmoid or one output per class."""
    if output.shape[-1] == 1:
        return np.concatenate([1.0 - output, output], axis=-1)
    positive = np.clip(output, 1e-12, None)
    return np.asarray(positive / positive.sum(axis=-1, keepdims=True))
