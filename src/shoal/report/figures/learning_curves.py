"""Learning curves: training and validation loss of the whole population."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.curves import Curves
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.figures.bands import Bands, bands, draw_bands, epoch_axis
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import (
    BLUE,
    DASHED,
    INK,
    LEGEND_ABOVE,
    PAPER,
    VERMILION,
    broken_lines,
    limits,
    log_scale,
    set_log,
    stacked,
)
from shoal.report.figures.tabular import Columns
from shoal.report.words import count

PLACE = 10
OF_ANY_RUN = True


@stored("figure.learning_curves")
@dataclass(frozen=True)
class LearningCurves:
    """The numbers of the figure: bands of both losses, and the best epoch of each kept network.

    `best` is `(kept, 2)`: epoch, counted from 1, and validation loss there; `ids` are the numbers of the kept networks.
    Where every network `diverged`, the curves of the first of them stand in place of those of the kept ones.
    """

    train: Bands
    validation: Bands
    best: np.ndarray
    networks: int
    folds: bool = False
    rolling: bool = False
    ids: tuple[int, ...] = ()
    diverged: bool = False

    def table(self) -> Columns:
        """Return the numbers, one row for each epoch that is drawn; beside them the best epoch of each kept network."""
        epochs = np.union1d(self.train.epochs, self.validation.epochs).astype(int)
        ids = self.ids or tuple(range(len(self.validation.kept)))
        columns: Columns = {"epoch": epochs}
        for name, shown in (("train_loss", self.train), ("validation_loss", self.validation)):
            columns |= shown.table(name, ids, epochs)
        return columns | {"best_epoch": self.best[:, 0].astype(int), "best_validation_loss": self.best[:, 1]}

    @property
    def alt(self) -> str:
        what = "median, bands and the"
        lines = f"{count(len(self.validation.kept), 'network')}, all of which diverged"
        if not self.diverged:
            lines = f"{count(len(self.best), 'kept network')}, with the epochs that they were taken from"
            lines = f"kept network{self._end}" if len(self.best) == 1 else lines
        if self.networks == 1:
            return f"Training and validation loss of the network against the epoch, on the same axes{self._end}."
        return (
            f"Training and validation loss against the epoch for {count(self.networks, 'network')}: {what} {lines}, "
            "both losses on the same axes."
        )

    @property
    def _end(self) -> str:
        return ", until it diverged" if self.diverged else ", with the epoch that it was taken from"

    @property
    def caption(self) -> str:
        colours = "Blue, dashed: loss on the training rows, as it was during the epoch; orange: on the validation rows."
        if self.diverged:
            last = "A curve ends where its loss was no longer a finite number; no network is kept."
            return f"{colours} {last}{self._where}"
        if self.networks == 1:
            return f"{colours} The line and the circle mark the epoch that the network was taken from."
        below = "Below, the kept networks", "Circles: the epochs that they were taken from"
        if len(self.best) == 1:
            below = "Below, the kept network", "Circle: the epoch that it was taken from"
        return (
            "Above, all networks: the line is the median of those still in training; dark and light band: the middle "
            f"50 % and 80 % of them, drawn while a tenth of all is left. {below[0]}. {colours} {below[1]}.{self._where}"
        )

    @property
    def _where(self) -> str:
        of = "part behind the rows that it learned from" if self.rolling else "fold that it did not learn from"
        return f" A network's validation loss is that of the {of}." if self.folds else ""


MOST_DIVERGED, FEW_EPOCHS = 8, 5


def numbers(record: Record) -> LearningCurves | None:
    """Return the numbers of the figure, or None if no epoch was recorded."""
    curves, split, networks = record[Curves], record[SplitRecord], record[Candidates].networks
    kept = [i for i, network in enumerate(networks) if network.kept]
    shown = kept or list(range(min(len(networks), MOST_DIVERGED)))
    validation = bands(curves.validation_loss, shown)
    if not len(validation.epochs):
        return None
    return LearningCurves(
        bands(curves.train_loss, shown),
        validation,
        best_epochs(curves.validation_loss[kept]),
        len(networks),
        split.cv is not None,
        split.rolling is not None,
        tuple(networks[i].id for i in shown),
        not kept,
    )


def best_epochs(curves: np.ndarray) -> np.ndarray:
    """Return epoch and value of the lowest point of each curve `(curves, epochs)`, as `(curves, 2)`.

    >>> best_epochs(np.array([[3.0, 1.0, 2.0]])).tolist()
    [[2.0, 1.0]]
    """
    filled = np.where(np.isfinite(curves), curves, np.inf)
    epoch = filled.argmin(axis=1) if filled.size else np.zeros(0, dtype=int)
    value = filled[np.arange(len(epoch)), epoch]
    points = np.column_stack([epoch + 1.0, value])
    return points[np.isfinite(points).all(axis=1)]


def draw(shown: LearningCurves) -> Figure:
    """Draw the losses of all networks above each other, and below both losses of the kept ones on the same axes."""
    alone = shown.networks == 1
    figure, panels = stacked(1 if alone else 3, 1.55)
    both = [shown.train, shown.validation]
    values = np.concatenate([band.drawn for band in both])
    log = log_scale(values, ratio=8)
    low, high = limits(_without_spikes(values, both), log)
    for axes in panels:
        epoch_axis(axes, shown.validation)
        axes.set_ylabel("loss")
        if log:
            set_log(axes, "y", low, high)
        else:
            axes.set_ylim(low, high)
    for axes, band, colour, title in zip(panels[:-1], both, COLOURS, NAMES, strict=False):
        draw_bands(axes, band, colour)
        axes.set_title(f"{title}, all networks")
    _draw_kept(panels[-1], shown)
    return figure


COLOURS, DASHES, NAMES = (BLUE, VERMILION), ((0, (3, 1.5)), "-"), ("training loss", "validation loss")


def _draw_kept(axes: Axes, shown: LearningCurves) -> None:
    """Draw both losses of the kept networks and the epochs that they were taken from."""
    few = len(shown.validation.kept) == 1
    look: Any = {"lw": 1.3 if few else 0.8, "alpha": 1.0 if few else 0.8}
    for band, colour, dashes, name in zip((shown.train, shown.validation), COLOURS, DASHES, NAMES, strict=True):
        dots = "." if len(band.epochs) <= FEW_EPOCHS else None  # a single epoch makes no line
        axes.plot(*broken_lines(band.epochs, band.kept), color=colour, ls=dashes, marker=dots, label=name, **look)
    if few and len(shown.best):
        axes.axvline(shown.best[0, 0], **DASHED)
    axes.plot(*shown.best.T, "o", ms=3.6, mfc=PAPER, mec=INK, mew=0.8, clip_on=False, zorder=5)
    axes.set_ylabel("loss, diverged" if shown.diverged else "loss" if shown.networks == 1 else "loss, kept networks")
    axes.legend(**LEGEND_ABOVE)


def _without_spikes(values: np.ndarray, both: list[Bands]) -> np.ndarray:
    # A few epochs of a few networks may shoot up by decades; the axis follows the rest.
    tops = np.concatenate([np.append(b.quantiles[4, : b.reliable], b.kept) for b in both])
    tops = tops[np.isfinite(tops)]
    if not tops.size:
        return values
    usual = 1.3 * np.abs(np.quantile(tops, 0.985))
    start = np.concatenate([b.quantiles[4, :1] for b in both])
    kept = np.concatenate([b.kept.ravel() for b in both])
    start = start[start <= max(100 * np.nanmedian(np.abs(kept)), usual / 1.3)]  # not of those that diverge at once
    most = np.nanmax(np.append(start, usual))
    return np.minimum(values[np.isfinite(values)], most)
