"""Images or series beside their reconstructions, in rows of pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.reconstruction import ReconstructedRows, ReconstructionRecord
from shoal.report.figures.canvas import Figure
from shoal.report.figures.rasters import fitted, pictures, show, shrunk, write_beside
from shoal.report.figures.style import BLUE, INK, MUTED, VERMILION, add_axes, limits, name_text, new_figure, wide
from shoal.report.figures.tabular import Columns, lines, pixels
from shoal.report.words import number

CELL, CELL_OF_SERIES = 1.08, 1.6  # inches, their width at least


@stored("figure.pairs")
@dataclass(frozen=True)
class Pairs:
    """`truth` and `guess` `(few, *shape)`, a title for each row, and whether it is an anomaly."""

    truth: np.ndarray
    guess: np.ndarray
    titles: tuple[str, ...]
    anomalies: tuple[bool, ...]
    what: str
    alt: str
    channels: tuple[str, ...] = ()

    def table(self) -> Columns:
        """Return the numbers, one row for each pixel or step, each row beside its reconstruction."""
        both: dict[str, np.ndarray] = {}
        for i, (truth, guess) in enumerate(zip(self.truth, self.guess, strict=True), 1):
            both |= {f"input_{i} ({self.titles[i - 1]})": truth, f"reconstruction_{i}": guess}
        return (pixels if self.truth.ndim == 4 else lines)(both, self.channels)

    @property
    def caption(self) -> str:
        marked = " Rows above the threshold are framed." if any(self.anomalies) and self.truth.ndim == 4 else ""
        below = "the input above, what the best network makes of it below"
        if self.truth.ndim == 3:
            below = "the input grey, what the best network makes of it blue and dashed; of several channels the first"
        return f"{self.what}: {below}. Above each stands its anomaly score.{marked}"


def pairs_of(record: Record, which: str, what: str) -> Pairs | None:
    """Return the `usual` or the `strangest` rows; None where there are none or they are those of a table."""
    reconstruction = record.get(ReconstructionRecord)
    if reconstruction is None or reconstruction.kind == "table":
        return None
    few: ReconstructedRows = getattr(reconstruction, which)
    anomalies = tuple((reconstruction.scores[few.rows] > reconstruction.threshold).tolist())
    alt = f"{what}, {len(few.rows)} of them, beside their reconstructions."
    truth, guess = (shrunk(few.truth), shrunk(few.guess)) if few.truth.ndim == 4 else (few.truth, few.guess)
    titles = tuple(_title(reconstruction, int(row)) for row in few.rows)
    return Pairs(truth, guess, titles, anomalies, what, alt, reconstruction.names)


def _title(reconstruction: ReconstructionRecord, row: int) -> str:
    score = number(float(reconstruction.scores[row]), 2)
    if reconstruction.labels is None:
        return score
    label = reconstruction.labels[row]
    text = str(label) if reconstruction.labels.dtype.kind == "U" else number(float(label), 3)
    return f"{name_text(text, 12)} · {score}"


def draw(shown: Pairs) -> Figure:
    """Draw images as pictures below each other, series as lines in one frame."""
    return _images(shown) if shown.truth.ndim == 4 else _series(shown)


def _images(shown: Pairs) -> Figure:
    low, high = float(shown.truth.min()), float(shown.truth.max())
    raster = pictures(np.concatenate([shown.truth, np.clip(shown.guess, low, high)]))
    count, columns = len(shown.truth), max(1, int(wide() / CELL))
    cell, text, gap = (wide() - 0.1) / columns, 0.19, 0.12
    across, tall = fitted(shown.truth.shape[1:3], cell - gap, 1.2)
    step = 2 * tall + 0.05 + text + gap
    figure = new_figure(math.ceil(count / columns) * step, wide())
    for i in range(count):
        left, top = 0.05 + (i % columns) * cell + (cell - across) / 2, i // columns * step + text
        frame = VERMILION if shown.anomalies[i] else MUTED
        box = left, top, across, tall
        show(figure, box, raster[i], frame=frame)
        write_beside(figure, box, shown.titles[i], INK)
        show(figure, (left, top + tall + 0.05, across, tall), raster[count + i], frame=frame)
    return figure


def _series(shown: Pairs) -> Figure:
    count, tall, text = len(shown.truth), 0.85, 0.22
    columns = min(3, max(1, int(wide() / CELL_OF_SERIES)))
    cell = (wide() - 0.1) / columns
    step = tall + text + 0.1
    height = math.ceil(count / columns) * step
    figure = new_figure(height, wide())
    for i in range(count):
        left, top = 0.05 + (i % columns) * cell, i // columns * step + text
        right = wide() - left - cell + 0.12
        axes = add_axes(figure, left, height - top - tall, right, top)
        axes.plot(shown.truth[i, :, 0], color=MUTED, lw=0.9)
        axes.plot(shown.guess[i, :, 0], color=BLUE, lw=1.1, ls=(0, (3.5, 1.2)))
        axes.set(xticks=[], yticks=[], ylim=limits(np.stack([shown.truth[i, :, 0], shown.guess[i, :, 0]]), log=False))
        colour = VERMILION if shown.anomalies[i] else INK
        axes.set_title(shown.titles[i], size=7, color=colour, pad=3)
    return figure
