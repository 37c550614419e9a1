"""Out of fold: each row of a cross-validation as those networks predict it that did not learn from it.

Which networks then answer for new rows is another question. Folds that were dealt at random are alike, and the
networks of all of them answer together: their mean is a little better than that of one fold, so that error bars
measured out of fold err on the wide side. Rolling folds are not alike. The networks of the first learned from few rows,
and old ones; where the law drifts, their answers are wrong today, and the mean with them would be worse than what was
measured out of fold. So the networks of the last fold answer alone, which learned from all rows but those of the last
part. The others tell how well such networks predict what comes next.

For the same reason intervals of rolling folds come from the residuals of the last part about the networks that answer
(split conformal), and not from all parts, nor from CV+ (Barber et al., Ann. Statist. 49, 486, 2021), which asks the
networks of each fold for the new row: its guarantee rests on rows and folds that could be exchanged. Of a signal that
grows in time, 95 % intervals from all of four parts held 68 % of the test values, those from the last part 80 %; of
signals that stay or swing, both held 95 %, at the same width. No guarantee is left: they are right as far as new rows
are like the last part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from shoal.data import Split
from shoal.prediction.predictor import EnsembleMember, Predictor
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member, TrainedMember
from shoal.training.problem import Problem
from shoal.training.resampling import judging_rows, rows_of_fold


@lru_cache(maxsize=512)
def _candidate(hyperparameters: Hyperparameters) -> dict[str, Any]:
    """Return the choices of a candidate as plain data, once for all of its members and replicas."""
    return hyperparameters.model_dump(mode="json")


def ensemble_member(trained: TrainedMember) -> EnsembleMember:
    """Return a trained member as the predictor keeps it."""
    member = trained.member
    candidate = _candidate(member.hyperparameters)
    where = member.fold, member.repeat, *((member.draw, member.origin) if member.replica else ())
    return EnsembleMember(member.id, candidate, trained.network, trained.parameters, *where)


def answers(problem: Problem, member: Member) -> bool:
    """Return whether a kept member answers for new rows: of rolling folds, only those of the last."""
    return problem.validation_folds is None or member.fold == problem.validation_folds.shape[1] - 1


def rows_to_ask(predictor: Predictor, split: Split, folds: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the validation rows of a finished run, and which members of its ensemble did not learn from each.

    Args:
        predictor: the ensemble as it was kept.
        split: of its data.
        folds: of the training rows, as they were dealt; None where there are none.

    Returns:
        Places of rows, and `(members, rows)`, or None where no member learned from any of them. Of rolling folds the
        rows are those of the last part, which judged the members that answer.
    """
    if folds is None:
        return split.validation, None
    if split.rolling is not None:
        last = split.rolling.judged.shape[1] - 1
        return split.train[split.rolling.judged[:, last] == last], None
    return split.validation, np.stack([folds[:, member.repeat] == member.fold for member in predictor.members])


@dataclass(frozen=True)
class OutOfFold:
    """The networks of the kept candidates in all folds, and what they have to do with the rows.

    Attributes:
        members: all of them, also those that do not answer for new rows.
        known: `(training rows,)`, whether a row taught one of them.
        learned: `(members, known rows)`, whether a member learned from a row.
        judging: `(validation rows,)`, whether a row judged one of them; one that stopped all that did not learn from it
            judged none.
        judged: `(members, judging rows)`, whether a row judged a member: it neither taught nor stopped it.
        unlearned: `(members, judging rows)`, whether a member did not learn from a row, though it may have stopped it.
        rolling: whether the folds are rolling.
    """

    members: tuple[EnsembleMember, ...]
    known: np.ndarray
    learned: np.ndarray
    judging: np.ndarray
    judged: np.ndarray
    unlearned: np.ndarray
    rolling: bool = False

    @classmethod
    def of(cls, problem: Problem, members: Sequence[TrainedMember]) -> OutOfFold | None:
        """Return what members have to do with the rows of a problem; None where there are no folds.

        Args:
            problem: whose training rows are those of the split, and of whose validation rows those of the split
                are the ones that validate some member.
            members: the networks of the kept candidates.
        """
        if problem.folds is None:
            return None
        each = [trained.member for trained in members]
        of_folds = [rows_of_fold(problem, member.fold or 0, member.repeat) for member in each]
        learned, validated = (np.stack(of_members) for of_members in zip(*of_folds, strict=True))
        judged = np.stack([judging_rows(problem, member) for member in each])
        known, validating, judging = (np.asarray(of_rows.any(axis=0)) for of_rows in (learned, validated, judged))
        return cls(
            tuple(map(ensemble_member, members)),
            known,
            learned[:, known],
            judging[validating],
            judged[:, judging],
            validated[:, judging],
            problem.rolling,
        )

    def judge(self, predictor: Predictor) -> Predictor:
        """Return the predictor with all these members."""
        return replace(predictor, members=self.members)

    @property
    def taught_last(self) -> np.ndarray:
        """Which known rows taught the members that answer for new rows, `(known rows,)`."""
        return np.asarray(self.learned[self._answering].any(axis=0))

    @property
    def judged_last(self) -> np.ndarray | None:
        """Which validation rows judged the members that answer, `(validation rows,)`; None where all members do."""
        return np.asarray(self.judged[self._answering].any(axis=0)) if self.rolling else None

    @property
    def judging_rows(self) -> int:
        """How many validation rows judged the members that answer."""
        return int(self.judged[self._answering].any(axis=0).sum())

    @property
    def _answering(self) -> list[bool]:
        last = max(member.fold or 0 for member in self.members)
        return [not self.rolling or member.fold == last for member in self.members]
