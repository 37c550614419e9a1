"""What a careful person would want to know about a table before anything is trained on it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from shoal.data.columns import Column, Kind
from shoal.data.conversion import is_date, labels, to_days, to_numbers
from shoal.data.dataset import Dataset
from shoal.data.signals import Signals
from shoal.errors import listing
from shoal.results import Task

_COPY = 0.9999
_MANY_ROWS = 100


@dataclass(frozen=True)
class SignalSummary:
    """What images or series are: the shape of one, their number type, and lowest, highest and mean of each channel.

    `shortest` is the number of steps of the shortest series where they differ.
    """

    kind: str
    shape: tuple[int, ...]
    dtype: str
    channels: tuple[tuple[str, float, float, float], ...]
    shortest: int | None = None

    def lines(self) -> list[str]:
        """Return sentences for people."""
        shape = " × ".join(map(str, self.shape[:-1]))
        shape = shape if self.shortest is None else f"{self.shortest} to {shape}"
        unit, count = ("pixels" if self.kind == "images" else "steps"), len(self.channels)
        head = f"{self.kind} of {shape} {unit} with {count} channel{'s' if count > 1 else ''}, {self.dtype}"
        ranges = (
            f"{name}: {shown(low)} … {shown(high)}, mean {shown(mean)}" for name, low, high, mean in self.channels
        )
        return [head, *ranges]


@dataclass(frozen=True)
class Description:
    """The table of columns of a dataset with notes (what was done) and warnings (what to look at).

    `signals` sums up images or series, where there are any.
    """

    name: str
    source: str
    rows: int
    task_name: str
    targets: tuple[str, ...]
    classes: dict[str, int]
    columns: tuple[Column, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    sha256: str
    signals: SignalSummary | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the description as plain data for JSON."""
        d = asdict(self)
        d["columns"] = [{**asdict(column), "kind": str(column.kind)} for column in self.columns]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in d.items()}

    def lines(self) -> list[tuple[str, ...]]:
        """Return one line per column as text.

        Each is `(name, type, role, missing, different, lowest, highest, why dropped)`.
        """
        return [
            (
                column.name,
                str(column.kind),
                column.role,
                str(column.missing),
                str(column.distinct),
                shown(column.low),
                shown(column.high),
                column.reason,
            )
            for column in self.columns
        ]


