"""The parameters of the estimators: the settings of `fit` that make sense for arrays, by scikit-learn's names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from textwrap import fill
from typing import Any

import numpy as np

from shoal.errors import SettingError
from shoal.results import Task
from shoal.setting_names import suggest_setting
from shoal.settings import FitSettings, check_settings, default_in_words
from shoal.training.hyperparameters import Hyperparameters

SKLEARN_NAMES = {"seed": "random_state", "cv": "folds"}
"""Settings that have another name here: scikit-learn has its own for the one, and `cv` may be any splitter there."""
ELSEWHERE = {
    "X, y and further arguments of fit say it": (
        *("target", "features", "y_err", "y_cov", "x_err", "weight", "group", "time", "id", "ignore", "roles", "task"),
        "reconstruct",
    ),
    "no file is read": (
        *("delimiter", "decimal_comma", "header", "encoding", "sheet", "query", "list_values", "file_column"),
        *("day_first", "missing"),
        "convert_units",
    ),
    "rows are those of tables, not images or steps": (
        *("kind", "image_size", "window", "horizon", "series", "season", "per_step"),
        *("layers", "shift", "flip", "rotation", "zoom"),
    ),
    "scikit-learn keeps the test and scores on it": (
        *("test", "test_size", "seal_test", "metrics", "base"),
        *("signal_yield", "background_yield", "background_uncertainty", "process", "signal"),
    ),
    "nothing is written": ("out", "force", "page", "checkpoint_every", "track"),
}
"""Settings that are no parameters, by the reason."""
OF_TASK = {
    Task.CLASSIFICATION: ("class_weight", "label_smoothing"),
    Task.REGRESSION: ("scatter", "replicas"),
    Task.RECONSTRUCTION: ("bottleneck", "false_alarm_rate", "noise"),
}
"""Settings that only one task has."""
NOT_RECONSTRUCTED = ("cv", "smallest", "coverage", "network")
EXTRA = {"n_jobs": None}
N_JOBS = (
    "threads of training; by default all cores, but one in a thread beside the main one, as joblib's threading starts "
    "them; negative as in joblib, -1 means all"
)


def names_of(task: Task) -> tuple[str, ...]:
    """Return the settings that are parameters of the estimator for a task, in the order of their declaration."""
    left_out = {name for names in ELSEWHERE.values() for name in names}
    left_out |= {name for other, names in OF_TASK.items() if other is not task for name in names}
    if task is Task.RECONSTRUCTION:
        left_out |= set(NOT_RECONSTRUCTED)
    return tuple(name for name in FitSettings.model_fields if name not in left_out)


def defaults_of(task: Task) -> dict[str, Any]:
    """Return the parameters of the estimator for a task, by scikit-learn's names, with their defaults.

    Example:
        >>> defaults_of(Task.CLASSIFICATION)["random_state"], "seed" in defaults_of(Task.CLASSIFICATION)
        (0, False)
    """
    fields = FitSettings.model_fields
    return {SKLEARN_NAMES.get(name, name): fields[name].default for name in names_of(task)} | EXTRA


def initializer(task: Task) -> Callable[..., None]:
    """Return an `__init__` with the parameters of a task as keywords, which keeps them as they are."""
    defaults = defaults_of(task)

    def __init__(self: Any, **parameters: Any) -> None:
        for name in parameters:
            if name not in defaults:
                hint = suggest_setting(name, defaults)
                raise TypeError(f"{type(self).__name__} has no parameter {name!r}.{hint}")
        for name, default in defaults.items():
            setattr(self, name, parameters.get(name, default))

    named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value) for name, value in defaults.items()]
    myself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    __init__.__signature__ = inspect.Signature([myself, *named])  # type: ignore[attr-defined]
    return __init__


def documented(docstring: str | None, task: Task) -> str:
    """Return a docstring with a line for each parameter of a task."""
    lines = []
    for name in names_of(task):
        field = FitSettings.model_fields[name]
        described = field.description or Hyperparameters.model_fields[name].description or ""
        default = default_in_words(name).replace("--networks 1", "networks=1")
        lines.append(_line(SKLEARN_NAMES.get(name, name), f"{described}{f' ({default})' if default else ''}"))
    listed = "\n".join([*lines, _line("n_jobs", N_JOBS)])
    return (docstring or "").replace("        parameters: of `shoal.fit`.", listed)


def _line(name: str, text: str) -> str:
    return fill(f"{name}: {text}", 116, initial_indent=" " * 8, subsequent_indent=" " * 12, break_on_hyphens=False)


def settings_of(task: Task, parameters: dict[str, Any]) -> FitSettings:
    """Return the settings of the main job that parameters of an estimator mean.

    Args:
        task: of the estimator.
        parameters: by their names here; `random_state` may be a `RandomState` or None, which draw a seed.

    Raises:
        SettingError: a parameter makes no sense; the message names it.
    """
    from sklearn.utils import check_random_state

    given = {}
    for name, default in defaults_of(task).items():
        if name not in EXTRA and parameters[name] is not default:
            given[name] = _plain(parameters[name])
    if task is Task.RECONSTRUCTION:
        given["reconstruct"] = True
    state = given.get("random_state", 0)
    if state is None or isinstance(state, np.random.RandomState):
        given["random_state"] = int(check_random_state(state).randint(np.iinfo(np.int32).max))
    declared = {new: name for name, new in SKLEARN_NAMES.items()}
    try:
        return check_settings({declared.get(name, name): value for name, value in given.items()})
    except SettingError as error:
        text = str(error)
        for name, new in SKLEARN_NAMES.items():
            text = text.replace(f"{name}=", f"{new}=")
            text = new + text.removeprefix(name) if text.startswith(f"{name}:") else text
        raise SettingError(text) from None


def _plain(value: Any) -> Any:
    """Return NumPy's numbers and arrays, which searches draw, as Python's."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value
