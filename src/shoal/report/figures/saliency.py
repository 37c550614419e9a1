"""Which pixels or steps the answer hangs on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.examples import SignalRecord
from shoal.report.figures.along_time import common_limits, draw_lines, scaled, step_axis
from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.examples import Label, labels, right_and_wrong
from shoal.report.figures.rasters import fitted, pictures, show, shrink, shrunk, signed, write_beside
from shoal.report.figures.style import VERMILION, add_axes, new_figure, wide
from shoal.report.figures.tabular import Columns, lines, pixels
from shoal.report.words import count

PLACE = 290
MOST_IMAGES, MOST_SERIES, MOST_PIXELS = 6, 4, 96
CELL = 1.08  # inches, the width of an image with its text at least


@stored("figure.saliency")
@dataclass(frozen=True, repr=False)
class Saliency(Drawable):
    """How the score of a class hangs on each number of the input (Simonyan et al. 2014).

    `inputs` and `values` are `(rows, *shape)`: images or series as they were read, and `|d score / d input|`, the mean
    over the networks, taken before the last activation. `labels` are empty where the truth is not known.
    """

    inputs: np.ndarray
    values: np.ndarray
    labels: tuple[Label, ...] = ()
    lengths: np.ndarray | None = None

    def table(self) -> Columns:
        """Return the numbers that are drawn, one row for each pixel or step; a column for each image or series."""
        images = self.inputs.ndim == 4
        what, few = ("image", MOST_IMAGES) if images else ("series", MOST_SERIES)
        labels = [f" ({label.text})" for label in self.labels] or [""] * len(self.inputs)
        maps = {f"saliency_of_{what}_{i + 1}{labels[i]}": self.maps[i] for i in range(min(few, len(self.inputs)))}
        return pixels(maps) if images else lines(maps)

    @property
    def alt(self) -> str:
        what = "image" if self.inputs.ndim == 4 else "series"
        several = count(min(len(self.inputs), MOST_IMAGES), what, "series" if what == "series" else None)
        return f"{several}, and how strongly the answer hangs on each {self._point}."

    @property
    def caption(self) -> str:
        numbers = bool(self.labels) and self.labels[0].right is None
        what = "the prediction" if numbers else "the score of the predicted class"
        return (
            f"The stronger the colour, the more {what} changes with this {self._point}: |gradient| with respect to the "
            "input, the largest of the channels, the mean over networks (Simonyan et al. 2014). It tells where the "
            "networks look, not whether they are right to."
        )

    @property
    def maps(self) -> np.ndarray:
        """The largest of the channels, `(rows, height, width)` or `(rows, time)`."""
        return self.values.max(axis=-1)

    @property
    def _point(self) -> str:
        return "pixel" if self.inputs.ndim == 4 else "step"


def numbers(record: Record) -> Saliency | None:
    """Return the numbers of the figure, or None where rows are neither images nor series."""
    signals = record.get(SignalRecord)
    if signals is None or signals.saliency is None or not len(signals.rows) or not np.isfinite(signals.saliency).all():
        return None
    all_labels = labels(record, signals.rows)
    chosen = right_and_wrong(all_labels, MOST_IMAGES if signals.kind == "images" else MOST_SERIES)
    lengths = None if signals.lengths is None else signals.lengths[chosen]
    shown = tuple(all_labels[i] for i in chosen)
    inputs, values = signals.values[chosen], signals.saliency[chosen]
    if signals.kind == "images":  # as sharp as they are drawn
        values = np.stack([shrink(one, MOST_PIXELS) for one in values.max(axis=-1)])[..., None]
        inputs = shrunk(inputs)
    return Saliency(inputs, values.astype(np.float32), shown, lengths)


def draw(shown: Saliency) -> Figure:
    """Draw each image above its map, or each series above the strip of its steps."""
    return _images(shown) if shown.inputs.ndim == 4 else _series(shown)


def _images(shown: Saliency) -> Figure:
    few = min(len(shown.inputs), MOST_IMAGES)
    columns = min(MOST_IMAGES, max(1, int(wide() / CELL)))
    cell, gap, text = (wide() - 0.1) / columns, 0.1, 0.18
    across, high = fitted(shown.inputs.shape[1:3], cell - gap, 1.4)
    step = 2 * high + gap + text + 0.05
    figure = new_figure(math.ceil(few / columns) * step, wide())
    raster, letters = pictures(shown.inputs[:few]), int(cell / 0.062)
    for i, (image, strength) in enumerate(zip(raster, shown.maps[:few], strict=True)):
        left, top = 0.05 + i % columns * cell + (cell - gap - across) / 2, i // columns * step + text
        box = left, top, across, high
        show(figure, box, image)
        show(figure, (left, top + high + gap, across, high), signed(shrink(strength, MOST_PIXELS)))
        if shown.labels:
            label = shown.labels[i]
            write_beside(figure, box, label.said_within(letters - 7), label.colour)
    return figure


def _series(shown: Saliency) -> Figure:
    few = min(len(shown.inputs), MOST_SERIES)
    above, strip, title, left = 0.62, 0.13, 0.24, 0.1
    step = above + strip + title + 0.1
    total = few * step + 0.32
    figure = new_figure(total, wide())
    for i in range(few):
        steps = len(shown.inputs[i]) if shown.lengths is None else max(1, int(shown.lengths[i]))
        lines, strength = scaled(shown.inputs[i, :steps]), shown.maps[i, :steps]
        top = i * step + title
        axes = add_axes(figure, left, total - top - above, 0.1, top)
        draw_lines(axes, lines)
        axes.set(yticks=[], xticklabels=[], ylim=common_limits([lines]))
        if shown.labels:
            axes.set_title(shown.labels[i].said_within(40), color=shown.labels[i].colour)
        axes = add_axes(figure, left, total - top - above - strip - 0.04, 0.1, top + above + 0.04)
        raster = signed(shrink(strength[None], 400))
        axes.imshow(raster, interpolation="none", aspect="auto", extent=(0.5, steps + 0.5, 0, 1))
        axes.set(yticks=[], xticklabels=[])
        axes.spines[:].set(visible=True, color=VERMILION, linewidth=0.4)
        axes.tick_params(length=2)
    step_axis(axes)
    return figure
