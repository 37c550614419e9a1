"""When a search has found what was wanted: a candidate's score on validation rows reaches `--until METRIC=VALUE`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shoal.errors import SettingError
from shoal.evaluation.scoring import Rows, best_guess
from shoal.results import Status
from shoal.statistics.metric_choice import goal, metric
from shoal.statistics.metrics import Metric
from shoal.steps.ensemble import alone
from shoal.steps.posing import Posed
from shoal.training.member import TrainedMember
from shoal.training.resampling import judging_rows


@dataclass
class Goal:
    """What a search is to reach: asked about each network when it is done, it says whether that is reached.

    A candidate's score is the mean over its networks (folds × repeats), each on the validation rows that judge it, at
    its best epoch. It is reached by the candidate with the luckiest rows, so that it flatters: the best of many does.

    Attributes:
        posed: what is learned.
        metric: of the registry.
        value: to be reached.
        networks_each: how many networks a candidate has.
    """

    posed: Posed
    metric: Metric
    value: float
    networks_each: int
    _scores: dict[int, dict[int, float]] = field(default_factory=dict)

    @classmethod
    def of(cls, posed: Posed, networks_each: int) -> Goal | None:
        """Return the goal that the settings name, or None.

        Raises:
            SettingError: the metric is not for this task, or candidates have no scores by metrics.
        """
        settings = posed.settings
        if settings.until is None:
            return None
        if settings.reconstruct or posed.dataset.classes_by_target:
            what = "a reconstruction" if settings.reconstruct else "several targets of classes"
            raise SettingError(f"until stops at a score of one target; leave it out with {what}")
        name, value = goal(settings.until)
        return cls(posed, metric(name, posed.dataset.task), value, networks_each)

    def __call__(self, trained: TrainedMember) -> bool:
        """Return whether the candidate of a network that is done reaches the goal."""
        if trained.status is Status.DIVERGED or trained.best_epoch < 1:
            return False
        scores = self._scores.setdefault(trained.member.candidate, {})
        scores[trained.member.id] = self.score(trained)
        if len(scores) < self.networks_each:
            return False
        mean = float(np.mean(list(scores.values())))
        return mean >= self.value if self.metric.greater_is_better else mean <= self.value

    def score(self, trained: TrainedMember) -> float:
        """Return the metric of one network on the validation rows that judge it."""
        posed, dataset = self.posed, self.posed.dataset
        places = np.flatnonzero(judging_rows(posed.problem, trained.member))
        split = posed.split
        positions = (split.validation if split.folds is None else split.train)[places]
        weights = dataset.weights()
        x = np.asarray(posed.problem.validation_x[places])
        rows = Rows(x, dataset.y()[positions], None if weights is None else weights[positions])
        scored = rows.scored(dataset.task)
        guess = best_guess(alone([trained], posed.preparation, posed.problem).predict_features(rows.x))
        return float(self.metric(scored.truth, scored.taken(guess), scored.weights))
