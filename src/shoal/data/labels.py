"""Labels of classes: texts inside shoal, and in the type in which they came for whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import polars as pl

from shoal.data.conversion import to_labels
from shoal.data.units import full_name
from shoal.errors import SettingError, listing, suggest

Label = str | int | float | bool
LabelType = Literal["str", "int", "float", "bool"]


def label_type(series: pl.Series) -> LabelType:
    """Return in which type the labels in a tidied column came; dates count as text.

    Example:
        >>> label_type(pl.Series([3, 5])), label_type(pl.Series(["3", "5"]))
        ('int', 'str')
    """
    if series.dtype == pl.Boolean:
        return "bool"
    if series.dtype.is_integer():
        return "int"
    return "float" if series.dtype.is_float() else "str"


def labels_of(names: Iterable[str], kind: LabelType) -> tuple[Label, ...]:
    """Return the labels that classes stand for, in the type in which they came.

    Example:
        >>> labels_of(("1", "2"), "int"), labels_of(("1", "2"), "float"), labels_of(("false", "true"), "bool")
        ((1, 2), (1.0, 2.0), (False, True))
    """
    if kind == "bool":
        return tuple(name == "true" for name in names)
    if kind == "str":
        return tuple(names)
    return tuple(int(name) if kind == "int" else float(name) for name in names)


def label_name(label: Label | None) -> str | None:
    """Return the text of one label, None where none is given.

    Example:
        >>> label_name(1), label_name(None)
        ('1', None)
    """
    return None if label is None else label_names([label])[0]


def place_of(label: Label, names: Sequence[str], *, classes: bool) -> int:
    """Return which of the classes or targets is meant; a target may leave out its unit.

    Raises:
        SettingError: none of them is.

    Example:
        >>> place_of(2, ("1", "2"), classes=True), place_of("E", ("p", "E [GeV]"), classes=False)
        (1, 1)
    """
    name = label_names([label])[0] if classes else full_name(str(label), names)
    if name not in names:
        what = f"one of the {'classes' if classes else 'targets'}" if len(names) > 1 else "the target"
        raise SettingError(f"of: expected {what} {listing(names)}, got {label!r}.{suggest(name, names)}")
    return list(names).index(name)


def label_names(labels: Iterable[Label]) -> tuple[str, ...]:
    """Return the texts of labels, as in the names of columns: whole numbers without a decimal point.

    Example:
        >>> label_names([1.0, 2.0]), label_names([False, True]), label_names(["a"])
        (('1', '2'), ('false', 'true'), ('a',))
    """
    return tuple(to_labels(pl.Series(list(labels))).to_list())
