"""Score against value of each hyperparameter of which the user named alternatives or limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.knobs import Knobs, TriedKnob
from shoal.report.figures.canvas import Axes, Figure
from shoal.report.figures.networks_tried import HyperparameterPanel, ceiling, clipped, numeric_panel, positions, slanted
from shoal.report.figures.style import BLUE, DASHED, INK, MUTED, bars, fit_axis, stacked
from shoal.report.figures.tabular import Columns
from shoal.report.words import count, joined, label, setting

PLACE = 35


@stored("knobs.panel")
@dataclass(frozen=True)
class KnobPanel:
    """One hyperparameter; arrays `(tried,)`, the base first where it moved alone.

    `score` is infinite where a network diverged, `error` NaN then; `worse` is whether the score is worse than the best
    by more than chance.
    """

    values: HyperparameterPanel
    candidate: np.ndarray
    score: np.ndarray
    error: np.ndarray
    worse: np.ndarray
    alone: bool

    @property
    def texts(self) -> list[str]:
        """The values in words."""
        names = self.values.categories
        return [names[int(x)] if names else setting(float(x)) for x in self.values.x]


@stored("figure.knobs")
@dataclass(frozen=True)
class KnobScores:
    """The numbers of the figure: a panel for each hyperparameter, and how many networks a candidate has."""

    panels: tuple[KnobPanel, ...]
    each: int
    folds: bool = False

    def table(self) -> Columns:
        panels = self.panels
        together = {name: np.concatenate([getattr(panel, name) for panel in panels]) for name in ("score", "error")}
        return {
            "hyperparameter": [panel.values.name for panel in panels for _ in panel.score],
            "value": [text for panel in panels for text in panel.texts],
            "candidate": np.concatenate([panel.candidate for panel in panels]),
            "score": together["score"],
            "standard_error": together["error"],
            "worse_than_best": np.concatenate([panel.worse for panel in panels]),
        }

    @property
    def alt(self) -> str:
        return f"Score against {joined(label(panel.values.name) for panel in self.panels)}, with error bars."

    @property
    def caption(self) -> str:
        held = "validation rows" if self.each == 1 else f"validation rows and of {'folds' if self.folds else 'seeds'}"
        unknown = ", that from seed to seed is not known" if self.each == 1 else ""
        alone = any(panel.alone for panel in self.panels)
        ring = (
            " The dashed line is the best score, the ring the base; open points are worse than the best by more than "
            "chance."
            if alone
            else ""
        )
        together = max(self.panels, key=lambda panel: len(panel.score))
        known = together.score[np.isfinite(together.score)]
        lost = max(int((~np.isfinite(panel.score)).sum()) for panel in self.panels)
        diverged = " Candidates of which a network diverged are left out." if lost else ""
        above = "" if together.alone else clipped(known, "candidate")
        mean = "" if self.each == 1 else f", the mean over {count(self.each, 'network')},"
        return (
            f"The cross-fitted validation loss{mean} of each value, lower is better. Bars are one standard error: the "
            f"scatter of {held}{unknown}. Values are compared on the same rows, which tells more than how far bars "
            f"overlap.{ring}{above}{diverged}"
        )


def numbers(record: Record) -> KnobScores | None:
    """Return the numbers of the figure, or None where no hyperparameter was named, or has no score."""
    knobs = record.get(Knobs)
    if knobs is None:
        return None
    panels = [_panel(knob) for knob in knobs.knobs if any(np.isfinite(each.score) for each in knob.tried)]
    return KnobScores(tuple(panels), knobs.networks_each, knobs.folds) if panels else None


def _panel(knob: TriedKnob) -> KnobPanel:
    values = [_single(each.value) for each in knob.tried]
    shown = None
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        shown = numeric_panel(knob.name, np.asarray(values, float))
    if shown is None:
        texts = [setting(value) for value in values]
        names = tuple(dict.fromkeys(texts))
        shown = HyperparameterPanel(knob.name, np.asarray([names.index(text) for text in texts], float), names)
    candidate, score, error, worse = (
        np.asarray([getattr(each, name) for each in knob.tried]) for name in ("candidate", "score", "error", "worse")
    )
    return KnobPanel(shown, candidate, score, error, worse, knob.alone)


def _single(value: Any) -> Any:
    """Return the only entry of a list, else the value."""
    return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value


def draw(shown: KnobScores) -> Figure:
    """Draw a panel for each hyperparameter."""
    below = 0.65 if any(slanted(panel.values) for panel in shown.panels) else 0.45
    figure, places = stacked(len(shown.panels), 1.6, titles=False, below=below)
    for axes, panel in zip(places, shown.panels, strict=True):
        _draw_panel(axes, panel)
    return figure


def _draw_panel(axes: Axes, panel: KnobPanel) -> None:
    x = positions(axes, panel.values, 0.0 if panel.alone else 0.6)
    finite = np.isfinite(panel.score)
    top = np.inf if panel.alone else ceiling(panel.score[finite])
    score, error = np.minimum(panel.score, top), np.nan_to_num(panel.error)
    low, high = score - error, score + error
    if panel.alone:
        order = np.argsort(x[finite], kind="stable")
        axes.plot(x[finite][order], score[finite][order], color=MUTED, lw=0.7, zorder=1)
        axes.axhline(score[finite].min(), **DASHED)
    axes.plot(*bars(x[finite], low[finite], high[finite]), color=BLUE, lw=0.8 if panel.alone else 0.4)
    for some, face in ((finite & ~panel.worse, BLUE), (finite & panel.worse, "white")):
        axes.plot(x[some], score[some], "o", ms=4.5 if panel.alone else 2.5, mfc=face, mec=BLUE, mew=0.9, ls="none")
    if panel.alone and finite[0]:
        axes.plot(x[:1], score[:1], "o", ms=9, mfc="none", mec=INK, mew=0.9)
    fit_axis(axes, "y", np.concatenate([low[finite], high[finite]]), margin=0.08)
    axes.set(xlabel=label(panel.values.name), ylabel="validation loss")
