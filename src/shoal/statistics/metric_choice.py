"""The registry of metrics: by scikit-learn's names, by Keras', or functions of the user.

A metric of shoal's is one entry in `CLASS_METRICS` or `NUMBER_METRICS`; all of `REGISTRY` can be chosen by name. Means
over rows and sums over classes are products with the weights, so that an interval costs one product, not 2,000 calls
of scikit-learn; the tests hold each equal to it.
"""

from __future__ import annotations

import inspect
import linecache
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Real
from typing import Any

import numpy as np

from shoal.errors import SettingError, listing, spelled, suggest
from shoal.results import Task
from shoal.statistics.class_metrics import CLASS_METRICS
from shoal.statistics.metrics import METRICS, Metric
from shoal.statistics.number_metrics import NUMBER_METRICS

REGISTRY: tuple[Metric, ...] = (*METRICS.values(), *CLASS_METRICS, *NUMBER_METRICS)
"""All metrics that have a name; one name may stand for the metrics of two tasks."""
ALIASES = {
    # scikit-learn's functions and scorers
    "f1_score": "f1",
    "precision_score": "precision",
    "recall_score": "recall",
    "jaccard_score": "jaccard",
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "roc_auc_score": "roc_auc",
    "roc_auc_ovr": "roc_auc",
    "average_precision_score": "average_precision",
    "brier_score_loss": "brier_score",
    "cohen_kappa_score": "cohen_kappa",
    "top_k_accuracy_score": "top_k_accuracy",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
    "pinball": "mean_pinball_loss",
    "poisson_deviance": "mean_poisson_deviance",
    "gamma_deviance": "mean_gamma_deviance",
    "r2_score": "r2",
    "explained_variance_score": "explained_variance",
    # Keras
    "acc": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "top_k_categorical_accuracy": "top_5_accuracy",
    "sparse_top_k_categorical_accuracy": "top_5_accuracy",
    "auc": "roc_auc",
    "crossentropy": "log_loss",
    "binary_crossentropy": "log_loss",
    "categorical_crossentropy": "log_loss",
    "sparse_categorical_crossentropy": "log_loss",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_log_error",
    "kappa": "cohen_kappa",
    "mcc": "matthews_corrcoef",
}
IN_PYTHON = "python:"
"""Before the name of a function in a file, which cannot hold the function."""
DIRECTIONS = {"_score": True, "_error": False, "_loss": False, "_deviance": False}
"""How names end of functions whose values are to be large or small, as in scikit-learn."""
TASK_NAMES = {Task.CLASSIFICATION: "classes", Task.REGRESSION: "numbers", Task.RECONSTRUCTION: "reconstructions"}


def named_metric(name: str) -> Metric | None:
    """Return a metric of this exact name, of whichever task, or None."""
    return next((metric for metric in REGISTRY if metric.name == name), None)


def metric(choice: str | Metric | Callable[..., Any], task: Task | None = None) -> Metric:
    """Return the metric that is meant.

    Args:
        choice: scikit-learn's name of a function or a scorer (`"f1_macro"`, `"neg_log_loss"`, which is the log-loss
            itself, not its negative), Keras' name (`"mae"`, `"acc"`), a metric, or a function of the user,
            `(y_true, y_pred) -> number` or `(y_true, y_pred, sample_weight) -> number`, see `FunctionMetric`.
        task: for which it has to be; None: any.

    Raises:
        SettingError: there is no such metric, it is for another task, or the function cannot be called so.

    Example:
        >>> metric("mean_squared_error").name, metric("neg_log_loss").name, metric("acc").greater_is_better
        ('mse', 'log_loss', True)
        >>> metric("F1")([0, 1, 1, 1], [0.2, 0.8, 0.4, 0.9])
        0.8
    """
    if isinstance(choice, Metric):
        return choice if task is None or suits(choice, task) else metric(choice.name, task)
    if callable(choice):
        library = inspect.isfunction(choice) and choice.__module__.startswith("sklearn.metrics")
        return metric(choice.__name__, task) if library else FunctionMetric.of(choice)
    if not isinstance(choice, str):
        raise SettingError(f"metrics: expected a name or a function, got {choice!r}")
    known = {each.name: each.name for each in REGISTRY} | ALIASES
    if choice.startswith(IN_PYTHON):
        raise SettingError(f"metrics: {choice.removeprefix(IN_PYTHON)} was a function of Python; give it there again")
    word = choice.strip()
    name = known.get(spelled(word.removeprefix("neg_"), known), word)
    candidates = [each for each in REGISTRY if each.name == name]
    if not candidates:
        names = [each.name for each in REGISTRY if task is None or suits(each, task)]
        raise SettingError(
            f"metrics: expected one of {listing(dict.fromkeys(names), most=len(names))}, got {choice!r}."
            f"{suggest(word.lower(), known)}"
        )
    if task is None:
        return candidates[0]
    if not any(suits(each, task) for each in candidates):
        names = [each.name for each in REGISTRY if suits(each, task)]
        raise SettingError(
            f"metrics: {choice!r} is for {_of_what(candidates[0])}, but this fit predicts {TASK_NAMES[task]}; "
            f"for these there are {listing(names, most=len(names))}"
        )
    return next(each for each in candidates if suits(each, task))


