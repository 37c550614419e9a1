"""The data that figures draw: curves, classes in a plane, images and series, built in or the user's own, made small."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import polars as pl

from shoal.data.conversion import to_numbers
from shoal.data.dataset import Dataset
from shoal.data.loading import load_dataset
from shoal.errors import DataError, SettingError
from shoal.results import Task

Kind = Literal["curve", "classes", "images", "series"]
MOST_ROWS, MOST_PIXELS, MOST_STEPS = 300, 12, 60
"""What figures take of larger data, so that they answer at once."""
CHOICES = 200
"""Most columns or rows that are offered."""
NOTES_IMAGE = ("0111000", "0011100", "0001110", "0001100", "0011000", "0110000", "1100000")
"""The image of figure 5 of the notes."""


@dataclass(frozen=True)
class Pick:
    """A choice that the data offer: a column or a row."""

    name: str
    label: str
    options: tuple[str, ...]
    chosen: str


@dataclass(frozen=True, eq=False)
class FigureData:
    """Small data for a figure.

    Attributes:
        kind: decides what `x` and `y` are.
        name: of the data.
        x: curve: `(rows, 1)` from -1 to 1; classes: `(rows, 2)` with mean zero and deviation one; images:
            `(rows, height, width)` from 0 to 1; series: `(steps,)`, at most one in size.
        y: curve: `(rows, 1)` with mean zero and deviation one; classes and images: class numbers `(rows,)`.
        labels: of the axes, `(x, y)`.
        classes: their names.
        picks: what else of the data could be drawn.
        row: of the images, which is looked at.
    """

    kind: Kind
    name: str
    x: np.ndarray
    y: np.ndarray
    labels: tuple[str, str] = ("x", "y")
    classes: tuple[str, ...] = ()
    picks: tuple[Pick, ...] = ()
    row: int = 0

    @property
    def image(self) -> np.ndarray:
        """The image that is looked at, `(height, width)`."""
        return np.asarray(self.x[self.row])


def _scaled(x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=0)
    return np.asarray(centred / np.maximum(centred.std(axis=0), 1e-12), np.float32)


def _curve(
    name: str, x: np.ndarray, y: np.ndarray, labels: tuple[str, str], picks: tuple[Pick, ...] = ()
) -> FigureData:
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    span = np.ptp(x) or 1.0
    across = np.asarray(2.0 * (x - x.min()) / span - 1.0, np.float32)
    return FigureData("curve", name, across[:, None], _scaled(y)[:, None], labels, picks=picks)


def _classes(name: str, x: np.ndarray, y: np.ndarray, classes: tuple[str, ...] = ("first", "second")) -> FigureData:
    return FigureData("classes", name, _scaled(x), y.astype(np.int64), ("x1", "x2"), classes)


def _sine(noise: float) -> FigureData:
    random = np.random.default_rng(0)
    x = random.uniform(-1.0, 1.0, 60)
    return _curve("sine", x, np.sin(4.0 * x) + noise * random.normal(size=60), ("x", "y"))


def _bend() -> FigureData:
    random = np.random.default_rng(0)
    x = random.uniform(-1.0, 1.0, 60)
    return _curve("bend", x, np.tanh(2.5 * x) + 0.1 * random.normal(size=60), ("x", "y"))


def _exclusive_or() -> FigureData:
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (200, 2))
    return _classes("exclusive or", x, (x[:, 0] * x[:, 1] > 0).astype(int))


def _two_clouds() -> FigureData:
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 80)
    return _classes("two clouds", random.normal(size=(160, 2)) + np.where(y, 1.3, -1.3)[:, None], y)


def _ring() -> FigureData:
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 100)
    radius, angle = np.where(y, 2.0, 0.6) + 0.25 * random.normal(size=200), random.uniform(0.0, 2 * np.pi, 200)
    return _classes("ring", np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y)


def _spirals() -> FigureData:
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], 100)
    turn = np.tile(np.linspace(0.3, 1.0, 100), 2)
    angle = 2.2 * np.pi * turn + np.pi * y
    x = turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _classes("spirals", x + 0.03 * random.normal(size=(200, 2)), y)


def _pulse() -> FigureData:
    values = 0.06 * np.random.default_rng(0).normal(size=40)
    values[5] = 1.0
    return FigureData("series", "pulse", values.astype(np.float32), np.empty(0), ("step", "x"))


def _wave() -> FigureData:
    t = np.arange(40)
    values = np.sin(2 * np.pi * t / 13.0) * np.exp(-t / 30.0)
    return FigureData("series", "damped wave", values.astype(np.float32), np.empty(0), ("step", "x"))


def _notes_image() -> FigureData:
    pixels = np.array([[float(c) for c in row] for row in NOTES_IMAGE])
    return FigureData("images", "image of the notes", pixels[None], np.zeros(1, np.int64))


GENERATED: Mapping[str, Callable[[], FigureData]] = {
    "sine": lambda: _sine(0.0),
    "noisy_sine": lambda: _sine(0.4),
    "bend": _bend,
    "two_clouds": _two_clouds,
    "exclusive_or": _exclusive_or,
    "ring": _ring,
    "spirals": _spirals,
    "pulse": _pulse,
    "wave": _wave,
    "notes_image": _notes_image,
}
"""Data that are computed on the spot; other names are those of shoal's built-in sets."""