def shown(value: float | str | None) -> str:
    """Return an end of a column's range as short text.

    >>> shown(0.12345), shown(None)
    ('0.1235', '')
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else f"{value:.4g}" if abs(value) < 1e4 else f"{value:.7g}"
    return text if len(text) <= 24 else text[:23] + "…"


def describe(dataset: Dataset) -> Description:
    """Return the table of columns of a dataset with warnings about what may spoil a result.

    Args:
        dataset: the data as loaded.

    Example:
        >>> from shoal.data.loading import load_dataset
        >>> describe(load_dataset({"x": [0.0, 1.0] * 6, "y": [0.1 * i for i in range(12)]})).rows
        12
    """
    counts: dict[str, int] = {}
    if dataset.task is Task.CLASSIFICATION:
        y = dataset.y()
        numbers = np.bincount(y[y >= 0], minlength=len(dataset.classes))
        counts = dict(zip(dataset.classes, numbers.tolist(), strict=True))
    warnings = [
        *_few_rows(dataset),
        *_imbalance(dataset, counts),
        *_duplicates(dataset),
        *_giveaways(dataset),
        *_mostly_missing(dataset),
        *_weights(dataset),
    ]
    return Description(
        dataset.name,
        dataset.source,
        dataset.rows,
        dataset.task_name,
        dataset.targets,
        counts,
        dataset.columns,
        dataset.notes,
        tuple(warnings),
        dataset.sha256,
        None if dataset.signals is None else _summary(dataset.signals),
    )


def _summary(signals: Signals) -> SignalSummary:
    low, high, mean = signals.ranges()
    channels = zip(signals.channels, low.tolist(), high.tolist(), mean.tolist(), strict=True)
    shortest = None if signals.lengths is None else int(signals.lengths.min())
    return SignalSummary(signals.kind, signals.shape, signals.values.dtype.name, tuple(channels), shortest)


def _few_rows(dataset: Dataset) -> list[str]:
    if dataset.rows < _MANY_ROWS:
        return [f"Only {dataset.rows} rows: the test score will be very uncertain."]
    features = len(dataset.features)
    if dataset.rows < 5 * features:
        return [f"{dataset.rows} rows for {features} features: fewer than five rows for each."]
    return []


def _imbalance(dataset: Dataset, counts: dict[str, int]) -> list[str]:
    warnings = []
    if counts:
        rarest, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
        if counts[most] >= 10 * counts[rarest]:
            warnings.append(
                f"The classes are out of balance: {counts[rarest]:,} rows of {rarest!r} and {counts[most]:,} "
                f"of {most!r}. Look at the balanced accuracy, not at the accuracy."
            )
        elif few := [name for name, count in counts.items() if count < 10]:
            verb = "has" if len(few) == 1 else "have"
            warnings.append(f"{listing(few)} {verb} fewer than ten rows: too few to learn or to test.")
    groups = dataset.groups()
    if groups is not None and (number := len(np.unique(groups))) < 10:
        warnings.append(f"Only {number} different groups: the test score depends on which are in the test.")
    return warnings


def _duplicates(dataset: Dataset) -> list[str]:
    answers = list(dataset.targets) if dataset.step_targets is None else []
    names = [column.name for column in dataset.features] + answers
    columns = [dataset.table.get_column(name) for name in names]
    what = "features"
    if dataset.signals is not None:
        columns.append(pl.Series("content", dataset.signals.digests(), dtype=pl.Binary))
        what = "pixels" if dataset.signals.kind == "images" else "steps"
    used = pl.DataFrame(columns)
    repeated = dataset.rows - used.n_unique()
    if not repeated:
        return []
    rows = f"{repeated:,} row{' repeats' if repeated == 1 else 's repeat'}"
    return [
        f"{rows} an earlier one in all {what} and targets. Copies on both sides of the split make the test "
        "score too good."
    ]


def _giveaways(dataset: Dataset) -> list[str]:
    """Find features that alone determine the target."""
    if dataset.task is Task.CLASSIFICATION:
        y = dataset.y()
        names = [column.name for column in dataset.features if _tells_class(dataset, column, y)]
        return [_giveaway(name, "tells the classes apart without an error") for name in names]
    warnings = []
    values = dataset.y()
    for column in dataset.features:
        if column.kind not in (Kind.NUMBER, Kind.DATE, Kind.BOOLEAN):
            continue
        x = _numbers(dataset.table.get_column(column.name))
        for name, y in zip(dataset.targets, values.T, strict=True):
            if _correlation(x, y) > _COPY:
                warnings.append(_giveaway(column.name, f"is {name!r} up to a factor and an offset, nearly"))
    return warnings


def _giveaway(name: str, what: str) -> str:
    return f"{name!r} alone {what}. Would it be known when you predict? If not, ignore it."


def _numbers(series: pl.Series) -> np.ndarray:
    read = to_days(series) if is_date(series) else to_numbers(series)
    return read.fill_null(float("nan")).to_numpy()


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the absolute Pearson correlation over rows where x is known; 0 for fewer than ten rows."""
    known = ~np.isnan(x)
    if known.sum() < 10:
        return 0.0
    x, y = x[known] - x[known].mean(), y[known] - y[known].mean()
    x, y = x / (np.abs(x).max() or 1.0), y / (np.abs(y).max() or 1.0)
    norm = float(np.sqrt(x @ x) * np.sqrt(y @ y))
    return abs(float(x @ y)) / norm if norm > 0 else 0.0


def _tells_class(dataset: Dataset, column: Column, y: np.ndarray) -> bool:
    """Whether equal or neighbouring values of a feature always have the same class.

    A number does when the rows sorted by it change class only as often as there are classes; a category
    when none of its levels has two classes and levels are much fewer than rows.
    """
    series = dataset.table.get_column(column.name)
    if series.null_count() > 0.5 * len(series):
        return False
    if column.kind in (Kind.CATEGORY, Kind.BOOLEAN, Kind.TEXT):
        pairs = pl.DataFrame({"x": labels(series), "y": y}).drop_nulls()
        levels = pairs.get_column("x").n_unique()
        some = 10 * levels <= pairs.height and pairs.get_column("y").n_unique() > 1
        return some and pairs.n_unique() == levels
    x = _numbers(series)
    known = ~np.isnan(x)
    x, y = x[known], y[known]
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    change = y[1:] != y[:-1]
    classes = len(np.unique(y))
    return classes > 1 and int(change.sum()) == classes - 1 and not bool((change & (x[1:] == x[:-1])).any())


def _mostly_missing(dataset: Dataset) -> list[str]:
    names = [column.name for column in dataset.features if column.missing > 0.5 * dataset.rows]
    verb = "has" if len(names) == 1 else "have"
    return [f"{listing(names)} {verb} no value in more than half of the rows."] if names else []


def _weights(dataset: Dataset) -> list[str]:
    weights = dataset.weights()
    if weights is None:
        return []
    unit = weights / weights.max()
    effective = unit.sum() ** 2 / (unit @ unit)
    if effective > 0.5 * dataset.rows:
        return []
    return [
        f"The weights are so uneven that {dataset.rows:,} rows count as {effective:,.0f} "
        "(square of the sum over sum of the squares)."
    ]
