"""The panels in which settings stand, on the command line and in the browser, and what is typed for each."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from shoal.data.readers.options import READING
from shoal.search.space import Categorical, Limits
from shoal.settings import FLAG_NAMES, FitSettings, default_in_words
from shoal.training.hyperparameters import Hyperparameters

DATA, SPLIT, SELECTION, NETWORKS, RUN = "Data", "Split", "Selection", "Networks", "Run"
HYPERPARAMETERS = "Hyperparameters"

CUTTING = ("window", "horizon", "series", "season", "per_step")
EXPRESSIONS = ("derive", "where")
"""Settings in which commas mean something else."""
RECONSTRUCTING = ("reconstruct", "false_alarm_rate")
ROLES = ("target", "features", "y_err", "weight", "group", "time", "id", "ignore", "roles", "task")
# Functions cannot be typed on a command line.
PYTHON_ONLY = frozenset({"penalties"})
WITH_FLAGS = tuple(name for name in FitSettings.model_fields if name not in PYTHON_ONLY)
_PANELS = {
    **dict.fromkeys((*ROLES, "scatter", "x_err", "y_cov", *READING, *CUTTING, *RECONSTRUCTING, *EXPRESSIONS), DATA),
    **dict.fromkeys(("test", "validation_size", "test_size", "seal_test", "normalization", "coverage"), SPLIT),
    **dict.fromkeys(("signal_yield", "background_yield", "background_uncertainty", "process", "signal"), SELECTION),
    **dict.fromkeys(("metrics", "class_weight"), HYPERPARAMETERS),
    **dict.fromkeys(
        (
            *(
                "networks",
                "search",
                "base",
                "from_run",
                "cv",
                "repeats",
                "network",
                "passes",
                "minutes",
                "until",
                "keep",
                "smallest",
                "replicas",
            ),
            "bottleneck",
        ),
        NETWORKS,
    ),
}
PANELS = (DATA, SPLIT, SELECTION, NETWORKS, HYPERPARAMETERS, RUN)


def flag(name: str) -> str:
    """Return the flag of a setting.

    >>> flag("learning_rate"), flag("from_run")
    ('--learning-rate', '--from')
    """
    return "--" + FLAG_NAMES.get(name, name).replace("_", "-")


def panel(name: str) -> str:
    """Return the panel of the help in which a setting stands."""
    return _PANELS.get(name, HYPERPARAMETERS if name in Hyperparameters.model_fields else RUN)


def described(name: str) -> str:
    """Return what a setting is, and what holds where it is not given.

    >>> described("keep")
    'how many candidates make the ensemble; at most 8 by default'
    >>> described("seed")
    'names the random numbers: same seed and cores, same result (default: 0)'
    """
    text = FitSettings.model_fields[name].description or Hyperparameters.model_fields[name].description or ""
    choices = kind_of(FitSettings.model_fields[name])[1]
    if not all(choice in text for choice in choices):
        text += ": " + ", ".join(choices)
    default = default_in_words(name)
    return text + (f" ({default})" if default else "")


def kind_of(field: FieldInfo) -> tuple[Any, tuple[str, ...]]:
    """Return the type of what is typed, and the choices if there are only some."""
    kind = _bare(field.annotation)
    if get_origin(kind) is Literal:
        return str, tuple(str(choice) for choice in get_args(kind))
    if get_origin(kind) is tuple:
        return list[str], ()
    if kind is bool and Categorical in map(_bare, get_args(field.annotation)):
        return list[bool], ()  # both switches are alternatives
    if kind not in (str, int, float, bool):
        raise TypeError(f"no flag is known for a setting of type {kind}")
    return kind, ()


def _bare(annotation: Any) -> Any:
    """Return a type without Annotated, without `| None` and without what only Python can give."""
    if annotation is Any:  # what can be typed of it is a text
        return str
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [_bare(part) for part in get_args(annotation) if part is not types.NoneType]
        if int in parts and any(get_origin(part) is Literal for part in parts):  # a number, or a word in its place
            return str
        (kind,) = (part for part in parts if get_origin(part) is not Callable and part not in (Categorical, Limits))
        return kind
    return annotation
