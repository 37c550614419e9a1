"""What a careful person would want to know about a table before anything is trained on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from shoal.data.columns import Column
from shoal.data.dataset import Dataset
from shoal.data.leaks import from_the_future, giveaways, leaks_of_split, repeated_rows
from shoal.data.odd_labels import odd_labels
from shoal.data.signals import Signals
from shoal.data.split.split import Split
from shoal.errors import counted, listing
from shoal.results import Task
from shoal.short_repr import ShortRepr
from shoal.statistics.weighted import effective_number, negative_fraction

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
        head = f"{self.kind} of {shape} {unit} with {counted(count, 'channel')}, {self.dtype}"
        ranges = (
            f"{name}: {shown(low)} … {shown(high)}, mean {shown(mean)}" for name, low, high, mean in self.channels
        )
        return [head, *ranges]


@dataclass(frozen=True, repr=False)
class Description(ShortRepr):
    """The table of columns of a dataset with notes (what was done) and warnings (what to look at).

    `signals` sums up images or series, where there are any; `units` are those of columns, where they are known;
    `row` says what a row is: `row` of a table, `image`, `series` or `window`.
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
    units: Mapping[str, str] = field(default_factory=dict)
    row: str = "row"

    def as_dict(self) -> dict[str, Any]:
        """Return the description as plain data for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def lines(self) -> list[tuple[str, ...]]:
        """Return one line per column as text.

        Each is `(name, type, role, missing, different, lowest, highest, why dropped)`.
        """
        return [
            (c.name, str(c.kind), c.role, str(c.missing), str(c.distinct), shown(c.low), shown(c.high), c.reason)
            for c in self.columns
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


def describe(dataset: Dataset, split: Split | None = None) -> Description:
    """Return the table of columns of a dataset with warnings about what may spoil a result.

    Args:
        dataset: the data as loaded.
        split: how its rows are split, if that is known; warnings then name rows and groups that are on both sides.

    Example:
        >>> from shoal.data.loading import load_dataset
        >>> describe(load_dataset({"x": [0.0, 1.0] * 6, "y": [0.1 * i for i in range(12)]})).rows
        12
    """
    counts: dict[str, int] = {}
    for each in dataset.of_each_target if dataset.task is Task.CLASSIFICATION else ():
        counts |= {f"{each.targets[0]}={name}" if each.beside else name: n for name, n in _counts(each).items()}
    warnings = [
        *_few_rows(dataset),
        *dataset.cautions,
        *_imbalance(dataset),
        *_few_groups(dataset),
        *odd_labels(dataset),
        *(repeated_rows(dataset) if split is None else leaks_of_split(dataset, split)),
        *giveaways(dataset),
        *from_the_future(dataset),
        *_mostly_missing(dataset),
        *_weights(dataset),
    ]
    return Description(
        name=dataset.name,
        source=dataset.source,
        rows=dataset.rows,
        task_name=dataset.task_name,
        targets=dataset.targets,
        classes=counts,
        columns=dataset.columns,
        notes=(*dataset.refinement, *dataset.notes),
        warnings=tuple(warnings),
        sha256=dataset.sha256,
        signals=None if dataset.signals is None else _summary(dataset.signals),
        units=dict(dataset.units),
        row=dataset.unit,
    )


def _summary(signals: Signals) -> SignalSummary:
    low, high, mean = signals.ranges()
    channels = zip(signals.channels, low.tolist(), high.tolist(), mean.tolist(), strict=True)
    shortest = None if signals.lengths is None else int(signals.lengths.min())
    return SignalSummary(signals.kind, signals.shape, signals.values.dtype.name, tuple(channels), shortest)


def _few_rows(dataset: Dataset) -> list[str]:
    if dataset.rows < _MANY_ROWS:
        return [f"Only {counted(dataset.rows, dataset.unit)}: the test score will be very uncertain."]
    features = len(dataset.features)
    if dataset.rows < 5 * features:
        return [f"{dataset.rows:,} rows for {counted(features, 'feature')}: fewer than five rows for each."]
    return []


def _counts(dataset: Dataset) -> dict[str, int]:
    """Return how many rows or steps each class has."""
    y = dataset.y()
    return dict(zip(dataset.classes, np.bincount(y[y >= 0], minlength=len(dataset.classes)).tolist(), strict=True))


def _imbalance(dataset: Dataset) -> list[str]:
    if dataset.classes_by_target:
        return [f"{each.targets[0]!r}: {warning}" for each in dataset.of_each_target for warning in _imbalance(each)]
    warnings, unit = [], "step" if dataset.step_targets is not None else dataset.unit
    if dataset.task is Task.CLASSIFICATION:
        counts = _counts(dataset)
        rarest, most = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
        if counts[most] >= 10 * counts[rarest]:
            warnings.append(
                f"The classes are out of balance: {counted(counts[rarest], unit)} of {rarest!r} and {counts[most]:,} "
                f"of {most!r}. Look at the balanced accuracy, not at the accuracy."
            )
        elif few := [name for name, count in counts.items() if count < 10]:
            verb = "has" if len(few) == 1 else "have"
            rows = counted(10, unit).replace("10", "ten")
            warnings.append(f"{listing(few)} {verb} fewer than {rows}: too few to learn or to test.")
    return warnings


def _few_groups(dataset: Dataset) -> list[str]:
    groups = dataset.groups()
    if groups is None or (number := len(np.unique(groups))) >= 10:
        return []
    return [f"Only {counted(number, 'different group')}: the test score depends on which are in the test."]


def _mostly_missing(dataset: Dataset) -> list[str]:
    names = [column.name for column in dataset.features if column.missing > 0.5 * dataset.rows]
    verb = "has" if len(names) == 1 else "have"
    return [f"{listing(names)} {verb} no value in more than half of the rows."] if names else []


def _weights(dataset: Dataset) -> list[str]:
    weights = dataset.weights()
    if weights is None:
        return []
    effective, negative = effective_number(weights), negative_fraction(weights)
    count = f"{dataset.rows:,} rows count as {effective:,.0f} (square of the sum over sum of the squares)"
    if negative > 0:
        return [
            f"{100 * negative:.2g} % of the rows have a negative weight; {count}. Networks and baselines learn from "
            "the mean weights of rows that are alike, none of them negative; scores use the weights with their signs."
        ]
    return [f"The weights are so uneven that {count}."] if effective <= 0.5 * dataset.rows else []
