"""Everything that is said of what an ensemble looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.errors import DataError, SettingError
from shoal.evaluation.explanation.attribution import Attribution, attributions
from shoal.evaluation.explanation.correlation import correlations, groups_above
from shoal.evaluation.explanation.dependence import Dependence, dependence
from shoal.evaluation.explanation.importance import (
    GROUP_ABOVE,
    REPEATS,
    ImportanceTable,
    permutation_importance,
)
from shoal.evaluation.explanation.interactions import COLUMNS, Interactions, interactions
from shoal.evaluation.explanation.subject import Subject, Tell, silent

SHOWN = 6
"""The most important columns, whose effects are looked at if none are named."""
FORMAT = 1


@dataclass(frozen=True)
class Explanation:
    """What an ensemble looks at.

    Attributes:
        run: the name of the run.
        on: on what it is explained, e.g. `24 validation rows`.
        importance: of all columns; None where the truth is not known, or rows are explained one by one.
        effects: how the answer changes with columns.
        interactions: of the most important columns; None where none were asked for.
        attributions: the parts of columns in single answers.
        notes: what was left out and why, in sentences.
    """

    run: str
    on: str
    importance: ImportanceTable | None = None
    effects: tuple[Dependence, ...] = ()
    interactions: Interactions | None = None
    attributions: tuple[Attribution, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data for JSON."""
        whole: dict[str, Any] = {"format": FORMAT, "run": self.run, "on": self.on}
        if self.importance is not None:
            whole["importance"] = self.importance.as_dict()
        if self.effects:
            whole["effects"] = [one.as_dict() for one in self.effects]
        if self.interactions is not None:
            whole["interactions"] = self.interactions.as_dict()
        if self.attributions:
            whole["attributions"] = [one.as_dict() for one in self.attributions]
        return {**whole, "notes": list(self.notes)}


def explain_table(
    run: str,
    subject: Subject,
    *,
    columns: Sequence[str] | None = None,
    repeats: int = REPEATS,
    above: float = GROUP_ABOVE,
    pairs_of: int = COLUMNS,
    curves: bool = False,
    notes: Sequence[str] = (),
    tell: Tell = silent,
) -> Explanation:
    """Return importance, effects and interactions of the columns of a table.

    Args:
        run: the name of the run.
        subject: an ensemble and rows; without their truth there is no importance.
        columns: whose effects are wanted; by default the most important ones.
        repeats: permutations of each column.
        above: |Spearman| from which on columns go together.
        pairs_of: how many of the most important columns are looked at in pairs; 0: none.
        curves: whether effects of single rows are wanted, too.
        notes: what is to be said before.
        tell: hears how far the work is.

    Raises:
        SettingError: a column that the ensemble does not predict from, or a number that makes no sense.
        DataError: a named column has one value only.
    """
    for name in columns or ():
        subject.block(name)
    if pairs_of < 0 or pairs_of == 1:
        raise SettingError(f"interactions takes the number of columns to look at in pairs, 2 or more, got {pairs_of}")
    told, importance = list(notes), None
    if subject.y is None:
        told.append(
            f"the {subject.name} hold no target, so that no importance could be measured; columns are in the order of "
            "the size of their effects"
        )
        together = _together(subject, above)
    else:
        importance = permutation_importance(subject, repeats=repeats, above=above, tell=tell)
        together = {name: importance.together_with(name) for name in importance.columns}
    ranked = importance.ranked if importance is not None else tuple(block.name for block in subject.blocks)
    wanted = list(columns or (ranked[:SHOWN] if importance is not None else ranked))
    effects = []
    for name in wanted:
        try:
            effects.append(dependence(subject, name, together_with=together[name], curves=curves, tell=tell))
        except DataError as error:
            if columns:
                raise
            told.append(str(error))
    if importance is None:
        effects.sort(key=lambda one: -one.spread)
        ranked = tuple(one.column for one in effects)
        effects = effects if columns else effects[:SHOWN]
    few = list(ranked[:pairs_of])
    found = interactions(subject, few, tell=tell) if len(few) > 1 else None
    on = f"{len(subject):,} {subject.name}"
    return Explanation(run, on, importance, tuple(effects), found, (), tuple(told))


def _together(subject: Subject, above: float) -> dict[str, tuple[str, ...]]:
    """Return for each column those that go together with it."""
    names = [block.name for block in subject.blocks]
    groups = groups_above(correlations(subject), above)
    return {names[i]: tuple(names[j] for j in group if j != i) for group in groups for i in group}


def explain_rows(
    run: str,
    subject: Subject,
    background: Subject,
    rows: Sequence[int],
    *,
    method: str = "auto",
    notes: Sequence[str] = (),
    tell: Tell = silent,
) -> Explanation:
    """Return the parts of the columns in the answers for single rows; see `attribution.attributions`."""
    found = attributions(subject, background, rows, method=method, tell=tell)
    on = f"{np.size(rows)} of {len(subject):,} {subject.name}"
    return Explanation(run, on, attributions=found, notes=tuple(notes))
