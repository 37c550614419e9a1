"""Scores by process: stacked histograms of the events that each process adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.processes import Process, Processes
from shoal.report.figures.canvas import Figure
from shoal.report.figures.codes_plane import PALETTE
from shoal.report.figures.style import DASHED, INK, add_axes, log_scale, name_text, new_figure, set_log
from shoal.report.figures.tabular import Columns, of, side_by_side

PLACE = 92


@stored("figure.processes")
@dataclass(frozen=True)
class Stack:
    """The numbers of the figure: `events[i]` and `errors[i]` are the histogram of process i, the lowest first."""

    names: tuple[str, ...]
    signal: tuple[bool, ...]
    edges: np.ndarray
    events: tuple[np.ndarray, ...]
    errors: tuple[np.ndarray, ...]
    scaled: bool
    cut: float | None

    def table(self) -> Columns:
        bins = {"score_low": self.edges[:-1], "score_high": self.edges[1:]}
        named = [
            {of(name, "events"): events, of(name, "error"): errors}
            for name, events, errors in zip(self.names, self.events, self.errors, strict=True)
        ]
        return side_by_side([bins, *named])

    @property
    def alt(self) -> str:
        return f"Stacked histogram of the score of {' and '.join(self.names)}."

    @property
    def caption(self) -> str:
        what = "scaled, class by class, to the expected yields" if self.scaled else "by the sums of their weights"
        cut = " The dashed line is the cut." if self.cut is not None else ""
        return (
            f"Test rows by process, {what}, stacked: background below, signal on top, hatched. Bars are √(Σ w²) of all "
            f"together. A process whose weights add up to less than zero in a bin takes from the stack.{cut}"
        )


def numbers(record: Record) -> Stack | None:
    """Return the numbers of the figure, or None where no column names processes."""
    shown = record.get(Processes)
    if shown is None:
        return None
    each = shown.processes
    names = tuple(_name(process, each) for process in each)
    events, errors = tuple(p.bins for p in each), tuple(p.bin_errors for p in each)
    return Stack(names, tuple(p.signal for p in each), shown.edges, events, errors, shown.scaled, shown.cut)


def _name(process: Process, among: tuple[Process, ...]) -> str:
    """Return the name of a process, with its class if it is there in both."""
    twice = sum(other.name == process.name for other in among) > 1
    return f"{process.name} ({'signal' if process.signal else 'background'})" if twice else process.name


def draw(shown: Stack) -> Figure:
    """Draw the stack, on a logarithmic axis where that shows more."""
    rows = -(-len(shown.names) // 2)
    figure = new_figure(2.7 + 0.17 * rows)
    axes = add_axes(figure, 0.62, 0.45, 0.12, 0.2 + 0.17 * rows)
    tops = np.cumsum(shown.events, axis=0)
    total, error = tops[-1], np.sqrt(np.sum(np.square(shown.errors), axis=0))
    lowest = tops[:, total > 0].min(axis=1, initial=np.inf)
    log = bool((tops >= 0).all() and total.any() and log_scale(total[total > 0], 30.0))
    floor = max(0.3 * float(lowest[lowest > 0].min(initial=total.max())), 1e-4 * float(total.max())) if log else 0.0
    below = np.full(len(total), floor)
    for i, (name, top) in enumerate(zip(shown.names, tops, strict=True)):
        edge: Any = {"hatch": "///", "edgecolor": INK} if shown.signal[i] else {"lw": 0}
        top, colour = np.maximum(top, floor) if log else top, PALETTE[i % len(PALETTE)]
        label = name_text(name, 22)
        axes.stairs(top, shown.edges, baseline=below, fill=True, facecolor=colour, alpha=0.75, label=label, **edge)
        below = top
    middle = 0.5 * (shown.edges[1:] + shown.edges[:-1])
    low = np.maximum(total - error, floor) if log else total - error
    axes.vlines(middle, low, np.maximum(total + error, low), color=INK, lw=0.8)
    if shown.cut is not None:
        axes.axvline(shown.cut, **DASHED)
    if log:
        set_log(axes, "y", floor, 2.0 * float((total + error).max()))
    axes.set_xlim(shown.edges[0], shown.edges[-1])
    axes.set(xlabel="score", ylabel="events")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2, columnspacing=1.2)
    return figure
