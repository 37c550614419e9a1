"""Settings as users give them and files keep them, checked; and what holds where they are not given."""

from __future__ import annotations

import warnings
from functools import partial
from itertools import product
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from shoal.errors import SettingError, ShoalWarning, expected, spelled, suggest
from shoal.networks import get_activation, get_initializer
from shoal.networks.parsing import parse_layers
from shoal.resources import parse_memory
from shoal.search.defaults import unless_fixed
from shoal.search.knobs import read_knob
from shoal.search.space import Categorical, Limits
from shoal.setting_names import suggest_setting
from shoal.settings.declared import FitSettings
from shoal.statistics.metric_choice import IN_PYTHON
from shoal.training.hyperparameters import Hyperparameters

REPEATS = 5
"""Of each candidate of a search one at a time, unless folds or repeats are asked for: seeds scatter, too."""


def default_in_words(name: str) -> str:
    """Return what holds where a setting is not given, empty where its description says so or nothing is to be said.

    Example:
        >>> default_in_words("coverage"), default_in_words("hidden"), default_in_words("target")
        ('default: 0.95', 'searched; with --networks 1: 32', '')
    """
    if name in Hyperparameters.model_fields:
        return unless_fixed(name)
    default = FitSettings.model_fields[name].default
    if default is None or default is False or default == ():
        return ""
    shown = "on" if default is True else f"{default:g}" if isinstance(default, float) else str(default)
    return f"default: {shown}"


def settings_in_words() -> str:
    """Return a line for each setting: its name, what it is, and what holds where it is not given."""
    lines = []
    for name, field in FitSettings.model_fields.items():
        described = field.description or Hyperparameters.model_fields[name].description or ""
        default = default_in_words(name).replace("--networks 1", "networks=1")
        lines.append(f"    {name}: {described}{f' ({default})' if default else ''}")
    return "\n".join(lines)


def check_settings(values: dict[str, Any]) -> FitSettings:
    """Return the settings, or raise a SettingError that says which value is wrong and why.

    Example:
        >>> check_settings({"networks": 3}).networks
        3
    """
    for name in values:
        if name not in FitSettings.model_fields:
            raise SettingError(f"fit has no setting {name!r}.{suggest_setting(name, FitSettings.model_fields)}")
    values = {name: _read(name, value) for name, value in values.items()}
    if values.get("search") == "one-at-a-time" and values.get("cv") in (None, "none"):
        values.setdefault("repeats", REPEATS)
    try:
        settings = FitSettings(**values)
        if settings.memory is not None:
            parse_memory(settings.memory)
        hyperparameters = Hyperparameters(**settings.fixed())
        if settings.network is None:
            _check_words(hyperparameters, settings)
    except ValidationError as error:
        first = error.errors()[0]
        if isinstance(cause := first.get("ctx", {}).get("error"), SettingError):
            raise cause from None
        if not first["loc"]:
            raise SettingError(expected(first)) from None
        where = str(first["loc"][0])
        got = values.get(where)
        several = where in Hyperparameters.model_fields and (isinstance(got, (list, tuple)) or "," in str(got))
        hint = "; alternatives are a text with semicolons, or shoal.choices(...)" if several else ""
        raise SettingError(f"{where}: {expected(first)}, got {where}={got!r}{hint}") from None
    return settings


def choices_of(name: str) -> tuple[str, ...]:
    """Return the words that a setting may be, or none where it may be anything.

    Example:
        >>> choices_of("schedule"), choices_of("target")
        (('constant', 'cosine', 'exponential'), ())
    """
    kinds = get_args(FitSettings.model_fields[name].annotation) or (FitSettings.model_fields[name].annotation,)
    if any(get_args(kind)[:1] == (int,) for kind in kinds):  # a number, or a word in its place
        return ()
    return next((get_args(kind) for kind in kinds if get_origin(kind) is Literal), ()) or (
        kinds if all(isinstance(kind, str) for kind in kinds) else ()
    )


def _read(name: str, value: Any) -> Any:
    """Return a value as the settings spell it, or the alternatives or limits that it names."""
    knob = read_knob(name, value, partial(_usual_spelling, name)) if name in Hyperparameters.model_fields else None
    return _usual_spelling(name, value) if knob is None else knob


def _usual_spelling(name: str, value: Any) -> Any:
    """Return a value as the settings spell it: `Adam` is adam, `ReLU` relu.

    Raises:
        SettingError: it is a word, but none of those that the setting may be.
    """
    if name == "activation" and isinstance(value, (str, tuple, list)):
        words = value.replace(",", " ").split() if isinstance(value, str) else value
        return tuple(get_activation(word).name if isinstance(word, str) else word for word in words)
    choices = choices_of(name)
    if not choices or not isinstance(value, str):
        return value
    word = spelled(value, choices)
    if word not in choices:
        near = suggest(value.lower(), choices)
        raise SettingError(f"{name}: expected one of {', '.join(choices)}, got {value!r}.{near}")
    return word


def kept_settings(given: dict[str, Any], folds: int | None = None) -> FitSettings:
    """Return the settings that a run keeps, but for those that may be functions, which no file holds.

    Args:
        given: as `config.toml` has them.
        folds: that were chosen for the run where `given` names none; earlier shoals chose none.

    Example:
        >>> kept_settings({"target": ["y"], "loss": "my_own", "penalties": ["smooth"]}).target
        ('y',)
    """
    functions = ("penalties", "loss", "metrics")
    return check_settings({name: value for name, value in given.items() if name not in functions}).with_folds(folds)


def without_functions(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a file without metrics that were functions of Python, with a ShoalWarning that names them.

    Example:
        >>> without_functions({"metrics": ["f1_macro"]})
        {'metrics': ['f1_macro']}
    """
    names = settings.get("metrics") or ()
    gone = [name.removeprefix(IN_PYTHON) for name in names if str(name).startswith(IN_PYTHON)]
    if not gone:
        return settings
    text = f"metrics: {', '.join(gone)} left out, since no file holds functions of Python"
    warnings.warn(text, ShoalWarning, stacklevel=3)
    return {**settings, "metrics": [name for name in names if not str(name).startswith(IN_PYTHON)] or None}


def _check_words(hyperparameters: Hyperparameters, settings: FitSettings) -> None:
    activations = _alternatives(settings.activation, hyperparameters.activation)
    hidden = _alternatives(settings.hidden, settings.hidden)
    for names, widths in product(activations, hidden):
        if len(names) > 1 and widths is None:
            raise SettingError(
                f"activation: {len(names)} names need --hidden with as many layers; give one name or both"
            )
        if widths is not None and len(names) not in (1, len(widths)):
            layers = len(widths)
            raise SettingError(f"activation: expected one name or one per hidden layer ({layers}), got {len(names)}")
    if settings.activation is not None:
        for name in {name for names in activations for name in names}:
            get_activation(name)
    for text in _alternatives(settings.layers, settings.layers):
        parse_layers(text or "")
    for name in _alternatives(settings.kernel_initializer, settings.kernel_initializer):
        if name is not None:
            get_initializer(name)


def _alternatives(value: Any, plain: Any) -> tuple[Any, ...]:
    """Return all alternatives of a hyperparameter, the lower of limits, or the plain value."""
    if isinstance(value, Categorical):
        return value.values
    return (value.low,) if isinstance(value, Limits) else (plain,)
