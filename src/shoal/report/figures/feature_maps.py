"""What convolutions and poolings of the best network make of one test image or series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from shoal.evaluation.record import Record
from shoal.report.figures.along_time import draw_along
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.rasters import WIDE, fitted, flat, pictures, show, shrink, signed
from shoal.report.figures.style import INK, MUTED, name_text, new_figure
from shoal.report.words import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_MAPS, MOST_LAYERS, MOST_PIXELS = 8, 6, 64


@dataclass(frozen=True)
class FeatureMaps(Drawable):
    """What layers hand on.

    `inputs` `(rows, *shape)` are images or series as they were read, `layers` holds for the name of each convolution
    and pooling its output `(rows, *places, channels)`. Drawn is the first row.
    """

    inputs: np.ndarray
    layers: dict[str, np.ndarray]
    channels: tuple[str, ...] = ()

    @property
    def alt(self) -> str:
        """What the figure shows, in a sentence."""
        what = "image" if self.inputs.ndim == 4 else "series"
        return f"A test {what} and the outputs of {count(len(self.layers), 'layer')} for it."

    @property
    def caption(self) -> str:
        """How to read the figure."""
        if self.inputs.ndim == 3:
            return (
                "A series and what each convolution and pooling makes of it: lines are filters, vermilion numbers are "
                "positive, blue ones negative."
            )
        most = max(values.shape[-1] for values in self.layers.values())
        some = f", the {MOST_MAPS} that vary most" if most > MOST_MAPS else ""
        return (
            f"An image (left) and, in a row for each layer, what its filters answer to it{some}: vermilion is "
            "positive, blue negative, the strongest of each layer in full colour."
        )


def numbers(record: Record) -> FeatureMaps | None:
    """Return the numbers of the figure, or None without a convolution or pooling."""
    signals = record.signals
    if signals is None or not signals.maps:
        return None
    layers = {name: values[None] for name, values in signals.maps}
    steps = None if signals.lengths is None else int(signals.lengths[0])
    return FeatureMaps(signals.values[:1, :steps], layers, signals.channels)


def draw(shown: FeatureMaps) -> Figure:
    """Draw a row of maps for each layer, the image on the left; of a series the maps along its time."""
    if shown.inputs.ndim == 3:
        return draw_along(shown.inputs[0], {name: v[0] for name, v in shown.layers.items()}, "filter")
    layers = list(shown.layers.items())[:MOST_LAYERS]
    title, gap, cell = 0.2, 0.07, WIDE / (MOST_MAPS + 1.35)
    wide, high = fitted(shown.inputs.shape[1:3], cell - gap, 1.2)
    step = high + title + gap
    scale = 1.25
    total = max(len(layers) * step, title + scale * high + gap)
    figure = new_figure(total, WIDE)
    show(figure, (0.03, title, wide * scale, high * scale), pictures(shown.inputs[:1])[0])
    figure.text(0.03 / WIDE, 1 - 0.05 / total, "input", va="top", size=7.5, color=MUTED)
    for row, (name, values) in enumerate(layers):
        left, top = 0.03 + cell * 1.35, row * step
        for place, one in enumerate(most_varied(values[0])):
            show(figure, (left + place * cell, top + title, wide, high), one)
        text = f"{name_text(name, 40)}: {_size(values)}"
        figure.text(left / WIDE, 1 - (top + 0.05) / total, text, va="top", size=7.5, color=INK)
    return figure


def _size(values: np.ndarray) -> str:
    *places, maps = values.shape[1:]
    return f"{' × '.join(map(str, places))}, {count(maps, 'map')}"


def most_varied(values: np.ndarray) -> list[np.ndarray]:
    """Return the pixels of the up to eight maps `(*places, maps)` that vary most, in their order."""
    spread = values.reshape(-1, values.shape[-1]).std(axis=0)
    chosen = np.sort(np.argsort(-spread, kind="stable")[:MOST_MAPS])
    most = float(np.abs(values).max(initial=0.0))
    return [signed(shrink(flat(values[..., c]), MOST_PIXELS), most) for c in chosen]
