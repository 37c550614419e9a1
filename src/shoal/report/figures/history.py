"""The course of one training: loss and metrics of training and validation rows by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from shoal.report.figures.canvas import Figure
from shoal.report.figures.learning_curves import COLOURS, DASHES, FEW_EPOCHS
from shoal.report.figures.style import LEGEND_ABOVE, fit_axis, stacked


def draw_history(history: Mapping[str, Sequence[float]]) -> Figure:
    """Draw a panel for the loss and each metric of a history with Keras' names, `loss`, `val_loss`, ..."""
    names = [name for name in history if not name.startswith("val_")]
    figure, panels = stacked(len(names), 1.55)
    for axes, name in zip(panels, names, strict=True):
        curves = [np.asarray(history.get(f"{start}{name}", ()), float) for start in ("", "val_")]
        for curve, colour, dashes, label in zip(curves, COLOURS, DASHES, ("training", "validation"), strict=True):
            if len(curve):
                dots = "." if len(curve) <= FEW_EPOCHS else None  # a single epoch makes no line
                axes.plot(
                    np.arange(1, len(curve) + 1), curve, color=colour, ls=dashes, marker=dots, label=label, lw=1.3
                )
        fit_axis(axes, "y", np.concatenate(curves))
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.legend(**LEGEND_ABOVE)
    return figure
