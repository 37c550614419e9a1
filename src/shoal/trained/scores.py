"""The metrics of a network that is trained on arrays: by name, or functions of the user's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.errors import SettingError, spelled
from shoal.networks import Network, numpy_namespace
from shoal.results import Task
from shoal.statistics.metric_choice import metric
from shoal.statistics.metrics import METRICS, Metric
from shoal.trained.rows import Rows
from shoal.training.heads import VALUE
from shoal.training.losses import ALIASES as LOSS_ALIASES
from shoal.training.losses import LOSSES, Loss, get_loss
from shoal.user_function import called, name_of, takes_namespace


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
    scores = [_score(choice, network, loss) for choice in wanted]
    names = [score.name for score in scores]
    for name in names:
        if names.count(name) > 1 or name == "loss":
            raise SettingError(f"metrics: {name!r} stands twice in the history; give each metric a name of its own")
    return scores


def loss_value(loss: Loss, rows: Rows, output: np.ndarray, numbers: dict[str, Any] | None = None) -> float:
    """Return the loss of outputs: the mean over rows of weight times value, as in Keras."""
    values = loss.values(numpy_namespace, rows.targets, output, numbers or {})
    return float(loss.finish(numpy_namespace, np.mean(rows.weights * np.asarray(values))))


def _score(choice: Any, network: Network, loss: Loss) -> Score:
    if callable(choice):
        return Score(name_of(choice), _by_function(choice))
    if not isinstance(choice, str):
        raise SettingError(f"metrics: expected names or functions (y_true, y_pred), got {choice!r}")
    if _is_loss(choice):
        return Score(choice, _by_loss(get_loss(choice), loss))
    known = metric(choice)
    _check_suits(known, choice, network)
    return Score(choice, lambda rows, output: _measured(known, rows, loss.head.point(numpy_namespace, output)))


def _is_loss(name: str) -> bool:
    """Return whether a name is that of a loss, and of no metric that every run has."""
    losses = [*LOSSES, *LOSS_ALIASES]
    return spelled(name, [*METRICS, *losses]) in {*losses} - {*METRICS}


def _check_suits(known: Metric, name: str, network: Network) -> None:
    """Refuse metrics of classes where there are no probabilities, and those of two classes where there are more."""
    if known.task is Task.RECONSTRUCTION:
        raise SettingError(f"metrics: {name!r} is for autoencoders that `shoal.fit` trains; use mse or rmse")
    if known.task is not Task.CLASSIFICATION:
        return
    if network.output_activation not in ("softmax", "sigmoid"):
        raise SettingError(
            f"metrics: {name!r} needs probabilities of classes, but the last layer has no softmax or sigmoid; "
            "use rmse, mae or r2 for numbers"
        )
    if known.two_classes and network.output_activation == "softmax" and network.output_shape[-1] > 2:
        others = f"{known.name}_macro, {known.name}_weighted or {known.name}_micro"
        classes = network.output_shape[-1]
        raise SettingError(f"metrics: {name!r} judges one of two classes, here are {classes}; take {others}")


def _measured(known: Metric, rows: Rows, output: np.ndarray) -> float:
    """Return a metric of outputs; steps, and the labels of several sigmoids, count like rows."""
    targets = rows.targets
    if known.task is not Task.CLASSIFICATION:
        return float(known(targets.reshape(-1, targets.shape[-1]), output.reshape(-1, output.shape[-1])))
    one_of_many = targets.shape[-1] > 1 and np.allclose(targets.sum(axis=-1), 1.0, atol=1e-3)
    if one_of_many:
        truth, shares = targets.argmax(axis=-1).ravel(), output.reshape(-1, output.shape[-1])
    else:
        truth, shares = (targets.ravel() > 0.5).astype(np.int64), np.stack([1 - output.ravel(), output.ravel()], axis=1)
    return float(known(truth, shares))


def _by_loss(judge: Loss, loss: Loss) -> Callable[[Rows, np.ndarray], float]:
    def measured(rows: Rows, output: np.ndarray) -> float:
        judged = loss.head.point(numpy_namespace, output) if judge.head == VALUE else output
        return loss_value(judge, replace(rows, weights=np.ones_like(rows.weights)), judged)

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
