"""Test images with what they show and what the ensemble takes them for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.examples import SignalRecord
from shoal.report.figures.canvas import Figure
from shoal.report.figures.examples import Label, labels, meaning, order_of, wrong_ones
from shoal.report.figures.rasters import fitted, pictures, show, shrunk, write_beside
from shoal.report.figures.style import INK, MUTED, VERMILION, name_text, new_figure, wide
from shoal.report.figures.tabular import Columns, pixels
from shoal.report.words import count

PLACE = 220
CELL = 1.08  # inches, the width of an image with its texts at least


@stored("figure.example_images")
@dataclass(frozen=True)
class ExampleImages:
    """The numbers of the figure: `values` `(images, height, width, channels)`, a label for each, names of the channels.

    Of large images, `values` are the means of neighbouring pixels.
    """

    values: np.ndarray
    labels: tuple[Label, ...]
    texts: str
    channels: tuple[str, ...] = ()

    def table(self) -> Columns:
        """Return the numbers, one row for each pixel; a column for each channel of each image, with its label."""
        names = [f"image_{i} ({label.text})" for i, label in enumerate(self.labels, 1)]
        return pixels(dict(zip(names, self.values, strict=True)), self.channels)

    @property
    def alt(self) -> str:
        return f"{count(len(self.labels), 'test image')}{wrong_ones(self.labels)}."

    @property
    def caption(self) -> str:
        which = order_of(self.labels, "Test images", "; the last missed most")
        channels = self.values.shape[-1]
        mixed = "" if channels in (1, 3, 4) else f" Brightness: the mean of the {channels} channels."
        return f"{which} {self.texts}{mixed}"


def numbers(record: Record) -> ExampleImages | None:
    """Return the numbers of the figure, or None where rows are no images."""
    signals = record.get(SignalRecord)
    if signals is None or signals.kind != "images" or not len(signals.rows):
        return None
    return ExampleImages(shrunk(signals.values), labels(record, signals.rows), meaning(record), signals.channels)


def draw(shown: ExampleImages) -> Figure:
    """Draw the images in rows, the truth above and the prediction below each."""
    raster = pictures(shown.values)
    columns = max(1, int(wide() / CELL))
    cell, text, gap = (wide() - 0.1) / columns, 0.17, 0.12
    across, high = fitted(shown.values.shape[1:3], cell - gap, 1.5)
    rows = math.ceil(len(raster) / columns)
    step = high + 2 * text + gap
    figure = new_figure(rows * step, wide())
    letters = int(cell / 0.062)
    for i, (image, label) in enumerate(zip(raster, shown.labels, strict=True)):
        left, top = 0.05 + (i % columns) * cell + (cell - across) / 2, i // columns * step + text
        frame = VERMILION if label.right is False else MUTED
        box = left, top, across, high
        show(figure, box, image, frame=frame)
        write_beside(figure, box, name_text(label.true, letters), INK)
        write_beside(figure, box, label.said_within(letters - 7), label.colour, below=True)
    return figure
