"""Losses of one residual, with their slopes, and of a few rows with an outlier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shoal.workbench.learn.drawing import axes, drawing, line, points
from shoal.workbench.learn.figure import Choice, Figure, Slider, State

OTHERS = np.array([-0.9, -0.5, -0.2, 0.0, 0.1, 0.3, 0.8])
"""Labels beside the one that is moved."""
LOSSES: dict[str, tuple[str, Callable[[np.ndarray, float], np.ndarray]]] = {
    "mse": ("squared error", lambda r, _: r**2),
    "mae": ("absolute error", lambda r, _: np.abs(r)),
    "huber": ("Huber", lambda r, d: np.where(np.abs(r) <= d, 0.5 * r**2, d * (np.abs(r) - 0.5 * d))),
    "logcosh": ("log cosh", lambda r, _: np.log(np.cosh(r))),
}
PREDICTIONS = np.linspace(-3.0, 3.0, 601)


def compute(state: State, _: None) -> dict[str, Any]:
    """Return the loss over the residual, and the mean loss of eight rows over the prediction."""
    name, r, delta = state["loss"], state["residual"], state["delta"]
    words, loss = LOSSES[name]
    across = np.linspace(-4.0, 4.0, 321)
    values, slopes = loss(across, delta), np.gradient(loss(across, delta), across)
    here = float(loss(np.array(r), delta))
    labels = np.append(OTHERS, r)
    means = loss(labels[None, :] - PREDICTIONS[:, None], delta).mean(axis=1)
    best = PREDICTIONS[means.argmin()]
    top = float(np.nanmax(means))
    panels = [
        axes(
            f"{words.capitalize()} and its slope",
            (-4.0, 4.0, "residual y − ŷ"),
            (-4.0, 6.0, "loss"),
            [
                line(across, values, label=words),
                line(across, slopes, "vermilion", dash=True, label="slope"),
                points([r], [here], "blue", size=5),
            ],
        ),
        axes(
            "Eight labels, one prediction for all",
            (-3.0, 4.0, "prediction"),
            (0.0, top * 1.05, "mean loss"),
            [
                line(PREDICTIONS, means),
                points(OTHERS, np.zeros(7), "ink", size=4, label="labels"),
                points([r], [0.0], "vermilion", size=5, label="the label that you move"),
                points([best], [means.min()], "green", size=5, label="best prediction"),
            ],
        ),
    ]
    rmse = float(np.sqrt(np.mean((labels - best) ** 2)))
    say = (
        f"The {words} of a residual {r:.1f} is {here:.3f}. The best prediction for all eight labels is {best:.2f}: "
        f"their mean is {labels.mean():.2f}, their median {np.median(labels):.2f}."
    )
    facts = [("Loss", f"{here:.3f}"), ("Best prediction", f"{best:.2f}"), ("RMSE there", f"{rmse:.3f}")]
    return drawing(panels, say, facts)


FIGURE = Figure(
    "losses",
    "Training",
    1,
    "Losses",
    "How wrong a prediction is, in one number. Move one label away from the others and see which loss follows it.",
    (
        r"\mathrm{MSE} = \frac{1}{m} \sum_{i=1}^{m} (y_i - \hat{y}_i)^2, \qquad \mathrm{RMSE} = \sqrt{\mathrm{MSE}}, "
        r"\qquad \mathrm{MAE} = \frac{1}{m} \sum_{i=1}^{m} |y_i - \hat{y}_i|",
    ),
    "Which single prediction makes the MSE of many labels smallest, and which the MAE?",
    "Their mean, and their median. So one label far away pulls the answer of the MSE, and hardly that of the MAE.",
    (
        Choice("loss", "Loss", {name: words for name, (words, _) in LOSSES.items()}),
        Slider("residual", "The label that you move", -4.0, 4.0, 3.0, 0.1),
        Slider("delta", "δ of Huber", 0.1, 3.0, 1.0, 0.1),
    ),
    compute,
)
