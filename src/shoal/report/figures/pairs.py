"""Images or series beside their reconstructions, in rows of pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.evaluation.record import ReconstructedRows, ReconstructionRecord, Record
from shoal.report.figures.rasters import WIDE, fitted, pictures, show
from shoal.report.figures.style import BLUE, INK, MUTED, VERMILION, add_axes, limits, name_text, new_figure
from shoal.report.words import number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS, COLUMNS_OF_SERIES = 6, 3


@dataclass(frozen=True)
class Pairs:
    """`truth` and `guess` `(few, *shape)`, a title for each row, and whether it is an anomaly."""

    truth: np.ndarray
    guess: np.ndarray
    titles: tuple[str, ...]
    anomalies: tuple[bool, ...]
    what: str
    alt: str

    @property
    def caption(self) -> str:
        """How to read the figure."""
        marked = " Rows above the threshold are framed." if any(self.anomalies) and self.truth.ndim == 4 else ""
        below = "the input above, what the best network makes of it below"
        if self.truth.ndim == 3:
            below = "the input grey, what the best network makes of it blue; of several channels the first"
        return f"{self.what}: {below}. Above each stands its anomaly score.{marked}"


def pairs_of(record: Record, which: str, what: str) -> Pairs | None:
    """Return the `usual` or the `strangest` rows; None where there are none or they are those of a table."""
    found = record.reconstruction
    if found is None or found.kind == "table":
        return None
    few: ReconstructedRows = getattr(found, which)
    anomalies = tuple((found.scores[few.rows] > found.threshold).tolist())
    alt = f"{what}, {len(few.rows)} of them, beside their reconstructions."
    return Pairs(few.truth, few.guess, tuple(_title(found, int(row)) for row in few.rows), anomalies, what, alt)


def _title(found: ReconstructionRecord, row: int) -> str:
    score = number(float(found.scores[row]), 2)
    if found.labels is None:
        return score
    label = found.labels[row]
    text = str(label) if found.labels.dtype.kind == "U" else number(float(label), 3)
    return f"{name_text(text, 12)} · {score}"


def draw_pairs(shown: Pairs) -> Figure:
    """Draw images as pictures below each other, series as lines in one frame."""
    return _images(shown) if shown.truth.ndim == 4 else _series(shown)


def _images(shown: Pairs) -> Figure:
    low, high = float(shown.truth.min()), float(shown.truth.max())
    raster = pictures(np.concatenate([shown.truth, np.clip(shown.guess, low, high)]))
    count, cell, text, gap = len(shown.truth), (WIDE - 0.1) / COLUMNS, 0.19, 0.12
    wide, tall = fitted(shown.truth.shape[1:3], cell - gap, 1.2)
    step = 2 * tall + 0.05 + text + gap
    figure = new_figure(math.ceil(count / COLUMNS) * step, WIDE)
    for i in range(count):
        left, top = 0.05 + (i % COLUMNS) * cell + (cell - wide) / 2, i // COLUMNS * step + text
        frame = VERMILION if shown.anomalies[i] else MUTED
        axes = show(figure, (left, top, wide, tall), raster[i], frame=frame)
        title: dict[str, Any] = {"ha": "center", "va": "bottom", "size": 7, "color": INK, "transform": axes.transAxes}
        axes.text(0.5, 1 + 0.045 / tall, shown.titles[i], **title)
        show(figure, (left, top + tall + 0.05, wide, tall), raster[count + i], frame=frame)
    return figure


def _series(shown: Pairs) -> Figure:
    count, tall, text = len(shown.truth), 0.85, 0.22
    cell = (WIDE - 0.1) / COLUMNS_OF_SERIES
    step = tall + text + 0.1
    height = math.ceil(count / COLUMNS_OF_SERIES) * step
    figure = new_figure(height, WIDE)
    for i in range(count):
        left, top = 0.05 + (i % COLUMNS_OF_SERIES) * cell, i // COLUMNS_OF_SERIES * step + text
        right = WIDE - left - cell + 0.12
        axes = add_axes(figure, left, height - top - tall, right, top)
        axes.plot(shown.truth[i, :, 0], color=MUTED, lw=0.9)
        axes.plot(shown.guess[i, :, 0], color=BLUE, lw=1.1)
        axes.set(xticks=[], yticks=[], ylim=limits(np.stack([shown.truth[i, :, 0], shown.guess[i, :, 0]]), log=False))
        colour = VERMILION if shown.anomalies[i] else INK
        axes.set_title(shown.titles[i], size=7, color=colour, pad=3)
    return figure
