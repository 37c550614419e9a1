"""Records as plain data for JSON, with their arrays beside it, and back.

What is written names no module and no class. Where the reader knows what comes, a `PlainRecord` or `ArrayRecord` is
written as its fields; else each record bears the short name that `stored` gives it, so that code can move. Reading runs
no code of the file: a record is looked up by its name among those that are registered.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from hashlib import sha256
from types import UnionType
from typing import Any, ClassVar, Self, TypeVar, cast, get_args, get_origin, get_type_hints

import numpy as np

Record = TypeVar("Record", bound=type)
_CLASSES: dict[str, type] = {}
_NAMES: dict[type, str] = {}
ARRAYS = tuple[np.ndarray, ...]
"""The type of a field that holds several arrays."""


def stored(name: str) -> Callable[[Record], Record]:
    """Register a class under the short name by which files know it.

    Args:
        name: of the record, for ever; unlike all others.

    Returns:
        The decorator of a dataclass, or of a class with `to_dict()` and `from_dict(plain)`.

    Raises:
        ValueError: another class has the name.

    Example:
        >>> @stored("doctest_point")
        ... @dataclasses.dataclass
        ... class Point:
        ...     x: float
        >>> encode(Point(0.5), {})
        {'record': 'doctest_point', 'fields': {'x': 0.5}}
    """

    def register(kind: Record) -> Record:
        other = _CLASSES.setdefault(name, kind)
        if other.__qualname__ != kind.__qualname__:
            raise ValueError(f"{other.__qualname__} and {kind.__qualname__} are both stored as {name!r}")
        _CLASSES[name], _NAMES[kind] = kind, name
        return kind

    return register


def encode(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return a value as plain data for JSON, with its arrays put into `arrays`; equal arrays are put there once.

    Raises:
        TypeError: it holds something that is no text, number, array, list, tuple, mapping or stored record.

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
    name = _NAMES.get(type(value))
    if name is None:
        raise TypeError(f"arrays, texts, numbers and stored records can be kept, got {type(value).__name__}")
    if not dataclasses.is_dataclass(value) or hasattr(value, "to_dict"):
        return {"record": name, "plain": value.to_dict()}
    fields = {f.name: encode(getattr(value, f.name), arrays) for f in dataclasses.fields(value)}
    return {"record": name, "fields": fields}


def _array(value: np.ndarray, arrays: dict[str, np.ndarray]) -> Any:
    if value.dtype.kind in "US":
        return {"texts": value.tolist()}
    if value.dtype.kind not in "biuf":
        raise TypeError(f"an array of {value.dtype} cannot be kept")
    name = sha256(f"{value.dtype}{value.shape}".encode() + value.tobytes()).hexdigest()[:16]
    arrays[name] = value
    return {"array": name}


def decode(value: Any, arrays: Mapping[str, np.ndarray], former: Mapping[str, str] | None = None) -> Any:
    """Return what `encode` made plain.

    Args:
        value: plain data.
        arrays: by name.
        former: names that earlier formats gave to records, with those that they have now.

    Raises:
        ValueError: no record of that name, or plain data that `encode` does not write.

    Example:
        >>> arrays = {}
        >>> decode(encode({"a": (1, np.arange(2))}, arrays), arrays)
        {'a': (1, array([0, 1]))}
    """
    if not isinstance(value, dict):
        return value
    if "class" in value:
        value = {"record": (former or {}).get(value["class"], value["class"]), "fields": value["fields"]}
    if "record" in value:
        return _record(value, arrays, former)
    ((kind, content),) = value.items()
    if kind == "array":
        return np.array(arrays[content])
    if kind == "texts":
        return np.asarray(content)
    if kind == "float":
        return float(content)
    if kind == "network":  # as the first format wrote it
        return _record({"record": kind, "plain": content}, arrays, former)
    if kind == "dict":
        return {decode(key, arrays, former): decode(item, arrays, former) for key, item in content}
    if kind not in ("list", "tuple"):
        raise ValueError(f"there is no {kind!r} among plain data")
    items = [decode(item, arrays, former) for item in content]
    return items if kind == "list" else tuple(items)


def _record(value: Mapping[str, Any], arrays: Mapping[str, np.ndarray], former: Mapping[str, str] | None) -> Any:
    kind: Any = _CLASSES.get(value["record"])
    if kind is None:
        raise ValueError(f"there is no record {value['record']!r}")
    if "plain" in value:
        return kind.from_dict(value["plain"])
    known = {field.name for field in dataclasses.fields(kind) if field.init}
    return kind(**{name: decode(item, arrays, former) for name, item in value["fields"].items() if name in known})


class PlainRecord:
    """A dataclass of numbers, texts, tuples of them and other such dataclasses, which files hold as its fields.

    Example:
        >>> @dataclasses.dataclass
        ... class Line(PlainRecord):
        ...     tag = "kind"
        ...     kind: ClassVar[str] = "line"
        ...     ends: tuple[float, ...]
        >>> Line((0.0, 1.0)).to_dict()
        {'kind': 'line', 'ends': [0.0, 1.0]}
        >>> Line.from_dict({"kind": "line", "ends": [0.0, 1.0]})
        Line(ends=(0.0, 1.0))
    """

    tag: ClassVar[str | None] = None
    """The attribute of the class that is written first, so that a reader knows the class; None: it knows it anyway."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data for JSON."""
        head = {} if self.tag is None else {self.tag: getattr(self, self.tag)}
        return head | {f.name: plain(getattr(self, f.name)) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the record that `to_dict` described."""
        return cast(Self, _read_fields(cls, {name: value for name, value in data.items() if name != cls.tag}))


class ArrayRecord:
    """A dataclass as a `PlainRecord`, of which some fields are arrays, or tuples of arrays.

    Example:
        >>> @dataclasses.dataclass
        ... class Curve(ArrayRecord):
        ...     unit: str
        ...     points: np.ndarray
        >>> Curve("m", np.zeros(2)).to_parts()
        ({'unit': 'm'}, {'points': array([0., 0.])})
    """

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the record as plain data, with the number of arrays in a tuple, and named arrays."""
        document: dict[str, Any] = {}
        arrays: dict[str, np.ndarray] = {}
        for name, hint in _hints(type(self)).items():
            value = getattr(self, name)
            if hint is np.ndarray:
                arrays[name] = value
            elif hint == ARRAYS:
                document[name] = len(value)
                arrays |= {f"{name}/{k}": array for k, array in enumerate(value)}
            else:
                document[name] = plain(value)
        return document, arrays

    @classmethod
    def from_parts(cls, document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """Return the record that `to_parts` described."""
        held = dict(document)
        for name, hint in _hints(cls).items():
            if hint is np.ndarray:
                held[name] = arrays[name]
            elif hint == ARRAYS:
                held[name] = tuple(arrays[f"{name}/{k}"] for k in range(document[name]))
        return cast(Self, _read_fields(cls, held))


def plain(value: Any) -> Any:
    """Return a value as plain data for JSON; records as `PlainRecord.to_dict` and other dataclasses by their fields."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] for f in dataclasses.fields(kind)}


def _read_fields(kind: type, data: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    return kind(**{name: _read(hints.get(name), value) for name, value in data.items()})


def _read(hint: Any, value: Any) -> Any:
    """Return a value of plain data as what a type hint says."""
    if isinstance(value, list) and get_origin(hint) is tuple:
        return tuple(_read(get_args(hint)[0], item) for item in value)
    if isinstance(value, dict):
        kinds: tuple[Any, ...] = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        for kind in kinds:
            if hasattr(kind, "__dataclass_fields__"):
                return kind.from_dict(value) if issubclass(kind, PlainRecord) else _read_fields(kind, value)
    return value
