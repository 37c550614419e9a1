"""How the values of settings may be written: one name or several, texts, mappings, Keras models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, InstanceOf

from shoal.data.labels import label_name
from shoal.keras.archive import EXTENSIONS
from shoal.networks import Network
from shoal.search.space import Categorical, Limits
from shoal.search.strategy import strategy_names
from shoal.statistics.class_weights import BALANCED, pairs
from shoal.statistics.metric_choice import goal, metric

EngineName = Literal["auto", "native", "xla"]
if TYPE_CHECKING:
    SearchName = str
else:
    SearchName = Literal[strategy_names()]
Knob = InstanceOf[Categorical] | InstanceOf[Limits]
"""Alternatives or limits in place of a value."""


def as_names(value: Any) -> Any:
    """Accept one column name or several; a comma separates names in one text."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else value


def as_path(value: Any) -> Any:
    """Accept a path as its text or as `pathlib` has it."""
    return str(value) if isinstance(value, Path) else value


def as_metrics(value: Any) -> Any:
    """Accept one metric or several."""
    value = as_names(value)
    choices = value if isinstance(value, tuple) or value is None else (value,)
    for choice in choices or ():
        metric(choice)
    return choices


def checked_goal(text: str | None) -> str | None:
    """Return the goal of a search, which must be one."""
    if text is not None:
        goal(text)
    return text


def as_class_weight(value: Any) -> Any:
    """Accept `balanced`, `a=2,b=1`, or a mapping from classes to weights."""
    if isinstance(value, Mapping):
        value = tuple(f"{label_name(name)}={weight}" for name, weight in value.items())
    value = as_names(value)
    if value is None or value == (BALANCED,):
        return value
    value = tuple(str(pair) for pair in value) if isinstance(value, tuple) else (str(value),)
    pairs(value)
    return value or None


def as_functions(value: Any) -> Any:
    """Accept one function or several."""
    return (value,) if callable(value) else tuple(value) if isinstance(value, list) else value


def as_network(value: Any) -> Any:
    """Accept a network, its text, the JSON that `config.toml` keeps of it, or a Keras model: live, or its file."""
    if isinstance(value, str) and value.strip().isdigit():
        raise ValueError(
            f"expected layers such as '4 8:relu 3:softmax'; to train so many write networks={value.strip()}"
        )
    of_keras = isinstance(value, (str, Path)) and Path(value).suffix.lower() in EXTENSIONS
    if of_keras or hasattr(value, "get_layer"):
        value = Network.from_keras(value)
    elif isinstance(value, str):
        value = Network.from_dict(json.loads(value)) if value.startswith("{") else Network.parse(value)
    if value is not None and not isinstance(value, Network):
        raise ValueError("expected a Network, a text such as '4 8:relu 3:softmax', or a Keras model")
    if value is not None:
        value.to_dict()  # a run is kept in files, which hold no functions
    return value


def network_text(network: Network | None) -> str | None:
    """Return a network as files keep it."""
    return None if network is None else json.dumps(network.to_dict())


Columns = Annotated[tuple[str, ...] | None, BeforeValidator(as_names)]


def as_expressions(value: Any) -> Any:
    """Accept one expression, several, or a mapping from names to expressions."""
    if isinstance(value, Mapping):
        return tuple(f"{name} = {text}" for name, text in value.items()) or None
    return (value,) if isinstance(value, str) else tuple(value) or None if isinstance(value, (list, tuple)) else value


Expressions = Annotated[tuple[str, ...] | None, BeforeValidator(as_expressions)]
