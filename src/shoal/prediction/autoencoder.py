"""What an ensemble of autoencoders says of rows: their reconstruction, their code, and how strange they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.data import Preparation
from shoal.errors import SettingError
from shoal.networks.bottleneck import encode
from shoal.prediction.conformal import conformal_quantile
from shoal.prediction.predictor import Alarm, Predictor
from shoal.short_repr import ShortRepr
from shoal.training.forward import predict


@dataclass(frozen=True, repr=False)
class AnomalyScores(ShortRepr):
    """How strange rows are.

    Attributes:
        score: `(rows,)`, the mean squared error of a row's reconstruction in units of the inputs' scatter, the mean
            over the networks.
        threshold: the score above which a row counts as an anomaly.
        false_alarm_rate: the share of usual rows that is expected above it, at most.
    """

    score: np.ndarray
    threshold: float
    false_alarm_rate: float

    @property
    def is_anomaly(self) -> np.ndarray:
        """Whether each row lies above the threshold, `(rows,)` bool."""
        return self.score > self.threshold

    def __len__(self) -> int:
        return len(self.score)


def scaled_inputs(preparation: Preparation, x: Any) -> np.ndarray:
    """Return what autoencoders reconstruct of prepared rows: `(rows, numbers)`, scaled."""
    return x if preparation.signals is None else preparation.signals.scaled(x)


def reconstruct(predictor: Predictor, x: np.ndarray) -> np.ndarray:
    """Return what the best network makes of prepared rows, `(rows, numbers)` float64, scaled.

    A mean over several networks would be nearer to the rows, but it would need the codes of all of them: as many
    numbers as networks times the bottleneck.
    """
    return best_alone(predictor).predict_numbers(x).mean


def best_alone(predictor: Predictor) -> Predictor:
    """Return the predictor with its best network only."""
    return replace(predictor, members=predictor.members[:1])


def anomaly_scores(predictor: Predictor, x: np.ndarray) -> np.ndarray:
    """Return `mean over networks and numbers of (reconstruction - input)²` of prepared rows, `(rows,)`.

    The mean over the networks is taken of the errors, not of the reconstructions: where networks disagree, they do
    not know the row.
    """
    total = np.zeros(len(x))
    for some in predictor.pieces(len(x)):
        truth = scaled_inputs(predictor.preparation, x[some])
        for member in predictor.members:
            output = predict(member.network, member.parameters, x[some])
            total[some] += np.mean((output.astype(np.float64) - truth) ** 2, axis=1)
    return total / len(predictor.members)


def codes(predictor: Predictor, x: np.ndarray) -> np.ndarray:
    """Return the codes of prepared rows in the best network, `(rows, bottleneck)` float32."""
    best = predictor.members[0]
    parts = [encode(best.network, best.parameters, x[some], predict) for some in predictor.pieces(len(x))]
    joined = np.concatenate(parts)
    return joined.reshape(len(x), math.prod(joined.shape[1:]))


def judge(predictor: Predictor, x: np.ndarray) -> AnomalyScores:
    """Return how strange prepared rows are, with the threshold.

    Raises:
        SettingError: the run was not fitted with reconstruct.
    """
    alarm = check_reconstructs(predictor)
    return AnomalyScores(anomaly_scores(predictor, x), alarm.threshold, alarm.false_alarm_rate)


def check_reconstructs(predictor: Predictor) -> Alarm:
    """Return when an ensemble of autoencoders counts a row as an anomaly; refuse one that predicts.

    Raises:
        SettingError: it was not fitted with reconstruct.
    """
    if predictor.alarm is None:
        raise SettingError("this run predicts and has no codes and anomalies; fit one with reconstruct for them")
    return predictor.alarm


def with_alarm(predictor: Predictor, x: np.ndarray, false_alarm_rate: float) -> Predictor:
    """Return the ensemble with its threshold, measured on rows that trained no weight.

    The threshold is the conformal quantile of their scores, the `ceil((n + 1)(1 - rate))`-th smallest of n: of new
    rows of the same kind at most a share `rate` lies above it (Laxhammar and Falkman 2010; Bates et al., Ann. Statist.
    51, 149, 2023). With fewer than `1 / rate - 1` rows it is the largest score, times 1.5.

    Args:
        predictor: an ensemble of autoencoders.
        x: prepared validation rows.
        false_alarm_rate: between 0 and 1.
    """
    scores = anomaly_scores(predictor, x)
    threshold = float(conformal_quantile(scores[:, None], 1.0 - false_alarm_rate)[0])
    residuals = reconstruct(predictor, x) - scaled_inputs(predictor.preparation, x)
    noise = np.sqrt(np.mean(residuals**2, axis=0))
    alarm = Alarm(threshold, false_alarm_rate)
    return replace(predictor, noise=noise, quantile=np.full(noise.shape, 1.96), alarm=alarm)
