"""The course of one training: loss and metrics of training and validation rows by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.learning_curves import COLOURS, DASHES, FEW_EPOCHS
from shoal.report.figures.style import LEGEND_ABOVE, fit_axis, stacked


@dataclass(frozen=True)
class History(Drawable):
    """The curves of one training by Keras' names: `loss` and metrics, with `val_` before those of validation rows."""

    curves: Mapping[str, Sequence[float]]


def draw(shown: History) -> Figure:
    """Draw a panel for the loss and each metric."""
    names = [name for name in shown.curves if not name.startswith("val_")]
    figure, panels = stacked(len(names), 1.55)
    for axes, name in zip(panels, names, strict=True):
        curves = [np.asarray(shown.curves.get(f"{start}{name}", ()), float) for start in ("", "val_")]
        for curve, colour, dashes, label in zip(curves, COLOURS, DASHES, ("training", "validation"), strict=True):
            if len(curve):
                dots = "." if len(curve) <= FEW_EPOCHS else None  # a single epoch makes no line
                epochs = np.arange(1, len(curve) + 1)
                axes.plot(epochs, curve, color=colour, ls=dashes, marker=dots, label=label, lw=1.3)
        fit_axis(axes, "y", np.concatenate(curves))
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.legend(**LEGEND_ABOVE)
    return figure
