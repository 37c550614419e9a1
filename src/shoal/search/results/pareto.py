"""The smallest network as good as the best: the front of score against number of parameters.

A candidate is on the front if none that is as small scores better (Pareto). Of them, the smallest is taken whose score
is within one standard error of the best one (the one-standard-error rule; Breiman, Friedman, Olshen and Stone,
Classification and Regression Trees, 1984, section 3.4.3). The error is that of a difference of two scores on the same
validation rows, √2 σ with the σ of `search/results/optimism.py`: what is hard in these rows is hard for both.

Both scores flatter, the best of all more than the best of the small ones. So small networks look a little too bad, and
the rule is on the safe side: where the truth is made up, the network it takes is worse than the best by more than one
standard error in at most 15 of 100 cases, by more than two in one. Of searched networks whose true losses were
measured on 20,000 rows, differences of scores scattered about the true ones by 0.9 of this error (of two classes with
64 validation rows by 1.7, as `optimism.py` explains); the network taken was worse by more than one in 23 of 100 fits of
numbers, in none of classes, by more than two in none, and had a quarter of the best one's parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.results import readable
from shoal.search.results.optimism import estimate_optimism
from shoal.search.results.ranking import Standing
from shoal.training.member import TrainedMember

CLEARLY = 2.0
"""Standard errors by which a small candidate may be worse than the best to be kept beside the one that is as good."""
RULE = "the smallest candidate whose score is within one standard error of the best"


@stored("pareto_front")
@dataclass(frozen=True)
class ParetoFront:
    """The candidates that none as small beats, the smallest first and the best of all last.

    Attributes:
        candidates, parameters, scores: `(points,)` the number of each, how many parameters it has, its score.
        noise: standard error of one score beside the others.
        good: which of them is the smallest that is as good as the best.
    """

    candidates: np.ndarray
    parameters: np.ndarray
    scores: np.ndarray
    noise: float
    good: int

    @property
    def error(self) -> float:
        """The standard error of a difference of two scores."""
        return float(np.sqrt(2.0) * self.noise)

    @property
    def size(self) -> int:
        """How many parameters the smallest candidate has that is as good as the best."""
        return int(self.parameters[self.good])

    @property
    def sentence(self) -> str:
        """The finding in words."""
        small, large = (f"{int(n):,}" for n in (self.size, self.parameters[-1]))
        if self.good == len(self.scores) - 1:
            return f"No network smaller than the best, which has {large} parameters, is as good within the error."
        lost = readable(float(self.scores[self.good] - self.scores[-1]), 2)
        error = readable(self.error, 2)
        return (
            f"A network with {small} parameters is as good as the best, with {large}, within the error: "
            f"its score is worse by {lost} ± {error}."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data for JSON."""
        points = [
            {"candidate": int(c), "parameters": int(p), "score": float(s)}
            for c, p, s in zip(self.candidates, self.parameters, self.scores, strict=True)
        ]
        smallest = {**points[self.good], "worse_by": float(self.scores[self.good] - self.scores[-1])}
        errors = {"standard_error_of_a_score": self.noise, "standard_error_of_a_difference": self.error}
        return {"points": points, "smallest_as_good": smallest, **errors, "rule": RULE, "text": self.sentence}


def pareto_front(
    candidates: Sequence[int], parameters: Sequence[int], scores: Sequence[float], noise: float
) -> ParetoFront | None:
    """Return the front, or None where fewer than two sizes have a score.

    Args:
        candidates: the number of each.
        parameters: how many parameters each has.
        scores: of each, lower is better; not finite where a network diverged.
        noise: standard error of one score beside the others, as `estimate_optimism` finds it.

    Example:
        >>> front = pareto_front([0, 1, 2, 3], [67, 67, 300, 1203], [0.125, 0.4, 0.3, 0.12], 0.01)
        >>> front.candidates.tolist(), front.size
        ([0, 3], 67)
        >>> front.sentence.split(":")[0]
        'A network with 67 parameters is as good as the best, with 1,203, within the error'
    """
    score, size, number = np.asarray(scores, np.float64), np.asarray(parameters), np.asarray(candidates)
    known = np.flatnonzero(np.isfinite(score))
    if len(np.unique(size[known])) < 2:
        return None
    ordered = known[np.lexsort((number[known], score[known], size[known]))]
    before = np.concatenate([[np.inf], np.minimum.accumulate(score[ordered])[:-1]])
    front = ordered[score[ordered] < before]
    good = int(np.argmax(score[front] <= score[front[-1]] + np.sqrt(2.0) * noise))
    return ParetoFront(number[front], size[front], score[front], float(noise), good)


def choose_small(standings: Sequence[Standing], members: Sequence[TrainedMember]) -> list[Standing]:
    """Return the candidates no larger than the smallest one that is as good as the best, best first.

    Those that are worse than the best by more than two standard errors are left out: small ones are few, and poor ones
    would be kept for their size alone. Where candidates cannot be compared (fewer than four, or all of one size), all
    are returned.

    Args:
        standings: as `rank_candidates` returned them.
        members: all that were trained.
    """
    optimism = estimate_optimism([m.member.candidate for m in members], [m.parts for m in members])
    sizes = {m.member.candidate: m.network.parameter_count for m in members}
    each = [s.candidate for s in standings], [sizes[s.candidate] for s in standings], [s.score for s in standings]
    front = None if optimism is None else pareto_front(*each, optimism.noise)
    if front is None:
        return list(standings)
    worst = front.scores[-1] + CLEARLY * front.error
    return [s for s in standings if sizes[s.candidate] <= front.size and s.score <= worst]
