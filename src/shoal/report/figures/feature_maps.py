"""What convolutions and poolings of the best network make of one test image or series."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.examples import SignalRecord
from shoal.report.figures.along_time import draw_along
from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.rasters import fitted, flat, pictures, show, shrink, shrunk, signed
from shoal.report.figures.style import INK, MUTED, name_text, new_figure, wide
from shoal.report.figures.tabular import Columns, lines, side_by_side
from shoal.report.words import count

PLACE = 280
MOST_MAPS, MOST_LAYERS, MOST_PIXELS = 8, 6, 64


@stored("figure.feature_maps")
@dataclass(frozen=True, repr=False)
class FeatureMaps(Drawable):
    """What layers hand on.

    `inputs` `(rows, *shape)` are images or series as they were read, `layers` holds for the name of each convolution
    and pooling its output `(rows, *places, channels)`. Drawn is the first row. Where only the maps that are drawn are
    kept of it, `sizes` holds the shape that it had, `strongest` the largest absolute number.
    """

    inputs: np.ndarray
    layers: dict[str, np.ndarray]
    channels: tuple[str, ...] = ()
    sizes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    strongest: dict[str, float] = field(default_factory=dict)

    def table(self) -> Columns:
        """Return the numbers of the maps that are drawn, one row for each; of series one row for each step."""
        if self.inputs.ndim == 3:
            maps = {f"{name}_{i + 1}": one[0][:, i] for name, one in self.layers.items() for i in range(one.shape[-1])}
            return side_by_side([lines({"input": self.inputs[0]}, self.channels), maps])
        parts = [_rows(name, self.layers[name][0]) for name in list(self.layers)[:MOST_LAYERS]]
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

    @property
    def alt(self) -> str:
        what = "image" if self.inputs.ndim == 4 else "series"
        return f"A test {what} and the outputs of {count(len(self.layers), 'layer')} for it."

    @property
    def caption(self) -> str:
        if self.inputs.ndim == 3:
            return (
                "A series and what each convolution and pooling makes of it: lines are filters, vermilion numbers are "
                "positive, blue ones negative."
            )
        most = max(self.sizes.get(name, values.shape)[-1] for name, values in self.layers.items())
        some = f", the {MOST_MAPS} that vary most" if most > MOST_MAPS else ""
        return (
            f"An image (left) and, in a row for each layer, what its filters answer to it{some}: vermilion is "
            "positive, blue negative, the strongest of each layer in full colour."
        )


def numbers(record: Record) -> FeatureMaps | None:
    """Return the numbers of the figure, or None without a convolution or pooling."""
    signals = record.get(SignalRecord)
    if signals is None or not signals.maps:
        return None
    layers = {name: values[None] for name, values in signals.maps}
    steps = None if signals.lengths is None else int(signals.lengths[0])
    if signals.kind == "series":
        return FeatureMaps(signals.values[:1, :steps], layers, signals.channels)
    drawn = {name: np.stack(most_varied(values[0]), axis=-1)[None] for name, values in layers.items()}
    sizes = {name: tuple(values.shape) for name, values in layers.items()}
    strongest = {name: float(np.abs(values).max(initial=0.0)) for name, values in layers.items()}
    return FeatureMaps(shrunk(signals.values[:1]), drawn, signals.channels, sizes, strongest)


def _rows(layer: str, maps: np.ndarray) -> Columns:
    """Return the numbers of maps `(height, width, maps)`, one row for each."""
    shown = np.stack(most_varied(maps), axis=-1)
    row, column, number = np.indices(shown.shape).reshape(3, -1) + 1
    names = np.full(shown.size, name_text(layer, 40))
    return {"layer": names, "map": number, "row": row, "column": column, "value": shown.ravel()}


def draw(shown: FeatureMaps) -> Figure:
    """Draw a row of maps for each layer, the image on the left; of a series the maps along its time."""
    if shown.inputs.ndim == 3:
        return draw_along(shown.inputs[0], {name: v[0] for name, v in shown.layers.items()}, "filter")
    layers = list(shown.layers.items())[:MOST_LAYERS]
    title, gap, across = 0.2, 0.07, MOST_MAPS if wide() > 4.5 else MOST_MAPS // 2
    cell = wide() / (across + 1.35)
    width, high = fitted(shown.inputs.shape[1:3], cell - gap, 1.2)
    scale, lines_each = 1.25, -(-MOST_MAPS // across)
    step = lines_each * (high + gap) + title
    total = max(len(layers) * step, title + scale * high + gap)
    figure = new_figure(total, wide())
    show(figure, (0.03, title, width * scale, high * scale), pictures(shown.inputs[:1])[0])
    figure.text(0.03 / wide(), 1 - 0.05 / total, "input", va="top", size=7.5, color=MUTED)
    left = 0.03 + cell * 1.35
    for row, (name, values) in enumerate(layers):
        top = row * step
        most = shown.strongest.get(name) or float(np.abs(values[0]).max(initial=0.0))
        for i, one in enumerate(most_varied(values[0])):
            line, place = divmod(i, across)
            show(figure, (left + place * cell, top + title + line * (high + gap), width, high), signed(one, most))
        text = f"{name_text(name, 40)}: {_size(shown.sizes.get(name, values.shape))}"
        figure.text(left / wide(), 1 - (top + 0.05) / total, text, va="top", size=7.5, color=INK)
    return figure


def _size(shape: tuple[int, ...]) -> str:
    *places, maps = shape[1:]
    return f"{' × '.join(map(str, places))}, {count(maps, 'map')}"


def most_varied(values: np.ndarray) -> list[np.ndarray]:
    """Return the up to eight maps `(*places, maps)` that vary most, in their order, as sharp as they are drawn."""
    spread = values.reshape(-1, values.shape[-1]).std(axis=0)
    chosen = np.sort(np.argsort(-spread, kind="stable")[:MOST_MAPS])
    return [shrink(flat(values[..., c]), MOST_PIXELS).astype(np.float32) for c in chosen]
