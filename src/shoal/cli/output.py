"""What commands print: tables for people, JSON for scripts."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    from rich.console import Console

# Into a file or a pipe, tables are as wide as they need to be, within reason.
WIDTH_OF_FILES = 200


def console(*, stderr: bool = False) -> Console:
    """Return a console on stdout or stderr as they are now."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDTH_OF_FILES, highlight=False)


def print_json(value: Any) -> None:
    """Print strict JSON: numbers that are not finite become null, letters that the stream lacks are escaped."""
    lacking = not str(sys.stdout.encoding).lower().startswith("utf")
    sys.stdout.write(json.dumps(plain(value), indent=2, allow_nan=False, ensure_ascii=lacking) + "\n")


def print_csv(table: pl.DataFrame) -> None:
    """Print a table as CSV in UTF-8, as in a file, whatever the letters of the stream."""
    sys.stdout.flush()
    sys.stdout.buffer.write(table.write_csv().encode())  # polars would write past the buffer


def plain(value: Any) -> Any:
    """Return a value as plain data for JSON.

    >>> plain({"a": (1, float("nan")), 2: None})
    {'a': [1, None], '2': None}
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "as_dict"):
        return plain(value.as_dict())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        return plain(value.tolist())
    return str(value)


def print_text(text: str) -> None:
    """Print a text as it is, wrapped only by the terminal."""
    console().print(text, markup=False, soft_wrap=True)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[int] = ()) -> None:
    """Print a table; `right` numbers the columns that are aligned on the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    right = set(right)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(Text(name), justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console().print(table)


def interval(score: Any) -> str:
    """Return `value [low, high]` for an Interval or its plain form in `metrics.json`."""
    from shoal.report.words import interval as in_words
    from shoal.results import Interval

    if score is None:
        return "–"
    if isinstance(score, Mapping):
        score = Interval.of(score)
    return in_words(score)


def label(name: str, unit: str = "") -> str:
    """Return the name of a metric or method as words, with its unit if it has one."""
    from shoal.report.words import label as in_words

    return in_words(name, unit)
