"""The metrics of a network that is trained on arrays: by name, or functions of the user's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.errors import SettingError, spelled, suggest
from shoal.networks import Network, numpy_namespace
from shoal.results import Task
from shoal.statistics.metrics import METRICS, Metric
from shoal.trained.rows import Rows
from shoal.training.heads import VALUE
from shoal.training.losses import ALIASES as LOSS_ALIASES
from shoal.training.losses import LOSSES, Loss, get_loss
from shoal.user_function import called, name_of, takes_namespace

ALIASES = {
    "acc": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "auc": "roc_auc",
    "r2_score": "r2",
}


@dataclass(frozen=True)
class Score:
    """A metric under the name that the history gives it: a number from rows and the outputs for them."""

    name: str
    of: Callable[[Rows, np.ndarray], float]


def scores_of(metrics: Any, network: Network, loss: Loss) -> list[Score]:
    """Return what is measured, from one metric or several; named ones judge the best guess that the loss makes outputs.

    Raises:
        SettingError: there is no such metric, it does not suit the network, or two have one name.
    """
    wanted = [metrics] if isinstance(metrics, str) or callable(metrics) else list(metrics or ())
    scores = [_score(metric, network, loss) for metric in wanted]
    names = [score.name for score in scores]
    for name in names:
        if names.count(name) > 1 or name == "loss":
            raise SettingError(f"metrics: {name!r} stands twice in the history; give each metric a name of its own")
    return scores


def loss_value(loss: Loss, rows: Rows, output: np.ndarray, numbers: dict[str, Any] | None = None) -> float:
    """Return the loss of outputs: the mean over rows of weight times value, as in Keras."""
    values = loss.values(numpy_namespace, rows.targets, output, numbers or {})
    return float(loss.finish(numpy_namespace, np.mean(rows.weights * np.asarray(values))))


def _score(metric: Any, network: Network, loss: Loss) -> Score:
    if callable(metric):
        return Score(name_of(metric), _by_function(metric))
    if not isinstance(metric, str):
        raise SettingError(f"metrics: expected names or functions (y_true, y_pred), got {metric!r}")
    known = metric_named(metric)
    if known is None:
        return Score(metric, _by_loss(get_loss(metric), loss))
    if known.task is Task.CLASSIFICATION and network.output_activation not in ("softmax", "sigmoid"):
        raise SettingError(
            f"metrics: {metric!r} needs probabilities of classes, but the last layer has no softmax or sigmoid; "
            "use rmse, mae or r2 for numbers"
        )
    return Score(metric, lambda rows, output: _measured(known, rows, loss.head.point(numpy_namespace, output)))


def metric_named(name: str) -> Metric | None:
    """Return the metric of a name, or None where it is the name of a loss.

    Raises:
        SettingError: it is neither.
    """
    usable = {key: metric for key, metric in METRICS.items() if metric.task is not Task.RECONSTRUCTION}
    names = [*usable, *ALIASES, *LOSSES, *LOSS_ALIASES]
    word = spelled(name, names)
    if word not in names:
        raise SettingError(
            f"metrics: no metric is called {name!r}.{suggest(name, names)} There are {', '.join(usable)}"
        )
    return usable.get(ALIASES.get(word, word))


def _measured(metric: Metric, rows: Rows, output: np.ndarray) -> float:
    """Return a metric of outputs; steps, and the labels of several sigmoids, count like rows."""
    targets = rows.targets
    if metric.task is Task.REGRESSION:
        return float(metric(targets.reshape(-1, targets.shape[-1]), output.reshape(-1, output.shape[-1])))
    one_of_many = targets.shape[-1] > 1 and np.allclose(targets.sum(axis=-1), 1.0, atol=1e-3)
    if one_of_many:
        truth, shares = targets.argmax(axis=-1).ravel(), output.reshape(-1, output.shape[-1])
    else:
        truth, shares = (targets.ravel() > 0.5).astype(np.int64), np.stack([1 - output.ravel(), output.ravel()], axis=1)
    return float(metric(truth, shares))


def _by_loss(metric: Loss, loss: Loss) -> Callable[[Rows, np.ndarray], float]:
    def measured(rows: Rows, output: np.ndarray) -> float:
        judged = loss.head.point(numpy_namespace, output) if metric.head == VALUE else output
        return loss_value(metric, replace(rows, weights=np.ones_like(rows.weights)), judged)

    return measured


def _by_function(function: Callable[..., Any]) -> Callable[[Rows, np.ndarray], float]:
    """Return a user's function of truth and outputs as a metric, which must be one number."""
    if takes_namespace(function, "metric", ("y_true", "y_pred")):
        raise SettingError(
            f"the metric {name_of(function)!r} must take (y_true, y_pred), but it needs one argument more"
        )

    def measured(rows: Rows, output: np.ndarray) -> float:
        value = called(function, "metric", rows.y.copy(), output.copy())
        if np.size(value) != 1 or np.asarray(value).dtype.kind not in "biuf":
            shape = getattr(value, "shape", None)
            got = f"an array of shape {shape}" if shape is not None else f"{type(value).__name__} {value!r:.40}"
            raise SettingError(f"the metric {name_of(function)!r} must return one number, got {got}")
        return float(np.asarray(value).reshape(()))

    return measured