@lru_cache(maxsize=64)
def builtin_data(kind: Kind, name: str, picks: tuple[tuple[str, str], ...] = ()) -> FigureData:
    """Return built-in data of a kind.

    Raises:
        SettingError: no data of this name, or of another kind.
        DataError: a set without such data.

    Example:
        >>> builtin_data("classes", "iris").x.shape
        (150, 2)
    """
    if name in GENERATED:
        made = GENERATED[name]()
        if made.kind != kind:
            raise SettingError(f"data: {name} are {made.kind}, the figure draws {kind}")
        return made
    return data_of(load_dataset(name), kind, dict(picks))


def data_of(dataset: Dataset, kind: Kind, picks: Mapping[str, str] | None = None) -> FigureData:
    """Return what a figure draws of a dataset.

    Args:
        dataset: of the user, or built in.
        kind: of the data.
        picks: columns or rows by the names of the `Pick`s; those left out are chosen.

    Raises:
        DataError: the dataset has nothing of this kind; it says what would do.
        SettingError: a pick that is not among the options.
    """
    return {"curve": _curve_of, "classes": _classes_of, "images": _images_of, "series": _series_of}[kind](
        dataset, dict(picks or {})
    )


def _pick(picks: Mapping[str, str], name: str, label: str, options: tuple[str, ...], default: int = 0) -> Pick:
    options = options[:CHOICES]
    chosen = picks.get(name, options[min(default, len(options) - 1)])
    if chosen not in options:
        raise SettingError(f"{name}: expected one of {', '.join(options[:12])}, got {chosen!r}")
    return Pick(name, label, options, chosen)


def _numeric(dataset: Dataset, fewest: int, what: str) -> tuple[str, ...]:
    names = (
        ()
        if dataset.signals is not None
        else tuple(column.name for column in dataset.features if dataset.table[column.name].dtype.is_numeric())
    )
    if len(names) < fewest:
        raise DataError(
            f"this figure draws {what}; {dataset.name} has {len(names)} numeric features. Choose other data"
        )
    return names


def _some(dataset: Dataset, *names: str) -> np.ndarray:
    """Return the positions of some rows in which all of these columns are numbers, spread evenly."""
    whole = np.ones(dataset.rows, bool)
    for name in names:
        whole &= np.isfinite(_column(dataset, name))
    rows = np.flatnonzero(whole)
    if len(rows) < 4:
        raise DataError(f"only {len(rows)} rows have numbers in {' and '.join(names)}; choose another column")
    return rows if len(rows) <= MOST_ROWS else rows[np.linspace(0, len(rows) - 1, MOST_ROWS).astype(int)]


def _column(dataset: Dataset, name: str) -> np.ndarray:
    return np.asarray(
        to_numbers(dataset.table.get_column(name)).cast(pl.Float64).fill_null(np.nan).to_numpy(), np.float64
    )


