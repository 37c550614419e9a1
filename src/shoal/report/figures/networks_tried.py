"""The networks tried: their score against the hyperparameters that mattered most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import CandidateRow, Candidates
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.style import (
    BLUE,
    MUTED,
    VERMILION,
    fit_axis,
    limits,
    log_scale,
    log_ticks,
    name_text,
    set_log,
    stacked,
    text_width,
)
from shoal.report.figures.tabular import Columns
from shoal.report.words import count, joined, label, setting, short
from shoal.search.results.pareto import ParetoFront

PLACE = 30
PANELS = 3
MOST_CATEGORIES = 9
FEW_NUMBERS = 6
MOST_VECTOR_POINTS = 500


@stored("networks_tried.panel")
@dataclass(frozen=True)
class HyperparameterPanel:
    """One hyperparameter: `x` (networks,) is its value, or the number of its category in `categories`."""

    name: str
    x: np.ndarray
    categories: tuple[str, ...] = ()


@stored("figure.networks_tried")
@dataclass(frozen=True)
class NetworksTried:
    """The numbers of the figure: `score` (candidates,) is what candidates are chosen by, lower is better.

    Candidates without a finite score are left out and counted in `without_score`; `each` is how many networks a
    candidate has, `ids` are the numbers of the candidates.
    """

    score: np.ndarray
    kept: np.ndarray
    panels: tuple[HyperparameterPanel, ...]
    without_score: int
    each: int = 1
    ids: tuple[int, ...] = ()

    def table(self) -> Columns:
        ids = self.ids or tuple(range(len(self.score)))
        columns: Columns = {"candidate": ids, "score": self.score, "kept": self.kept}
        for one in self.panels:
            columns[one.name] = [one.categories[int(i)] for i in one.x] if one.categories else one.x
        return columns

    @property
    def what(self) -> str:
        """What a point stands for."""
        return "network" if self.each == 1 else "candidate"

    @property
    def alt(self) -> str:
        names = joined(label(p.name) for p in self.panels)
        return f"Score of {count(len(self.score), self.what)} against {names}; the kept ones stand out."

    @property
    def caption(self) -> str:
        left_out = ""
        if self.without_score:
            left_out = f" {count(self.without_score, self.what)} without a finite score left out."
        mean = "" if self.each == 1 else f", the mean over {count(self.each, 'network')}"
        return (
            f"Each point is a {self.what}, lower is better; diamonds are the kept ones. The score is the "
            f"cross-fitted validation loss that they are chosen by{mean}.{clipped(self.score, self.what)}{left_out}"
        )


def numbers(record: Record) -> NetworksTried | None:
    """Return the numbers of the figure, or None if fewer than two candidates have a score, or nothing varies."""
    rows = [c for c in sorted(record[Candidates].ranked, key=lambda c: c.id) if np.isfinite(c.score)]
    if len(rows) < 2:
        return None
    names = [each.name for each in record[Candidates].hyperparameters]
    names += ["parameters"] if record.get(ParetoFront) is None else []  # which has a figure of its own
    panels = [p for p in (panel(name, rows) for name in names) if p is not None]
    if not panels:
        return None
    score = np.array([c.score for c in rows], dtype=float)
    kept = np.array([c.kept for c in rows])
    left_out = len(record[Candidates].ranked) - len(rows)
    ids = tuple(c.id for c in rows)
    return NetworksTried(score, kept, tuple(panels[:PANELS]), left_out, record[Candidates].networks_each, ids)


def panel(name: str, rows: list[CandidateRow]) -> HyperparameterPanel | None:
    """Return the values of one hyperparameter, or None if it does not vary or has too many values to show."""
    values = [value_of(row, name) for row in rows]
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        return numeric_panel(name, np.array(values, dtype=float))
    texts = [setting(v) for v in values]
    categories = sorted(set(texts))
    if not 1 < len(categories) <= MOST_CATEGORIES:
        return None
    score = np.array([row.score for row in rows])
    middle = {c: float(np.median(score[[t == c for t in texts]])) for c in categories}
    order = sorted(categories, key=lambda c: (middle[c], c))
    return HyperparameterPanel(name, np.array([order.index(t) for t in texts], dtype=float), tuple(order))


def numeric_panel(name: str, x: np.ndarray) -> HyperparameterPanel | None:
    """Return a panel of numbers; a handful of distinct ones become categories in their order."""
    distinct = np.unique(x)
    if distinct.size < 2 or not np.isfinite(x).all():
        return None
    if distinct.size > FEW_NUMBERS:
        return HyperparameterPanel(name, x)
    for digits in (3, 4, 9):  # as few as tell them apart
        texts = tuple(short(value, digits) for value in distinct)
        if len(set(texts)) == len(texts):
            break
    return HyperparameterPanel(name, np.searchsorted(distinct, x).astype(float), texts)


def value_of(row: CandidateRow, name: str) -> Any:
    """Return a hyperparameter of a candidate; `parameters`, `depth` and `width` are read off the network."""
    if name in row.candidate:
        value = row.candidate[name]
        alone = isinstance(value, (list, tuple)) and len(value) == 1 and name != "hidden"
        return value[0] if alone else value
    hidden = row.candidate.get("hidden") or ()
    read_off = {
        "parameters": row.parameters,
        "depth": len(hidden),
        "width": max(hidden, default=0),
        "total width": sum(hidden),
    }
    return read_off.get(name)


def ceiling(score: np.ndarray) -> float:
    """Return where the axis of scores ends: a few hopeless networks must not squeeze the others.

    >>> ceiling(np.array([1.0, 2.0, 3.0]))
    3.0
    """
    low, middle, high = np.quantile(score, (0.0, 0.5, 0.9))
    return float(min(score.max(), max(high + (high - low), middle + 3 * (middle - low))))


def clipped(score: np.ndarray, what: str) -> str:
    """Return how many scores lie above the ceiling, in a sentence; nothing if none."""
    above = int((score > ceiling(score)).sum())
    return f" {count(above, what)} at the upper edge lie above it." if above else ""


def draw(shown: NetworksTried) -> Figure:
    """Draw one panel per hyperparameter, with one axis of scores."""
    below = 0.65 if any(map(slanted, shown.panels)) else 0.45
    figure, places = stacked(len(shown.panels), 1.5, titles=False, below=below)
    top = ceiling(shown.score)
    score = np.minimum(shown.score, top)
    for axes, one in zip(places, shown.panels, strict=True):
        draw_candidates(axes, positions(axes, one), score, shown.kept)
        axes.set(xlabel=label(one.name), ylabel="validation loss")
        fit_axis(axes, "y", score, margin=0.08)
    return figure


def draw_candidates(axes: Axes, x: np.ndarray, score: np.ndarray, kept: np.ndarray) -> None:
    """Draw points, fainter where they are many, and those that are kept as diamonds."""
    others = ~kept
    many = int(others.sum()) > MOST_VECTOR_POINTS
    style: dict[str, Any] = {"ls": "none", "clip_on": False, "mew": 0}
    size = 2.2 if many else 3.2
    axes.plot(x[others], score[others], "o", ms=size, mfc=BLUE, alpha=0.5, rasterized=many, **style)
    axes.plot(x[kept], score[kept], "D", ms=3.8, mfc=VERMILION, zorder=4, **style)


def slanted(one: HyperparameterPanel) -> bool:
    """Return whether the names of categories are too many to stand beside each other."""
    return len(one.categories) > 5


def positions(axes: Axes, one: HyperparameterPanel, width: float = 0.6) -> np.ndarray:
    """Set up the horizontal axis and return where on it the networks lie, those of one category spread by `width`."""
    if one.categories:
        # The golden ratio spreads points of one category evenly and always the same way.
        jitter = (np.arange(len(one.x)) * 0.6180339887) % 1.0 - 0.5
        turned, figure = slanted(one), cast("Figure", axes.figure)
        room = axes.get_position().width * figure.get_figwidth() / (len(one.categories) + 0.2)
        most = 10 if turned else int(0.95 * room / text_width("x"))
        names = [name_text(category, most) for category in one.categories]
        axes.set_xticks(range(len(names)), names, rotation=30 if turned else 0, ha="right" if turned else "center")
        axes.tick_params(axis="x", length=0, pad=1 if turned else 3)
        axes.set_xlim(-0.6, len(names) - 0.4)
        return one.x + width * jitter
    if log_scale(one.x):
        set_log(axes, "x", *limits(one.x, log=True))
        return one.x
    if one.x.min() == 0 and log_scale(one.x[one.x > 0]):
        return _with_zero(axes, one.x)
    axes.set_xlim(*limits(one.x, log=False))
    return one.x


def _with_zero(axes: Axes, x: np.ndarray) -> np.ndarray:
    # Zero has no place on a logarithmic axis, yet "none at all" is often one of the choices.
    low, high = x[x > 0].min(), x.max()
    zero = low / (high / low) ** 0.2
    set_log(axes, "x", zero / 1.4, high * (high / low) ** 0.05)
    ticks = [float(zero), *log_ticks(low, high, most=4)]
    axes.set_xticks(ticks, ["0", *(short(t) for t in ticks[1:])])
    axes.tick_params(axis="x", which="minor", length=0)
    axes.axvline((zero * low) ** 0.5, color=MUTED, lw=0.5, ls=(0, (2, 3)))
    return np.where(x > 0, x, zero)
