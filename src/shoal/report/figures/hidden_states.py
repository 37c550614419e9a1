"""What recurrent layers of the best network remember along one test series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.examples import SignalRecord
from shoal.report.figures.along_time import colours_of, draw_along, steps_of
from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.tabular import Columns, lines, side_by_side
from shoal.report.words import count

PLACE = 300


@stored("figure.hidden_states")
@dataclass(frozen=True, repr=False)
class HiddenStates(Drawable):
    """The hidden states of recurrent layers after each step.

    `inputs` `(rows, time, channels)` are the series as they were read, `layers` holds for the name of each recurrent
    layer its states `(rows, time, units)`. Drawn is the first row.
    """

    inputs: np.ndarray
    layers: dict[str, np.ndarray]
    channels: tuple[str, ...] = ()

    def table(self) -> Columns:
        """Return the numbers of the first row, one row for each step; a column for each unit of each layer."""
        units = {
            f"{name}_{i + 1}": states[0][:, i] for name, states in self.layers.items() for i in range(states.shape[-1])
        }
        return side_by_side([lines({"input": self.inputs[0]}, self.channels), units])

    @property
    def alt(self) -> str:
        units = sum(values.shape[-1] for values in self.layers.values())
        return f"A series and the states of {count(units, 'hidden unit')} along it."

    @property
    def caption(self) -> str:
        return (
            "A test series and the hidden state after each of its steps: lines are units, vermilion is positive, blue "
            f"negative, the strongest in full colour.{colours_of(self.channels)}"
        )


def numbers(record: Record) -> HiddenStates | None:
    """Return the numbers of the figure, or None without a recurrent layer."""
    signals = record.get(SignalRecord)
    if signals is None or not signals.states:
        return None
    steps = steps_of(signals, 0)
    layers = {}
    for name, values in signals.states:
        all_steps = len(values) == signals.shape[0]  # a convolution before it may have made the series shorter
        layers[name] = values[None, :steps] if all_steps else values[None]
    return HiddenStates(signals.values[:1, :steps], layers, signals.channels)


def draw(shown: HiddenStates) -> Figure:
    """Draw the series, and the states of each layer below it."""
    return draw_along(shown.inputs[0], {name: values[0] for name, values in shown.layers.items()}, "unit")