def goal(text: str) -> tuple[str, float]:
    """Return the metric and the value of a goal such as `accuracy=0.97`.

    Raises:
        SettingError: it is not METRIC=VALUE, there is no such metric, or it does not say which way is better.

    Example:
        >>> goal("acc = 0.97")
        ('accuracy', 0.97)
    """
    name, _, number = text.partition("=")
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise SettingError(f"until: expected METRIC=VALUE, e.g. accuracy=0.97 or rmse=0.2, got {text!r}")
    wanted = metric(name)
    if wanted.greater_is_better is None:
        raise SettingError(f"until: {wanted.name} does not say whether large or small values are good; name another")
    return wanted.name, value


def chosen_metrics(
    choices: Sequence[str | Callable[..., Any]] | None, task: Task, classes: Sequence[str] = (), positive: int = 1
) -> tuple[Metric, ...]:
    """Return the metrics that are wanted for a fit.

    Args:
        choices: as `metric` takes them; None: none.
        task: what is learned.
        classes: their names.
        positive: of two classes the one that F1, precision, recall and their like judge.

    Raises:
        SettingError: a metric is not for this task or so many classes, or its name is there twice.
    """
    chosen = [metric(choice, task) for choice in choices or ()]
    for place, each in enumerate(chosen):
        if each.two_classes and len(classes) != 2:
            others = f"{each.name}_macro, {each.name}_weighted or {each.name}_micro"
            raise SettingError(
                f"metrics: {each.name!r} judges one of two classes, here are {len(classes)}; take {others}"
            )
        reserved = isinstance(each, FunctionMetric) and named_metric(each.name) is not None
        if reserved or each.name in [other.name for other in chosen[:place]]:
            text = "is shoal's own; give the function another name" if reserved else "is there twice; leave one out"
            raise SettingError(f"metrics: {each.name!r} {text}")
    return tuple(_of_first(each) if positive == 0 and judges_one_class(each, classes) else each for each in chosen)


def judges_one_class(each: Metric, classes: Sequence[str]) -> bool:
    """Return whether a metric would be another number if the two classes changed places."""
    return len(classes) == 2 and (each.two_classes or each.name == "average_precision")


def _of_first(each: Metric) -> Metric:
    """Return the metric that judges the first of two classes."""

    def turned(judge: Callable[..., Any]) -> Callable[..., Any]:
        return lambda truth, probabilities, *weights: judge(1 - truth, probabilities[:, ::-1], *weights)

    each = replace(each, function=turned(each.function))
    return each if each.prepared is None else replace(each, prepared=turned(each.prepared))


def name_in_file(choice: str | Callable[..., Any]) -> str:
    """Return the name by which a file knows a metric.

    Example:
        >>> name_in_file("acc"), name_in_file(np.ptp)
        ('accuracy', 'python:ptp')
    """
    meant = metric(choice)
    return f"{IN_PYTHON}{meant.name}" if isinstance(meant, FunctionMetric) else meant.name


def greater_is_better(name: str) -> bool | None:
    """Return whether larger values of a metric are better, of a user's function by the end of its name, or None.

    Example:
        >>> greater_is_better("accuracy"), greater_is_better("my_error"), greater_is_better("purity")
        (True, False, None)
    """
    known = named_metric(name)
    if known is not None:
        return known.greater_is_better
    return next((greater for end, greater in DIRECTIONS.items() if name.endswith(end)), None)


