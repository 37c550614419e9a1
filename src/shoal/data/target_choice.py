"""Which column is the target where none was named: the one that stands out, or none.

Columns that have another role are not looked at. One stands out, by the first of these rules that fits one of them:

1. It is the only one whose name, unit and case aside, is target, targets, label, labels, class, species, output,
   outcome, response or y; but `y` is a coordinate between columns `x` and `z`.
2. Columns y1, y2, … stand out together; but not beside z1, z2, ….
3. It is the only one that can be predicted: no identifier, no date, no text without repetition, not empty or constant.
4. It is the last column and the only one that holds classes: text that repeats, or truth values.

Nothing else stands out: not the last column of numbers in a table of numbers, nor one column of text among several.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from shoal.data.columns import Kind, column_kind, distinct_counts
from shoal.data.roles import Roles
from shoal.data.units import split_unit
from shoal.errors import DataError, listing

USUAL = ("target", "targets", "label", "labels", "class", "species", "y", "output", "outcome", "response")
_CANDIDATES = (Kind.NUMBER, Kind.CATEGORY, Kind.BOOLEAN)
_CLASSES = (Kind.CATEGORY, Kind.BOOLEAN)


class TargetMissing(DataError):
    """No target was named, and no column stands out as one."""


@dataclass(frozen=True)
class TargetChoice:
    """Why the targets are those that they are, and why the task is what it is.

    Attributes:
        reason: of the targets, as words that follow a colon; empty where nothing was to choose.
        guessed: neither the user nor the data named the targets.
        task_reason: a sentence, where numbers might be classes as well as measured; else empty.
    """

    reason: str = ""
    guessed: bool = False
    task_reason: str = ""


def find_target(table: pl.DataFrame, roles: Roles) -> tuple[list[str], str]:
    """Return the targets where none was named, and why they stand out, as words that follow a colon.

    Raises:
        TargetMissing: no column stands out; the message names those that could be meant.

    Example:
        >>> find_target(pl.DataFrame({"mass": [1.0, 2.0, 3.0, 5.0], "kind": ["a", "b", "a", "b"]}), Roles())
        (['kind'], 'the last column, and the only one of text')
    """
    taken = {name for _, name in roles.pairs()} | set(roles.features or [])
    free = [name for name in table.columns if name not in taken]
    if not free:
        raise TargetMissing("every column has another role, so that none is left as the target; name one")
    usual, numbered = _usual(free), [] if _numbered(free, "z") else _numbered(free, "y")
    if len(usual) == 1:
        return usual, "by its name"
    if not usual and numbered:
        return numbered, "by its name" if len(numbered) == 1 else "by their names"
    if usual:
        raise _nothing_stands_out(usual, usual)
    kinds = _candidates(table.select(free))
    if len(kinds) == 1:
        return list(kinds), "the only column that can be predicted"
    classes = [name for name, kind in kinds.items() if kind in _CLASSES]
    if classes == free[-1:]:
        return classes, f"the last column, and the only one {_what(table, classes[0])}"
    raise _nothing_stands_out(list(kinds) or free)


def _candidates(table: pl.DataFrame) -> dict[str, Kind]:
    """Return the columns that could be predicted, with what they hold."""
    counts = distinct_counts(table)
    kinds = {series.name: column_kind(series, counts[series.name]) for series in table.get_columns()}
    return {name: kind for name, kind in kinds.items() if kind in _CANDIDATES}


def _usual(names: list[str]) -> list[str]:
    """Return the columns with a usual name."""
    plain = [{name.lower(), split_unit(name).name.lower()} for name in names]
    usual = [name for name, words in zip(names, plain, strict=True) if words & set(USUAL)]
    triples = zip(plain, plain[1:], plain[2:], strict=False)
    coordinates = [i for i, words in enumerate(triples, 1) if all(a in b for a, b in zip("xyz", words, strict=True))]
    return [name for name in usual if names.index(name) not in coordinates]


def _numbered(names: list[str], letter: str) -> list[str]:
    return [name for name in names if re.fullmatch(rf"{letter}\d+", split_unit(name).name)]


def _what(table: pl.DataFrame, name: str) -> str:
    dtype = table.get_column(name).dtype
    if dtype == pl.Boolean:
        return "of truth values"
    return "of text" if sum(dtype == pl.String for dtype in table.dtypes) == 1 else "of text that repeats"


def _nothing_stands_out(names: list[str], rivals: list[str] | None = None) -> TargetMissing:
    """Return the question which column is the target; `rivals` are those with a usual name."""
    which = f"{listing(rivals)} could each be the target" if rivals else "no column stands out as the target"
    among = "" if rivals else f" among: {listing(names)}"
    return TargetMissing(
        f"{which}{among}. Say which is to be predicted with --target (target= in Python), e.g. "
        f"--target {_quoted(names[-1])}; --reconstruct (reconstruct=True) needs none and learns the columns themselves"
    )


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.%+-]+", name) else f"'{name}'"
