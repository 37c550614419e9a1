"""Permutation importance: how much worse a score becomes when a column no longer belongs to its row.

The values of a column are dealt to the rows anew, by a permutation p, and the score is taken again (Breiman, Mach.
Learn. 45, 5, 2001; Fisher, Rudin and Dominici, J. Mach. Learn. Res. 20, 177, 2019). With L(i, k) the loss of row i that
has the column of row k,

    importance = S(sum_i w_i w_p(i) L(i, p(i)) / sum_i w_i w_p(i)) - S(sum_i w_i L(i, i) / sum_i w_i)

averaged over the permutations, with S(m) = m, or sqrt(m) for the RMSE. The pair counts with both weights: both rows
stand for so many; a row with weight 2 is two rows. A column is a column of the table: its 0/1 features and the marker
of its missing values move with it.

Columns that say the same stand in for each other, so that each alone seems to matter little, or the networks are asked
about rows that cannot exist (Hooker, Mentch and Zhou, Stat. Comput. 31, 82, 2021). So they are permuted as a group.

Three errors, joined in quadrature:

* rows: of finite rows, by the infinitesimal jackknife (Efron, 1982, ch. 6). A row takes part twice, by its own loss and
  by the value that it gives away; without the second part the error of a perfect fit comes out at half. Groups of rows
  are summed first. What the chance of the permutations adds to these sums is subtracted.
* permutations: the standard error of the mean over them.
* members: the jackknife over the networks, or over the candidates of a cross-validation.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.errors import SettingError
from shoal.evaluation.explanation.correlation import correlations, groups_above
from shoal.evaluation.explanation.scores import SCORES, Estimate, Score, estimate
from shoal.evaluation.explanation.subject import ColumnFeatures, Subject, Tell, silent
from shoal.results import Task
from shoal.short_repr import ShortRepr

REPEATS = 10
GROUP_ABOVE = 0.7
DEALS = 1
"""The path of the stream of permutations."""


@stored("importance")
@dataclass(frozen=True)
class Importance:
    """How much worse each score becomes without one column, or without several that go together."""

    columns: tuple[str, ...]
    scores: dict[str, Estimate]

    def as_dict(self) -> dict[str, Any]:
        """Return the importance as plain data for JSON."""
        return {"columns": list(self.columns), **{name: score.as_dict() for name, score in self.scores.items()}}


@stored("importance.table")
@dataclass(frozen=True, repr=False)
class ImportanceTable(ShortRepr):
    """The importance of all columns of a table.

    Attributes:
        groups: of columns that go together as one, and of all others; the most important first, in a group as well.
        alone: of each column of a group of several by itself, which misleads.
        score: of the ensemble as it is, by name.
        rows, repeats: on how many rows, with how many permutations.
        on: what the rows are.
        above: from which correlation on columns go together.
        correlation: how strongly each two columns go together, `(columns, columns)` in the order of `columns`.
        columns: all of them, in the order of the table.
        target: whose errors the score tells; empty for classes.
    """

    groups: tuple[Importance, ...]
    alone: tuple[Importance, ...]
    score: dict[str, float]
    rows: int
    repeats: int
    on: str
    above: float
    correlation: np.ndarray
    columns: tuple[str, ...]
    target: str = ""

    @property
    def ranked(self) -> tuple[str, ...]:
        """The columns, the most important first; those of a group by their importance alone."""
        return tuple(name for group in self.groups for name in group.columns)

    @property
    def lines(self) -> tuple[tuple[Importance, bool], ...]:
        """The groups, each followed by its columns alone, which are marked."""
        alone = {single.columns[0]: single for single in self.alone}
        lines: list[tuple[Importance, bool]] = []
        for group in self.groups:
            lines += [(group, False), *((alone[name], True) for name in group.columns if name in alone)]
        return tuple(lines)

    def together_with(self, name: str) -> tuple[str, ...]:
        """Return the other columns of the group of a column."""
        together = next((group.columns for group in self.groups if name in group.columns), ())
        return tuple(other for other in together if other != name)

    def as_dict(self) -> dict[str, Any]:
        """Return the table as plain data for JSON."""
        return {
            "on": self.on,
            **({"target": self.target} if self.target else {}),
            "rows": self.rows,
            "repeats": self.repeats,
            "score": self.score,
            "group_above": self.above,
            "groups": [group.as_dict() for group in self.groups],
            "alone": [single.as_dict() for single in self.alone],
            "correlation": {"columns": list(self.columns), "values": self.correlation},
        }


def scores_of(importance: ImportanceTable) -> tuple[Score, ...]:
    """Return the scores of a table, the one by which it is ordered first."""
    every = {score.name: score for scores in SCORES.values() for score in scores}
    return tuple(every[name] for name in importance.score)


def permutation_importance(
    subject: Subject, *, repeats: int = REPEATS, above: float = GROUP_ABOVE, tell: Tell = silent
) -> ImportanceTable:
    """Return the importance of every column, those that go together as a group.

    Args:
        subject: an ensemble and rows whose truth is known.
        repeats: permutations of each column; all columns are permuted in the same ways.
        above: |Spearman| from which on columns are permuted together; above 1, each by itself.
        tell: hears how far the work is.

    Raises:
        SettingError: less than one repeat, or `above` is no correlation.
    """
    if repeats < 1:
        raise SettingError(f"repeats must be 1 or more, got {repeats}")
    if not above > 0:
        raise SettingError(f"group_above is a correlation above 0, e.g. 0.7, got {above}")
    strength, first = correlations(subject), SCORES[subject.task][0].name
    sets = groups_above(strength, above)
    several = [i for group in sets if len(group) > 1 for i in group]
    reference = ReferenceLosses.of(subject, permutations(subject, repeats))
    done = itertools.count(1)

    def importance(group: Sequence[int]) -> Importance:
        tell(f"permuting columns · {next(done)} of {len(several) + len(sets)}")
        return reference.importance([subject.columns[i] for i in group])

    alone = {i: importance([i]) for i in several}
    for group in sets:
        if len(group) > 1:
            group.sort(key=lambda i: -alone[i].scores[first].value)
    groups = sorted((importance(group) for group in sets), key=lambda group: -group.scores[first].value)
    return ImportanceTable(
        groups=tuple(groups),
        alone=tuple(alone.values()),
        score=reference.score(),
        rows=len(subject),
        repeats=repeats,
        on=subject.name,
        above=above,
        correlation=strength,
        columns=tuple(column.name for column in subject.columns),
        target="" if subject.task is Task.CLASSIFICATION else subject.outputs[0],
    )


def permutations(subject: Subject, repeats: int) -> np.ndarray:
    """Return from which row each row gets its value, `(repeats, rows)`."""
    return np.stack([subject.stream(DEALS, repeat).permutation(len(subject)) for repeat in range(repeats)])


@dataclass(frozen=True)
class ReferenceLosses:
    """The losses of rows as they are, against which those of rows with permuted columns are held.

    Attributes:
        subject: the ensemble and the rows.
        deals: `(repeats, rows)`, from which row each gets its value.
        units: the members in groups, each of which answers for every row.
        losses: `(1 + units, scores, 1, rows)`, of the ensemble, then of that without each unit (none if there is one).
    """

    subject: Subject
    deals: np.ndarray
    units: tuple[tuple[int, ...], ...]
    losses: np.ndarray

    @classmethod
    def of(cls, subject: Subject, deals: np.ndarray) -> ReferenceLosses:
        """Measure the rows as they are."""
        units = find_units(subject)
        return cls(subject, deals, units, _losses(subject, units, subject.x, 1))

    def score(self) -> dict[str, float]:
        """Return each score of the ensemble as it is."""
        w, scores = self.subject.w, SCORES[self.subject.task]
        means = self.losses[0, :, 0] @ w / w.sum()
        values = {score.name: float(score.of(mean)) for score, mean in zip(scores, means, strict=True)}
        if "accuracy" in values:
            values["accuracy"] = 1.0 - values["accuracy"]
        return values

    def importance(self, columns: Sequence[ColumnFeatures]) -> Importance:
        """Return the importance of some columns, which are permuted together."""
        subject, parts = self.subject, []
        for some in subject.pieces(len(self.deals)):
            deals = self.deals[some]
            x = np.tile(subject.x, (len(deals), 1))
            for column in columns:
                x[:, column.features] = subject.x[deals.ravel(), column.features]
            parts.append(_losses(subject, self.units, x, len(deals)))
        permuted = np.concatenate(parts, axis=2)
        scores = {
            score.name: estimate(score, self.losses[:, i, 0], permuted[:, i], self.deals, subject.w, subject.groups)
            for i, score in enumerate(SCORES[subject.task])
        }
        return Importance(tuple(column.name for column in columns), scores)


def find_units(subject: Subject) -> tuple[tuple[int, ...], ...]:
    """Return the members in groups of which each answers once for every row.

    A member by itself; where rows are asked of the members that did not learn from them, the members of one candidate
    and repeat, of which there is one for each fold.
    """
    members = subject.predictor.members
    if subject.answering is None or bool(subject.answering.all()):
        return tuple((i,) for i in range(len(members)))
    seen: dict[tuple[int | None, int], int] = {}
    units: dict[tuple[int, int], list[int]] = {}
    for i, member in enumerate(members):
        turn = seen[member.fold, member.repeat] = seen.get((member.fold, member.repeat), -1) + 1
        units.setdefault((turn, member.repeat), []).append(i)
    return tuple(tuple(unit) for unit in units.values())


def _losses(subject: Subject, units: Sequence[Sequence[int]], x: np.ndarray, copies: int) -> np.ndarray:
    """Return the losses of copies of the rows, `(1 + units, scores, copies, rows)`."""
    outputs = _unit_outputs(subject, units, x, copies)
    total = outputs.sum(axis=0)
    means = [total / len(units)]
    if len(units) > 1:
        means += [(total - unit) / (len(units) - 1) for unit in outputs]
    assert subject.y is not None
    truth = np.tile(subject.y, (copies, *[1] * (subject.y.ndim - 1)))
    if subject.task is Task.CLASSIFICATION:
        guesses = [subject.predictor.calibration(mean) for mean in means]
    else:
        target = subject.explained[0]
        guesses, truth = [mean[:, target] for mean in means], truth[:, target]
    losses = [[score.losses(truth, guess) for score in SCORES[subject.task]] for guess in guesses]
    return np.asarray(losses).reshape(len(losses), -1, copies, len(subject))


def _unit_outputs(subject: Subject, units: Sequence[Sequence[int]], x: np.ndarray, copies: int) -> np.ndarray:
    """Return what each unit says, `(units, copies rows, classes or targets)`."""
    if subject.answering is None or len(units) == len(subject.predictor.members):
        return subject.predictor.member_outputs(x)
    asked = np.tile(subject.answering, copies)
    width = len(subject.predictor.preparation.classes) or len(subject.predictor.preparation.targets)
    outputs = np.full((len(units), len(x), width), np.nan)
    for unit_outputs, unit in zip(outputs, units, strict=True):
        for i in unit:
            rows = np.flatnonzero(asked[i])
            unit_outputs[rows] = subject.answer(subject.predictor.members[i], x[rows])
    return outputs