def suits(each: Metric, task: Task) -> bool:
    """Whether a metric can judge the predictions of a task; of a reconstruction each number is a target."""
    return each.task in (None, task) or (task is Task.RECONSTRUCTION and each.task is Task.REGRESSION)


def _of_what(each: Metric) -> str:
    return "any" if each.task is None else TASK_NAMES[each.task]


@dataclass(frozen=True)
class FunctionMetric(Metric):
    """A metric that a user's function computes: `(y_true, y_pred) -> number`, or with `sample_weight` behind.

    It gets class numbers `(rows,)` and probabilities `(rows, classes)`, or true and predicted numbers, `(rows,)`, of
    several targets `(rows, targets)`. Whether larger is better says the end of its name as in scikit-learn: `_score` is
    to be large, `_error`, `_loss` and `_deviance` small; otherwise that is not known. Without `sample_weight` it does
    not count the weights of rows.

    Example:
        >>> def worst_error(y_true, y_pred):
        ...     return np.abs(y_true - y_pred).max()
        >>> metric(worst_error)([1.0, 2.0], [1.5, 2.0]), metric(worst_error).greater_is_better
        (0.5, False)
    """

    @classmethod
    def of(cls, function: Callable[..., Any]) -> FunctionMetric:
        """Return the metric of a function.

        Raises:
            SettingError: it cannot be called with truth and prediction.
        """
        name = str(getattr(function, "__name__", type(function).__name__)).strip("<>")
        greater, weighted = greater_is_better(name), _takes_weights(name, function)
        return cls(name, name.replace("_", " "), None, greater, float("nan"), function, weighted=weighted)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the function's value, or NaN of resamples for which it fails.

        Raises:
            SettingError: it fails, or returns no number.
        """
        truth, predicted = (_without_last(np.asarray(values)) for values in (y_true, y_pred))
        weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        if weights is None or weights.ndim == 1:
            return self._number(truth, predicted, weights)
        values = np.full(len(weights), np.nan)
        for i, vector in enumerate(weights):
            rows = np.flatnonzero(vector) if self.weighted else np.repeat(np.arange(len(truth)), vector.astype(int))
            try:
                values[i] = self._number(truth[rows], predicted[rows], vector[rows])
            except SettingError:  # such as a class that this resample lacks
                continue
        return values

    def of_weights(self, y_true: Any, y_pred: Any) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function's values as a function of weights `(resamples, rows)`."""
        return partial(self, y_true, y_pred)

    def _number(self, truth: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None) -> float:
        weighing = {"sample_weight": np.ones(len(truth)) if weights is None else weights} if self.weighted else {}
        function: Callable[..., Any] = self.function
        try:
            value = function(truth, predicted, **weighing)
        except Exception as error:
            raise SettingError(f"metrics: {self.name} failed{_place(error, function)}: {_words(error)}") from None
        value = value.item() if isinstance(value, (np.ndarray, np.generic)) and value.size == 1 else value
        if not isinstance(value, Real):
            got = f"shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)
            raise SettingError(f"metrics: {self.name} must return one number, got {got[:80]}")
        return float(value)


def _without_last(values: np.ndarray) -> np.ndarray:
    """Return the values of one target as `(rows,)`."""
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _takes_weights(name: str, function: Callable[..., Any]) -> bool:
    """Return whether a function takes `sample_weight` behind truth and prediction.

    Raises:
        SettingError: it cannot be called with truth and prediction.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # built in, which does not tell
        return False
    weighted = "sample_weight" in signature.parameters
    try:
        signature.bind(None, None, **({"sample_weight": None} if weighted else {}))
    except TypeError:
        raise SettingError(
            f"metrics: {name}{signature} must take (y_true, y_pred) or (y_true, y_pred, sample_weight)"
        ) from None
    return weighted


def _place(error: Exception, function: Callable[..., Any]) -> str:
    """Return the line of the user's function in which it failed, in brackets."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    if not frames:
        return ""
    last = frames[-1]
    line = (last.line or linecache.getline(last.filename, last.lineno or 0)).strip()
    return f" in line {last.lineno} of {last.filename}{f', `{line}`' if line else ''}"


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
