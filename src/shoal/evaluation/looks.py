"""How often test rows were looked at by all runs of a folder, and what the best of these runs is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shoal.errors import counted
from shoal.evaluation.paired import paired_difference, resampled_means, unit_sums
from shoal.evaluation.predicted_rows import PredictedRows
from shoal.evaluation.topics.baselines import deciding_losses, main_metric
from shoal.results import Task, readable
from shoal.statistics.bootstrap import FEWEST
from shoal.statistics.metrics import METRICS
from shoal.statistics.weighted import effective_number


@dataclass(frozen=True)
class Looks:
    """How often the same test rows were looked at.

    Attributes:
        runs: how many different fits were scored on them; one that was repeated with the same result counts once.
        replaced: how many of these are gone, since another run took their folder.
        later: how often finished runs were scored or compared on them again.
        kept: how many runs keep what they predicted for these rows.
        rivals: how many of these the rows cannot tell from the best one, itself among them.
        optimism: by how much the best of the rivals flatters if they are equally good, see `optimism_of_best`; None
            where it is not known.
        score: in what, in words.
    """

    runs: int
    replaced: int = 0
    later: int = 0
    kept: int = 0
    rivals: int = 0
    optimism: float | None = None
    score: str = ""

    @property
    def count(self) -> int:
        """How often in all."""
        return self.runs + self.later

    @property
    def sentence(self) -> str:
        """What follows, in words; empty where there is one run.

        Example:
            >>> Looks(4, later=1).sentence[:97]
            'In this folder of runs the same test rows were looked at 5 times, by 4 runs and 1 time later. The'
        """
        if self.runs < 2:
            return ""
        gone = f" ({self.replaced} of them replaced since)" if self.replaced else ""
        later = f" and {counted(self.later, 'time')} later" if self.later else ""
        looked = (
            f"In this folder of runs the same test rows were looked at {self.count} times, by {self.runs} runs{gone}"
            f"{later}."
        )
        if self.optimism is None:
            return f"{looked} The best of them flatters: choose by validation scores, and test on new rows."
        if self.rivals < 2:
            return f"{looked} The best of them is better than the others by more than chance in {self.score}."
        rivals = f"the best and the {counted(self.rivals - 1, 'run')} that these rows cannot tell from it"
        rivals = "all runs" if self.rivals == self.runs else rivals
        flatters = f"flatter by about {readable(self.optimism, 2)} in {self.score}"
        return (
            f"{looked} If {rivals} were equally good, the best of them would {flatters}: choose by validation scores, "
            "and test what was chosen on new rows."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain data for JSON."""
        return {**asdict(self), "looks": self.count}


def optimism_of_best(task: Task, runs: Sequence[PredictedRows], block: int = 1) -> tuple[int, float] | None:
    """Return how many runs cannot be told from the best, and by how much the best of these is expected to flatter.

    That is `E[max_i (E[l_i] - l_i)]` if they are equally good. The mean losses `l` of runs on the same rows scatter
    together; what they have in common favours none. Their scatter is that of resampled rows, as in `paired_difference`,
    by which runs that are surely worse than the best are left out. Measured on 40 rows and two to eight runs that are
    equally good, it is 0.88 to 0.93 of the flattery on average.

    Args:
        task: what is learnt.
        runs: the test rows of each run, in the same order.
        block: how many neighbouring rows count as one.

    Returns:
        Their number and the optimism, in units of the loss that decides, of one number in those of the RMSE. None for
        fewer than two runs or six independent rows.
    """
    if len(runs) < 2 or any(run.truth.shape != runs[0].truth.shape for run in runs):
        return None
    weights = runs[0].weights
    losses = np.array([deciding_losses(task, run.truth, run.guess, weights) for run in runs])
    sums, totals = unit_sums(losses, weights, block, runs[0].groups)
    if not totals.sum() > 0.0 or effective_number(totals) < FEWEST or not np.isfinite(sums).all():
        return None
    means = sums.sum(axis=1) / totals.sum()
    best = int(means.argmin())
    rival = np.array([not _surely_worse(losses[best], other, weights, block, runs[0].groups) for other in losses])
    drawn = resampled_means(sums[rival], totals)
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    optimism = float(np.mean((drawn.mean(axis=0) - drawn).max(axis=1))) if rival.sum() > 1 else 0.0
    if deciding_score(task, runs[0]) == "rmse":
        optimism = float(np.sqrt(max(means[best], 0.0) + optimism) - np.sqrt(max(means[best], 0.0)))
    return int(rival.sum()), max(optimism, 0.0)


def _surely_worse(
    best: np.ndarray, other: np.ndarray, weights: np.ndarray | None, block: int, groups: np.ndarray | None
) -> bool:
    return paired_difference(best, other, weights, block=block, groups=groups).low > 0.0


def deciding_score(task: Task, rows: PredictedRows) -> str:
    """Return the metric that decides between runs."""
    return main_metric(task, 1 if rows.truth.ndim < 2 else rows.truth.shape[1])


def looks_of(task: Task, kept: Sequence[PredictedRows], runs: int, replaced: int, later: int, block: int = 1) -> Looks:
    """Return how often rows were looked at, with what the best of the runs is worth.

    Args:
        task: what is learnt.
        kept: the test rows of the runs that keep them.
        runs: see `Looks`, as for the next two.
        replaced: how many of these are gone.
        later: how often finished runs were looked at again.
        block: how many neighbouring rows count as one.
    """
    rivals, optimism = optimism_of_best(task, kept, block) or (0, None)
    score = METRICS[deciding_score(task, kept[0])].label if kept else ""
    return Looks(runs, replaced, later, len(kept), rivals, optimism, score)
