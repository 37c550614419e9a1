"""What a run keeps of its figures, so that they can be drawn again without the data: `figures/numbers.safetensors`.

The numbers of a figure are a dataclass of arrays, texts, numbers and other such dataclasses. Arrays are stored as
they are, equal ones once; all else is JSON in the file's header. Nothing in it is ever executed: a class is looked up
by its name among the dataclasses of shoal's own rooms.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from shoal.errors import RunError
from shoal.report.figures.drawable import FigureNumbers
from shoal.runs.documents import check_format, read_bytes, sha256
from shoal.runs.writing import write_atomically

FORMAT = 1
NAME = "numbers.safetensors"
_KEY = "shoal_figures"
_ROOMS = ("shoal.report.", "shoal.evaluation.", "shoal.results")
_MENDING = "Train the run again: shoal fit --config RUN."


def keep(figures: Mapping[str, FigureNumbers], folder: str | Path) -> Path:
    """Write the numbers of figures into a folder, beside those of other figures that are kept there.

    Args:
        figures: by name.
        folder: the folder `figures` of a run.

    Raises:
        RunError: the file cannot be written.
    """
    path, both = Path(folder) / NAME, dict(figures)
    if path.is_file():
        with contextlib.suppress(RunError):  # what an earlier shoal kept, or what is damaged, gives way
            both = {**kept(folder), **figures}
    arrays: dict[str, np.ndarray] = {}
    document = {
        "format": FORMAT,
        "figures": [
            {
                "name": name,
                "module": figure.module.__name__.rpartition(".")[2],
                "numbers": encode(figure.numbers, arrays),
            }
            for name, figure in both.items()
        ],
    }
    from safetensors.numpy import save

    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    ordered = {name: np.array(arrays[name], order="C") for name in sorted(arrays)}
    return write_atomically(path, save(ordered, {_KEY: text}))


def kept(folder: str | Path) -> dict[str, FigureNumbers]:
    """Return the numbers of all figures that are kept in a folder.

    Raises:
        RunError: there are none, or the file is damaged or of another version of shoal.
    """
    path = Path(folder) / NAME
    document, arrays = _read(path)
    check_format(path, document.get("format"), FORMAT, _MENDING)
    try:
        entries = document["figures"]
        return {
            entry["name"]: FigureNumbers(entry["name"], decode(entry["numbers"], arrays), _module(entry["module"]))
            for entry in entries
        }
    except (KeyError, TypeError, ValueError, AttributeError, ImportError) as error:
        raise RunError(
            f"{str(path)!r} holds figures that this shoal does not know ({type(error).__name__}: {error}). {_MENDING}"
        ) from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    data = read_bytes(path, _MENDING)
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        document, arrays = json.loads(header["__metadata__"][_KEY]), load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{str(path)!r} is damaged: it holds no numbers of figures ({error}). {_MENDING}") from error
    return document, arrays


def _module(name: str) -> ModuleType:
    """Return the module that draws a figure."""
    full = f"shoal.report.figures.{name}"
    if not name.isidentifier() or find_spec(full) is None or not hasattr(module := import_module(full), "draw"):
        raise ValueError(f"there is no figure {name!r}")
    return module


def encode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return a value as plain data for JSON, with its arrays put into `arrays`.

    Example:
        >>> arrays = {}
        >>> encode((1, np.zeros(2), float("nan")), arrays)
        {'tuple': [1, {'array': '...'}, {'float': 'nan'}]}
        >>> [array.tolist() for array in arrays.values()]
        [[0.0, 0.0]]
    """
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if isinstance(value, np.generic):
        return encode(value.item(), arrays)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, np.ndarray):
        return _array(value, arrays)
    if isinstance(value, list | tuple):
        return {type(value).__name__: [encode(item, arrays) for item in value]}
    if isinstance(value, Mapping):
        return {"dict": [[encode(key, arrays), encode(item, arrays)] for key, item in value.items()]}
    if type(value).__module__ == "shoal.networks.network":
        return {"network": value.to_dict()}
    if dataclasses.is_dataclass(value) and type(value).__module__.startswith(_ROOMS):
        fields = {f.name: encode(getattr(value, f.name), arrays) for f in dataclasses.fields(value)}
        return {"class": f"{type(value).__module__}:{type(value).__name__}", "fields": fields}
    raise TypeError(f"the numbers of a figure are arrays, texts, numbers and dataclasses, got {type(value).__name__}")


def _array(value: np.ndarray, arrays: dict[str, np.ndarray]) -> Any:
    if value.dtype.kind in "US":
        return {"texts": value.tolist()}
    if value.dtype.kind not in "biuf":
        raise TypeError(f"an array of {value.dtype} cannot be kept")
    name = sha256(f"{value.dtype}{value.shape}".encode() + value.tobytes())[:16]  # equal arrays are kept once
    arrays[name] = value
    return {"array": name}


def decode(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Return what `encode` made plain.

    Example:
        >>> arrays = {}
        >>> decode(encode({"a": (1, np.arange(2))}, arrays), arrays)
        {'a': (1, array([0, 1]))}
    """
    if not isinstance(value, dict):
        return value
    if "class" in value:
        kind, fields = _class(value["class"]), {name: decode(item, arrays) for name, item in value["fields"].items()}
        known = {field.name for field in dataclasses.fields(kind) if field.init}
        return kind(**{name: item for name, item in fields.items() if name in known})
    ((kind, content),) = value.items()
    if kind == "array":
        return np.array(arrays[content])
    if kind == "texts":
        return np.asarray(content)
    if kind == "float":
        return float(content)
    if kind == "network":
        from shoal.networks import Network

        return Network.from_dict(content)
    if kind == "dict":
        return {decode(key, arrays): decode(item, arrays) for key, item in content}
    if kind not in ("list", "tuple"):
        raise ValueError(f"there is no {kind!r} among numbers of figures")
    items = [decode(item, arrays) for item in content]
    return items if kind == "list" else tuple(items)


def _class(name: str) -> Any:
    module, _, called = name.partition(":")
    if not module.startswith(_ROOMS):
        raise ValueError(f"{name!r} is no class of shoal's figures")
    found = getattr(import_module(module), called, None)
    if not isinstance(found, type) or not dataclasses.is_dataclass(found) or found.__module__ != module:
        raise ValueError(f"there is no class {name!r}")
    return found
