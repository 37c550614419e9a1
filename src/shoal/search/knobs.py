"""What users name for a hyperparameter in place of a value: alternatives, or limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from shoal.errors import SettingError, expected
from shoal.search.space import Categorical, Limits
from shoal.training.hyperparameters import Hyperparameters

Knob = Categorical | Limits
STRENGTHS = ("l1", "l2", "weight_decay")  # of which zero means none, and others span decades
SAME_FOR_ALL = ("loss", "huber_delta")  # what candidates are judged by
_LIMITS = re.compile(r"\s*(.+?)\s*\.\.\s*(.+?)\s*")
# What only has an effect with some values of another hyperparameter.
_NEEDS = {
    "momentum": ("optimizer", ("sgd", "rmsprop")),
    "nesterov": ("optimizer", ("sgd",)),
    "beta_1": ("optimizer", ("adam", "adamw", "nadam", "lion")),
    "beta_2": ("optimizer", ("adam", "adamw", "nadam", "lion")),
    "rho": ("optimizer", ("rmsprop",)),
    "epsilon": ("optimizer", ("rmsprop", "adagrad", "adam", "adamw", "nadam")),
    "weight_decay": ("optimizer", ("adamw",)),
    "final_fraction": ("schedule", ("cosine", "exponential")),
}


def choices(*values: Any) -> Categorical:
    """Return alternatives of a hyperparameter, for `shoal.fit`; they are tried as `search=` says.

    Args:
        values: two or more, each as the hyperparameter takes it. The first is the base of `search="one-at-a-time"`.

    Example:
        >>> choices("relu", "tanh").values
        ('relu', 'tanh')
    """
    return Categorical(values)


def between(low: Any, high: Any) -> Limits:
    """Return limits of a hyperparameter, both included, for `shoal.fit`.

    Where `high` is ten times `low` or more, values are even in the logarithm, else evenly spread. Limits from zero of
    `l1`, `l2` and `weight_decay` hold zero itself in a fifth of the draws, the others are even in the logarithm from a
    thousandth of `high` on. Those of whole numbers give whole numbers.

    Args:
        low: lower limit; of `hidden` a width for each layer, e.g. `(8, 4)`, or one width for one layer.
        high: upper limit, alike.

    Example:
        >>> between(0.0001, 0.1).spread
        (0.0001, 0.00056, 0.0032, 0.018, 0.1)
    """
    return Limits(low, high)


def read_knob(name: str, value: Any, read: Callable[[Any], Any] = lambda value: value) -> Knob | None:
    """Return the alternatives or limits that a value names, or None where it is a plain value.

    Args:
        name: of a hyperparameter.
        value: what `choices` or `between` gave; a text such as `0.001; 0.01` or `8..64`; or, as `config.toml` has them,
            `{"choices": [...]}` or `{"low": ..., "high": ...}`.
        read: spells one value as settings have it.

    Raises:
        SettingError: values of the wrong kind, one twice, or one alone; limits turned round, or of words.

    Example:
        >>> read_knob("learning_rate", "0.001; 0.01"), read_knob("hidden", "8..64"), read_knob("l2", 0.1)
        (Categorical(values=(0.001, 0.01)), Limits(low=(8,), high=(64,), zero=False), None)
    """
    if isinstance(value, str):
        value = _of_text(value)
    elif isinstance(value, Mapping):
        value = _of_table(name, value)
    if not isinstance(value, Categorical | Limits):
        return None
    if name in SAME_FOR_ALL:
        raise SettingError(
            f"{name}: candidates are compared by their loss, so it must be the same for all, got {knob_text(value)!r}; "
            "fit once for each"
        )
    if isinstance(value, Limits):
        return _checked_limits(name, value)
    return _checked_choices(name, [_checked(name, read(_plain(each))) for each in value.values])


def is_knob_text(text: str) -> bool:
    """Return whether a text names alternatives or limits."""
    return not isinstance(_of_text(text), str)


def _of_text(text: str) -> Any:
    if ";" in text:
        return Categorical(tuple(part.strip() for part in text.split(";")))
    layers = [_LIMITS.fullmatch(part) for part in text.split(",")]
    if not any(layers):
        return text
    pairs = [(m[1], m[2]) if m else (part, part) for m, part in zip(layers, text.split(","), strict=True)]
    low, high = (ends if len(pairs) > 1 else ends[0] for ends in zip(*pairs, strict=True))
    return Limits(low, high)


def _of_table(name: str, table: Mapping[str, Any]) -> Knob:
    if set(table) == {"choices"} and isinstance(table["choices"], list | tuple):
        return Categorical(tuple(table["choices"]))
    if set(table) == {"low", "high"}:
        return Limits(table["low"], table["high"])
    raise SettingError(
        f"{name}: expected a value, {{choices = [...]}} or {{low = ..., high = ...}}, got the keys {', '.join(table)}"
    )


def _plain(value: Any) -> Any:
    """Return a value that TOML or Python gave; lists become tuples, which can be compared."""
    return tuple(value) if isinstance(value, list) else value


def _checked(name: str, value: Any) -> Any:
    """Return a value as the hyperparameter has it."""
    if isinstance(value, str) and _LIMITS.fullmatch(value):
        raise SettingError(f"{name}: {value!r} are limits; name either alternatives or limits, not both")
    if value == "" and name not in ("hidden", "layers"):
        raise SettingError(f"{name}: a value is missing between two semicolons, or before or behind one")
    try:
        return getattr(Hyperparameters.model_validate({name: value}), name)
    except ValidationError as error:
        raise SettingError(f"{name}: {expected(error.errors()[0])}, got {value!r}") from None


def _checked_choices(name: str, values: list[Any]) -> Categorical:
    twice = next((value for i, value in enumerate(values) if value in values[:i]), None)
    if twice is not None:
        raise SettingError(f"{name}: {knob_text(twice)} stands twice among the alternatives; leave one out")
    if len(values) < 2:
        raise SettingError(f"{name}: alternatives are two values or more, got {len(values)}")
    return Categorical(tuple(values))


def _checked_limits(name: str, limits: Limits) -> Limits:
    text, default = knob_text(limits), Hyperparameters.model_fields[name].default
    if name == "activation" or isinstance(default, str | bool):
        raise SettingError(f"{name}: limits are for numbers, got {text!r}; name alternatives, separated by semicolons")
    low, high = (_checked(name, _plain(end)) for end in (limits.low, limits.high))
    of_layers = isinstance(low, tuple)
    pairs = list(zip(low, high, strict=False)) if of_layers else [(low, high)]
    if of_layers and len(low) != len(high):
        raise SettingError(f"{name}: both limits need a width for each layer, got {text!r}")
    if any(a > b for a, b in pairs):
        raise SettingError(f"{name}: the lower limit comes first, got {text!r}; turn them round")
    if low == high:
        raise SettingError(f"{name}: the limits {text!r} are equal, so there is nothing to vary; give the value alone")
    return Limits(low, high, zero=name in STRENGTHS and low == 0.0)


def knob_text(value: Any) -> str:
    """Return alternatives, limits or a value as they are typed on a command line.

    Example:
        >>> knob_text(choices((8,), (32, 32))), knob_text(between((8, 4), (64, 4))), knob_text(between(0.0, 0.5))
        ('8; 32,32', '8..64,4..4', '0.0..0.5')
    """
    if isinstance(value, Categorical):
        return "; ".join(map(knob_text, value.values))
    if isinstance(value, Limits):
        if isinstance(value.low, tuple | list) and isinstance(value.high, tuple | list):
            return ",".join(f"{low}..{high}" for low, high in zip(value.low, value.high, strict=False))
        return f"{value.low}..{value.high}"
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def knob_table(knob: Knob) -> dict[str, Any]:
    """Return alternatives or limits as plain data, as `read_knob` takes them.

    Example:
        >>> knob_table(choices((8,), (32, 32)))
        {'choices': [[8], [32, 32]]}
    """

    def listed(value: Any) -> Any:
        return list(value) if isinstance(value, tuple) else value

    if isinstance(knob, Categorical):
        return {"choices": [listed(value) for value in knob.values]}
    return {"low": listed(knob.low), "high": listed(knob.high)}


def check_effect(named: Iterable[str], candidates: list[Hyperparameters]) -> None:
    """Raise SettingError for a named hyperparameter that changes nothing in all candidates that differ in it."""
    for name in named:
        other, values = _NEEDS.get(name, ("", ()))
        moved = [each for each in candidates if getattr(each, name) != getattr(candidates[0], name)]
        if other and moved and not any(getattr(each, other) in values for each in moved):
            raise SettingError(
                f"{name}: there is nothing to vary, since it only acts with {other} {' or '.join(values)}, and what "
                f"is tried has {getattr(moved[0], other)}; add --{other} {values[0]}"
            )
