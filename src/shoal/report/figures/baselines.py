"""The ensemble beside the simple baselines, each score with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.scores import PartScores
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import BLUE, MUTED, PAPER, add_axes, fit_axis, name_rows, narrow, new_figure, text_width
from shoal.report.figures.tabular import Columns
from shoal.report.words import greater_is_better, joined, label
from shoal.results import Interval, Task

PLACE = 200
SHOWN = {
    Task.CLASSIFICATION: ("log_loss", "accuracy"),
    Task.REGRESSION: ("rmse", "r2"),
    Task.RECONSTRUCTION: ("reconstruction_error", "explained_variance"),
}
MOST_CHOSEN = 2
ROW = 0.25  # inches


@stored("baselines.panel")
@dataclass(frozen=True)
class MetricPanel:
    """One metric: `values` is `(models, 3)`: score, low and high end of its interval; `unit` is its unit."""

    metric: str
    values: np.ndarray
    unit: str = ""


@stored("figure.baselines")
@dataclass(frozen=True)
class Baselines:
    """The numbers of the figure; the ensemble is the first of `models`."""

    models: tuple[str, ...]
    panels: tuple[MetricPanel, ...]

    def table(self) -> Columns:
        value, low, high = np.concatenate([panel.values for panel in self.panels]).T
        return {
            "model": [*self.models] * len(self.panels),
            "metric": [label(panel.metric, panel.unit) for panel in self.panels for _ in self.models],
            "value": value,
            "low": low,
            "high": high,
        }

    @property
    def alt(self) -> str:
        metrics = joined(label(p.metric) for p in self.panels)
        return f"Scores on the test rows with intervals, {metrics}, of {joined(self.models)}."

    @property
    def caption(self) -> str:
        return (
            "Scores on the test rows with 95 % intervals; the vertical line is the ensemble's. The same rows "
            "lie behind all of them, so two models can differ although their intervals overlap."
        )


def numbers(record: Record) -> Baselines | None:
    """Return the numbers of the figure, or None if there are no test scores."""
    ensemble, baselines = record[PartScores].test, record.get(BaselineScores)
    if baselines is None:
        return None
    everyone = [ensemble, *baselines.scores.values()]
    panels = tuple(
        MetricPanel(
            metric, np.array([_three(scores.get(metric)) for scores in everyone]), record[DataRecord].score_unit(metric)
        )
        for metric in dict.fromkeys((*record[PartScores].chosen[:MOST_CHOSEN], *SHOWN[record[DataRecord].task]))
        if metric in ensemble
    )
    names = (scored_name(record), *(label(name) for name in baselines.scores))
    return Baselines(names, panels) if panels else None


def scored_name(record: Record) -> str:
    """Return what stands for shoal beside the baselines: its ensemble, or the network that reconstructs."""
    if record.get(ReconstructionRecord) is not None:
        return "shoal's best network"
    return "shoal's ensemble" if len(record[Candidates].kept) > 1 else "shoal's network"


def _three(score: Interval | None) -> tuple[float, float, float]:
    return (np.nan,) * 3 if score is None else (score.value, score.low, score.high)


def draw(shown: Baselines) -> Figure:
    """Draw dots with whiskers, one panel per metric."""
    left = text_width(shown.models) + 0.12
    height = ROW * len(shown.models)
    step = height + 0.62
    figure = new_figure(step * len(shown.panels))
    for i, panel in enumerate(shown.panels):
        axes = add_axes(figure, left, step * (len(shown.panels) - 1 - i) + 0.5, 0.14, step * i + 0.12)
        _panel(axes, panel, shown.models)
    return figure


def _panel(axes: Axes, panel: MetricPanel, models: tuple[str, ...]) -> None:
    value, low, high = panel.values.T
    room = axes.get_position().width * narrow()
    axes.axvline(value[0], color=BLUE, lw=0.7, alpha=0.5)
    for row in range(len(models)):
        colour, face, width = (BLUE, BLUE, 2.0) if row == 0 else (MUTED, PAPER, 1.2)
        axes.plot([low[row], high[row]], [row, row], color=colour, lw=width, solid_capstyle="butt")
        axes.plot([value[row]], [row], "o", color=colour, mfc=face, mew=1.0, ms=5 if row == 0 else 4, clip_on=False)
    name_rows(axes, models)
    fit_axis(axes, "x", panel.values, ratio=12)
    if axes.get_xscale() == "linear":
        axes.locator_params(axis="x", nbins=max(2, int(room / 0.45)))
    better = {True: " (better to the right)", False: " (better to the left)", None: ""}[greater_is_better(panel.metric)]
    text = f"{label(panel.metric, panel.unit)}{better}"
    axes.set_xlabel(text, loc="right" if text_width([text], 8) > room else "center")
