"""Everything that is said of what an ensemble looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shoal.errors import DataError, SettingError
from shoal.evaluation.explanation.attribution import Attribution
from shoal.evaluation.explanation.correlation import correlations, groups_above
from shoal.evaluation.explanation.dependence import Dependence, dependence
from shoal.evaluation.explanation.importance import GROUP_ABOVE, REPEATS, ImportanceTable, permutation_importance
from shoal.evaluation.explanation.interactions import COLUMNS, Interactions, interactions
from shoal.evaluation.explanation.subject import Subject, Tell, silent
from shoal.short_repr import ShortRepr

SHOWN = 6
"""The most important columns, whose effects are looked at if none are named."""
FORMAT = 1


@dataclass(frozen=True, repr=False)
class Explanation(ShortRepr):
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
        document: dict[str, Any] = {"format": FORMAT, "run": self.run, "on": self.on}
        if self.importance is not None:
            document["importance"] = self.importance.as_dict()
        if self.effects:
            document["effects"] = [effect.as_dict() for effect in self.effects]
        if self.interactions is not None:
            document["interactions"] = self.interactions.as_dict()
        if self.attributions:
            document["attributions"] = [attribution.as_dict() for attribution in self.attributions]
        return {**document, "notes": list(self.notes)}


@dataclass(frozen=True)
class TableSettings:
    """What is looked at in a table.

    Attributes:
        columns: whose effects are wanted; by default the most important ones.
        repeats: permutations of each column.
        above: |Spearman| from which on columns go together.
        pairs_of: how many of the most important columns are looked at in pairs; 0: none.
        curves: whether effects of single rows are wanted, too.
    """

    columns: Sequence[str] | None = None
    repeats: int = REPEATS
    above: float = GROUP_ABOVE
    pairs_of: int = COLUMNS
    curves: bool = False

    def check(self, subject: Subject) -> None:
        """Raise a SettingError for a column that the ensemble does not predict from, or a number of no sense."""
        for name in self.columns or ():
            subject.column(name)
        if self.pairs_of < 0 or self.pairs_of == 1:
            raise SettingError(
                f"interactions takes the number of columns to look at in pairs, 2 or more, got {self.pairs_of}"
            )


def explain_table(
    run: str, subject: Subject, settings: TableSettings, *, notes: Sequence[str] = (), tell: Tell = silent
) -> Explanation:
    """Return importance, effects and interactions of the columns of a table.

    Args:
        run: the name of the run.
        subject: an ensemble and rows; without their truth there is no importance.
        settings: what is looked at.
        notes: what is to be said before.
        tell: hears how far the work is.

    Raises:
        SettingError: a column that the ensemble does not predict from, or a number that makes no sense.
        DataError: a named column has one value only.
    """
    settings.check(subject)
    importance = None
    if subject.y is None:
        unmeasured = (
            f"the {subject.name} hold no target, so that no importance could be measured; columns are in the order of "
            "the size of their effects"
        )
        notes = [*notes, unmeasured]
        together = _together(subject, settings.above)
        ranked = shown = tuple(together)
    else:
        importance = permutation_importance(subject, repeats=settings.repeats, above=settings.above, tell=tell)
        together = {name: importance.together_with(name) for name in importance.columns}
        ranked, shown = importance.ranked, importance.ranked[:SHOWN]
    wanted = [(name, together[name]) for name in settings.columns or shown]
    effects, without_effect = _effects(subject, wanted, settings, tell)
    if importance is None:
        effects.sort(key=lambda effect: -effect.spread)
        ranked = tuple(effect.column for effect in effects)
        effects = effects if settings.columns else effects[:SHOWN]
    first = ranked[: settings.pairs_of]
    pairs = interactions(subject, first, tell=tell) if len(first) > 1 else None
    on = f"{len(subject):,} {subject.name}"
    return Explanation(run, on, importance, tuple(effects), pairs, notes=(*notes, *without_effect))


def _effects(
    subject: Subject, wanted: Sequence[tuple[str, tuple[str, ...]]], settings: TableSettings, tell: Tell
) -> tuple[list[Dependence], list[str]]:
    """Return the effects of columns, wanted with those that go together with each, and why others have none."""
    effects, without_effect = [], []
    for name, together in wanted:
        try:
            effects.append(dependence(subject, name, together_with=together, curves=settings.curves, tell=tell))
        except DataError as error:
            if settings.columns:
                raise
            without_effect.append(str(error))
    return effects, without_effect


def _together(subject: Subject, above: float) -> dict[str, tuple[str, ...]]:
    """Return for each column those that go together with it."""
    names = [column.name for column in subject.columns]
    groups = {i: group for group in groups_above(correlations(subject), above) for i in group}
    return {name: tuple(names[j] for j in groups[i] if j != i) for i, name in enumerate(names)}
