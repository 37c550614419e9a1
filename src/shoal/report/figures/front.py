"""The front: score against number of parameters of all candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import Candidates
from shoal.report.figures.canvas import Figure
from shoal.report.figures.networks_tried import ceiling, clipped, draw_candidates
from shoal.report.figures.style import GRID, INK, add_axes, fit_axis, limits, log_scale, new_figure, set_log
from shoal.report.words import count, integer
from shoal.search.results.pareto import ParetoFront

PLACE = 40


@stored("figure.score_by_size")
@dataclass(frozen=True)
class ScoreBySize:
    """The numbers of the figure: `parameters`, `score` and `kept` `(candidates,)` of those with a score, and the front.

    `numbers` are those of the candidates, `each` is how many networks one has.
    """

    numbers: np.ndarray
    parameters: np.ndarray
    score: np.ndarray
    kept: np.ndarray
    front: ParetoFront
    each: int = 1

    @property
    def alt(self) -> str:
        least, most = integer(self.parameters.min()), integer(self.parameters.max())
        return (
            f"Score of {count(len(self.score), 'candidate')} with {least} to {most} parameters. {self.front.sentence}"
        )

    @property
    def caption(self) -> str:
        mean = "" if self.each == 1 else f" (the mean over {count(self.each, 'network')})"
        return (
            f"{self.front.sentence} Each point is a candidate{mean}, lower is better; diamonds are the kept ones. The "
            f"line is the best score of all that are as small. The band holds what is within one standard error of the "
            f"best one, that of a difference on the same rows; the ring marks the smallest in it."
            f"{clipped(self.score, 'candidate')}"
        )

    def table(self) -> dict[str, Any]:
        on = np.isin(self.numbers, self.front.candidates)
        return {
            "candidate": self.numbers,
            "parameters": self.parameters,
            "score": self.score,
            "standard_error": np.full(len(self.score), self.front.noise),
            "kept": self.kept,
            "on_the_front": on,
            "smallest_as_good": self.numbers == self.front.candidates[self.front.good],
        }


def numbers(record: Record) -> ScoreBySize | None:
    """Return the numbers of the figure, or None if there is no front."""
    front, candidates = record.get(ParetoFront), record[Candidates]
    if front is None:
        return None
    rows = [c for c in sorted(candidates.ranked, key=lambda c: c.id) if np.isfinite(c.score)]
    ids, sizes, kept = ([getattr(c, name) for c in rows] for name in ("id", "parameters", "kept"))
    scores = np.asarray([c.score for c in rows], float)
    points = np.asarray(ids), np.asarray(sizes), scores, np.asarray(kept)
    return ScoreBySize(*points, front, candidates.networks_each)


def draw(shown: ScoreBySize) -> Figure:
    """Draw all candidates, the front as a line with steps, and the smallest one that is as good as the best."""
    figure = new_figure(2.7)
    axes = add_axes(figure, 0.62, 0.45, 0.15, 0.12)
    front = shown.front
    top, by_decades = ceiling(shown.score), log_scale(shown.parameters, ratio=3)
    left, right = limits(shown.parameters, log=by_decades)
    score = np.minimum(shown.score, top)
    axes.axhspan(front.scores[-1], front.scores[-1] + front.error, color=GRID, lw=0, zorder=0)
    draw_candidates(axes, shown.parameters, score, shown.kept)
    steps = np.append(front.parameters, right), np.minimum(np.append(front.scores, front.scores[-1]), top)
    axes.plot(*steps, drawstyle="steps-post", color=INK, lw=0.9)
    axes.plot(front.size, front.scores[front.good], "o", ms=9, mfc="none", mec=INK, mew=1.1, zorder=5)
    values = np.append(score, front.scores[-1] + front.error)
    fit_axis(axes, "y", values, margin=0.08)
    if by_decades:
        set_log(axes, "x", left, right)
        axes.minorticks_off()  # they would take a third of the time
    else:
        axes.set_xlim(left, right)
    axes.set(xlabel="number of parameters", ylabel="validation loss")
    return figure
