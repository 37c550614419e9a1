"""The validation metric over the epochs, and how many networks were still in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.curves import Curves
from shoal.evaluation.topics.data import DataRecord
from shoal.report.figures.bands import Bands, bands, draw_bands, epoch_axis
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import GREEN, MUTED, fit_axis, stacked
from shoal.report.figures.tabular import Columns
from shoal.report.words import count, label

PLACE = 20
OF_ANY_RUN = True


@stored("figure.validation_metric")
@dataclass(frozen=True)
class ValidationMetric:
    """The numbers of the figure: bands of the metric; their `networks` is the lower panel.

    `ids` are the numbers of the kept networks.
    """

    metric: Bands
    name: str
    networks: int
    of: str = "target"
    ids: tuple[int, ...] = ()

    def table(self) -> Columns:
        shown, ids = self.metric, self.ids or tuple(range(len(self.metric.kept)))
        counted = {"epoch": shown.epochs, "networks_in_training": shown.networks}
        return counted | shown.table(f"validation_{self.name}", ids, shown.epochs)

    @property
    def label(self) -> str:
        """The metric in words, with its unit."""
        return f"{label(self.name)} (normalised {self.of})" if self.name == "rmse" else label(self.name)

    @property
    def alt(self) -> str:
        return f"Validation {label(self.name)} of {count(self.networks, 'network')} against the epoch."

    @property
    def caption(self) -> str:
        unit = f" The RMSE is that of the normalised {self.of}." if self.name == "rmse" else ""
        if self.networks == 1:
            return f"The {label(self.name)} of the same network on the validation rows.{unit}"
        return (
            f"The same bands for the {label(self.name)} on the validation rows.{unit} Below: the networks in "
            "training at each epoch. The bands lose those that stopped early, so their right end shows the "
            "patient ones only."
        )


def numbers(record: Record) -> ValidationMetric | None:
    """Return the numbers of the figure, or None if the metric was not recorded."""
    networks = record[Candidates].networks
    kept = [i for i, network in enumerate(networks) if network.kept]
    metric = bands(record[Curves].validation_metric, kept)
    if not len(metric.epochs):
        return None
    of = "inputs" if record[DataRecord].reconstructs else "target"
    ids = tuple(networks[i].id for i in kept)
    return ValidationMetric(metric, record[Curves].metric_name, len(networks), of, ids)


def draw(shown: ValidationMetric) -> Figure:
    """Draw the metric, and below it the number of networks if there are several."""
    single = shown.networks == 1
    figure, panels = stacked(1 if single else 2, 1.55)
    above = panels[0]
    draw_bands(above, shown.metric, GREEN)
    epoch_axis(above, shown.metric)
    above.set_title(f"validation {shown.label}")
    above.set_ylabel(label(shown.name))
    fit_axis(above, "y", shown.metric.drawn, ratio=np.inf if shown.name.endswith("accuracy") else 8)
    if not single:
        below = panels[1]
        below.step(shown.metric.epochs, shown.metric.networks, where="post", color=MUTED, lw=1.2)
        below.fill_between(shown.metric.epochs, shown.metric.networks, step="post", color=MUTED, alpha=0.15, lw=0)
        epoch_axis(below, shown.metric)
        below.set_ylim(0, shown.metric.networks.max() * 1.06)
        below.set(title="networks in training", ylabel="networks")
        below.locator_params(axis="y", nbins=6, integer=True)
    return figure
