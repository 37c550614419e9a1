"""How the anomaly scores of the test rows are spread, and where the threshold lies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.report.figures.canvas import Figure
from shoal.report.figures.style import BLUE, INK, VERMILION, add_axes, log_scale, new_figure, set_log
from shoal.report.figures.tabular import Columns
from shoal.report.words import count, number

PLACE = 180
BINS = 40


@stored("figure.anomaly_histogram")
@dataclass(frozen=True)
class AnomalyHistogram:
    """The numbers of the figure: `counts` of test rows between `edges`, and the threshold."""

    edges: np.ndarray
    counts: np.ndarray
    threshold: float
    above: int
    rate: float
    log: bool

    def table(self) -> Columns:
        low = self.edges[:-1]
        above = low >= self.threshold
        return {"score_low": low, "score_high": self.edges[1:], "test_rows": self.counts, "above_threshold": above}

    @property
    def alt(self) -> str:
        rows = count(int(self.counts.sum()), "test row")
        return f"Anomaly scores of {rows}, {self.above} of them above the threshold {number(self.threshold)}."

    @property
    def caption(self) -> str:
        return (
            f"Anomaly scores of the test rows: the mean squared error of their reconstruction. Above the threshold, "
            f"{number(self.threshold)}, {number(100 * self.rate, 2)} % of usual rows are expected at most; "
            f"{self.above} of {count(self.counts.sum(), 'test row')} {'lies' if self.above == 1 else 'lie'} there."
        )


def numbers(record: Record) -> AnomalyHistogram | None:
    """Return the numbers of the figure, or None where nothing is reconstructed."""
    reconstruction = record.get(ReconstructionRecord)
    if reconstruction is None or not len(reconstruction.scores):
        return None
    values = np.append(reconstruction.scores, reconstruction.threshold)
    log = log_scale(values, 5.0)
    low, high = float(values.min()), float(values.max())
    edges = np.geomspace(low, high * 1.02, BINS + 1) if log else np.linspace(low, high + 1e-12, BINS + 1)
    edges = np.unique(np.append(edges, reconstruction.threshold))  # no bar shall lie on both sides of the threshold
    counts = np.histogram(reconstruction.scores, edges)[0]
    above = int((reconstruction.scores > reconstruction.threshold).sum())
    return AnomalyHistogram(edges, counts, reconstruction.threshold, above, reconstruction.false_alarm_rate, log)


def draw(shown: AnomalyHistogram) -> Figure:
    """Draw bars, blue below the threshold and vermilion above it."""
    figure = new_figure(2.6)
    axes = add_axes(figure, 0.55, 0.45, 0.12, 0.25)
    left, right = shown.edges[:-1], shown.edges[1:]
    colours = [VERMILION if a >= shown.threshold else BLUE for a in left]
    axes.bar(left, shown.counts, width=right - left, align="edge", color=colours, alpha=0.8, lw=0)
    axes.axvline(shown.threshold, color=INK, lw=0.9, ls=(0, (4, 3)))
    if shown.log:
        set_log(axes, "x", float(shown.edges[0]) / 1.1, float(shown.edges[-1]) * 1.1)
    side = "right" if shown.threshold > np.median(shown.edges) else "left"
    axes.text(
        shown.threshold,
        1.02,
        "threshold",
        ha=side,
        va="bottom",
        size=7.5,
        color=INK,
        transform=axes.get_xaxis_transform(),
    )
    axes.set(xlabel="anomaly score", ylabel="number in the test set")
    axes.locator_params(axis="y", nbins=6, integer=True)
    return figure
