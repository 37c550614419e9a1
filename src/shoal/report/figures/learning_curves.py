"""Learning curves: training and validation loss of the whole population."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.curves import Curves
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.figures.bands import Bands, bands, draw_bands, epoch_axis
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import BLUE, INK, PAPER, VERMILION, limits, log_scale, set_log, stacked
from shoal.report.figures.tabular import Columns
from shoal.report.words import count

PLACE = 10


@stored("figure.learning_curves")
@dataclass(frozen=True)
class LearningCurves:
    """The numbers of the figure: bands of both losses, and the best epoch of each kept network.

    `best` is `(kept, 2)`: epoch, counted from 1, and validation loss there; `ids` are the numbers of the kept networks.
    """

    train: Bands
    validation: Bands
    best: np.ndarray
    networks: int
    folds: bool = False
    rolling: bool = False
    ids: tuple[int, ...] = ()

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
        """What the figure shows, in a sentence."""
        return (
            f"Training and validation loss against the epoch for {count(self.networks, 'network')}: "
            f"median, bands and the {count(len(self.best), 'kept network')}."
        )

    @property
    def caption(self) -> str:
        """How to read the figure."""
        kept = "Thin lines: the kept networks; circles: the epochs that they were taken from."
        if self.networks == 1:
            return "The line is the network; the circle is the epoch that it was taken from."
        return (
            "Line: median of the networks still in training; dark and light band: the middle 50 % and 80 % "
            f"of them, drawn while a tenth of all is left. {kept}{self._where}"
        )

    @property
    def _where(self) -> str:
        of = "part behind the rows that it learned from" if self.rolling else "fold that it did not learn from"
        return f" A network's validation loss is that of the {of}." if self.folds else ""


def numbers(record: Record) -> LearningCurves | None:
    """Return the numbers of the figure, or None if no epoch was recorded."""
    curves, split, networks = record[Curves], record[SplitRecord], record[Candidates].networks
    kept = [i for i, network in enumerate(networks) if network.kept]
    validation = bands(curves.validation_loss, kept)
    if not len(validation.epochs):
        return None
    return LearningCurves(
        bands(curves.train_loss, kept),
        validation,
        best_epochs(curves.validation_loss[kept]),
        len(networks),
        split.cv is not None,
        split.rolling is not None,
        tuple(networks[i].id for i in kept),
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
    """Draw the training loss above the validation loss, on the same scale."""
    figure, (above, below) = stacked(2, 1.55)
    both = [shown.train, shown.validation]
    values = np.concatenate([band.drawn for band in both])
    log = log_scale(values, ratio=8)
    low, high = limits(_without_spikes(values, both), log)
    for axes, band, colour, title in (
        (above, shown.train, BLUE, "training loss"),
        (below, shown.validation, VERMILION, "validation loss"),
    ):
        draw_bands(axes, band, colour)
        epoch_axis(axes, shown.validation)
        axes.set_title(title)
        axes.set_ylabel("loss")
        if log:
            set_log(axes, "y", low, high)
        else:
            axes.set_ylim(low, high)
    below.plot(*shown.best.T, "o", ms=3.6, mfc=PAPER, mec=INK, mew=0.8, clip_on=False, zorder=5)
    return figure


def _without_spikes(values: np.ndarray, both: list[Bands]) -> np.ndarray:
    # A few epochs of a few networks may shoot up by decades; the axis follows the rest.
    tops = np.concatenate([np.append(b.quantiles[4, : b.reliable], b.kept) for b in both])
    tops = tops[np.isfinite(tops)]
    if not tops.size:
        return values
    start = [b.quantiles[4, :1] for b in both]
    most = np.nanmax(np.concatenate([*start, [1.3 * np.abs(np.quantile(tops, 0.985))]]))
    return np.minimum(values[np.isfinite(values)], most)