def _curve_of(dataset: Dataset, picks: Mapping[str, str]) -> FigureData:
    if dataset.task is not Task.REGRESSION or dataset.step_targets is not None:
        raise DataError(f"this figure draws a number over a feature; {dataset.name} is {dataset.task_name}")
    feature = _pick(picks, "first", "Feature", _numeric(dataset, 1, "a number over a feature"))
    target = _pick(picks, "target", "Target", dataset.targets)
    rows = _some(dataset, feature.chosen, target.chosen)
    x, y = (_column(dataset, pick.chosen)[rows] for pick in (feature, target))
    return _curve(dataset.name, x, y, (feature.chosen, target.chosen), (feature, target))


def _classes_of(dataset: Dataset, picks: Mapping[str, str]) -> FigureData:
    if not dataset.classes or dataset.step_targets is not None:
        raise DataError(f"this figure draws classes in a plane; {dataset.name} is {dataset.task_name}")
    names = _numeric(dataset, 2, "two features of classes")
    first = _pick(picks, "first", "First feature", names, 0)
    second = _pick(picks, "second", "Second feature", names, 1)
    rows = _some(dataset, first.chosen, second.chosen)
    x = np.stack([_column(dataset, pick.chosen)[rows] for pick in (first, second)], axis=1)
    labels = (first.chosen, second.chosen)
    return FigureData("classes", dataset.name, _scaled(x), dataset.y()[rows], labels, dataset.classes, (first, second))


def _images_of(dataset: Dataset, picks: Mapping[str, str]) -> FigureData:
    if dataset.signals is None or dataset.signals.kind != "images":
        raise DataError(f"this figure draws images; {dataset.name} has none. Choose other data")
    rows = np.linspace(0, dataset.rows - 1, min(dataset.rows, MOST_ROWS + 100)).astype(int)
    values = np.asarray(dataset.signals[rows].values, np.float64).mean(axis=-1)
    images = np.stack([_shrunk(image) for image in values])
    low, high = images.min(), images.max()
    row = _pick(picks, "row", "Image", tuple(str(i) for i in range(min(len(images), CHOICES))))
    y = dataset.y()[rows] if dataset.classes else np.zeros(len(rows), np.int64)
    x = (images - low) / ((high - low) or 1.0)
    return FigureData("images", dataset.name, x, y, classes=dataset.classes, picks=(row,), row=int(row.chosen))


def _shrunk(image: np.ndarray) -> np.ndarray:
    """Return an image of at most twelve pixels a side, each the mean of a block; what is left over is cut off."""
    block = -(-max(image.shape) // MOST_PIXELS)
    height, width = (max(1, size // block) for size in image.shape)
    part = image[: height * block, : width * block]
    blocks = part.reshape(height, part.shape[0] // height, width, part.shape[1] // width)
    return np.asarray(blocks.mean(axis=(1, 3)))


def _series_of(dataset: Dataset, picks: Mapping[str, str]) -> FigureData:
    chosen: tuple[Pick, ...]
    if dataset.signals is not None and dataset.signals.kind == "series":
        row = _pick(picks, "row", "Series", tuple(str(i) for i in range(min(dataset.rows, CHOICES))))
        channel = _pick(picks, "channel", "Channel", dataset.signals.channels)
        one = dataset.signals[np.array([int(row.chosen)])]
        values = np.asarray(one.values[0, :, dataset.signals.channels.index(channel.chosen)], np.float64)
        values, chosen, label = (
            values[: None if one.lengths is None else one.lengths[0]],
            (row, channel),
            channel.chosen,
        )
    else:
        names = (*_numeric(dataset, 0, "a series"), *(dataset.targets if not dataset.classes else ()))
        if not names:
            raise DataError(f"this figure draws a series; {dataset.name} has no column of numbers. Choose other data")
        column = _pick(picks, "first", "Column", names)
        values, chosen, label = _column(dataset, column.chosen), (column,), column.chosen
    values = values[np.isfinite(values)][:MOST_STEPS]
    if len(values) < 4:
        raise DataError(f"this figure draws a series of at least four steps, {dataset.name} has {len(values)}")
    scaled = (values - values.mean()) / (np.abs(values - values.mean()).max() or 1.0)
    return FigureData("series", dataset.name, scaled.astype(np.float32), np.empty(0), ("step", label), picks=chosen)
