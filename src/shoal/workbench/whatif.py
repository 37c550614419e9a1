"""What if: one row, made by hand, and what the ensemble says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from shoal.data.encoders import CategoryEncoder
from shoal.data.labels import label_names
from shoal.errors import SettingError
from shoal.evaluation.explanation.attribution import attributions
from shoal.evaluation.explanation.cross_section import training_rows
from shoal.evaluation.explanation.subject import ColumnFeatures, Subject
from shoal.prediction.prediction import ClassPrediction, NumberPrediction
from shoal.prediction.predictor import Predictor
from shoal.results import readable


@dataclass(frozen=True)
class Field:
    """A column that can be set: `kind` is `number`, `date`, `boolean` or `category`; numbers have limits and a step."""

    name: str
    kind: str
    value: Any
    low: float = 0.0
    high: float = 1.0
    levels: tuple[str, ...] = ()


class Answer(NamedTuple):
    """What the ensemble says of a row.

    Attributes:
        lines: what is predicted and each part of its error, in words and numbers.
        shares: classes with their probabilities, the likeliest first; empty for numbers.
        outside: whether the row lies outside the region of the training rows; None where that is not known.
    """

    lines: tuple[tuple[str, str], ...]
    shares: tuple[tuple[str, float], ...]
    outside: bool | None


class Contribution(NamedTuple):
    """What a column adds to the answer, beside how much its networks differ on that."""

    column: str
    value: str
    part: float
    spread: float


class WhatIf:
    """One row of a run on a table.

    Args:
        predictor: the ensemble.

    Raises:
        SettingError: it predicts from images or series, or predicts nothing.

    Example:
        >>> import shoal, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = shoal.fit("iris", networks=2, hidden=(4,), epochs=2, batch_size=32, out=folder + "/iris")
        ...     what_if = WhatIf(run.predictor)
        >>> what_if.fields[0].name, len(what_if.answer({}).shares)
        ('sepal length (cm)', 3)
    """

    def __init__(self, predictor: Predictor) -> None:
        if predictor.preparation.signals is not None or predictor.alarm is not None:
            raise SettingError("a row can be made by hand for tables that predict; this run is of another kind.")
        self.predictor = predictor
        self._subject = Subject(predictor, np.zeros((0, 0), np.float32))

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The columns, set to a usual row: the median of the training rows, or the first category."""
        rows = training_rows(self.predictor)
        return tuple(_field(column, rows) for column in self._subject.columns)

    def answer(self, values: Mapping[str, Any]) -> Answer:
        """Return what the ensemble says of a row.

        Args:
            values: of columns by name; the others are as in `fields`.
        """
        prediction = self.predictor.predict(self._table(values))
        outside = None if prediction.outside is None else bool(prediction.outside[0])
        if isinstance(prediction, ClassPrediction):
            return _of_classes(prediction, outside)
        assert isinstance(prediction, NumberPrediction)
        return Answer(tuple(_of_numbers(prediction, self.predictor)), (), outside)

    def parts(self, values: Mapping[str, Any]) -> tuple[str, list[Contribution]]:
        """Return of which answer the parts are taken, and what each column adds, the largest first.

        The parts add up to the answer less that for a usual row. Where columns hold categories they are Shapley values,
        which take longer.
        """
        table, rows = self._table(values), training_rows(self.predictor)
        subject = Subject(self.predictor, self.predictor.preparation.transform(table), "row", table)
        background = Subject(self.predictor, self.predictor.preparation.transform(rows), "training rows", rows)
        likeliest = attributions(subject, background.at_most(100), [0])
        best = max(likeliest, key=lambda each: each.answer) if len(likeliest) > 1 else likeliest[0]
        order = best.order.tolist()
        return best.output, [
            Contribution(best.columns[i], best.values[i], float(best.parts[i]), float(best.members[i])) for i in order
        ]

    def _table(self, values: Mapping[str, Any]) -> pl.DataFrame:
        given = {field.name: values.get(field.name, field.value) for field in self.fields}
        return pl.DataFrame([column.series([given[column.name]]) for column in self._subject.columns])


def _field(column: ColumnFeatures, rows: pl.DataFrame) -> Field:
    encoder = column.encoder
    if isinstance(encoder, CategoryEncoder):
        levels = tuple(encoder.levels)
        usual = levels[0] if levels else ""
        if column.name in rows.columns and len(rows):
            usual = str(rows.get_column(column.name).cast(pl.String).mode()[0])
        return Field(column.name, "category", usual, levels=(*levels, *encoder.rare))
    if column.kind == "boolean":
        return Field(column.name, "boolean", bool(encoder.fill), levels=("false", "true"))
    values = column.values(rows) if column.name in rows.columns else np.zeros(0)
    finite = values[np.isfinite(values)]
    middle = float(encoder.fill)
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (middle - 1.0, middle + 1.0)
    return Field(column.name, column.kind, middle, low, high if high > low else low + 1.0)


def _of_classes(prediction: ClassPrediction, outside: bool | None) -> Answer:
    names, shares = label_names(prediction.classes), prediction.probabilities[0]
    order = np.argsort(-shares, kind="stable")
    best = int(order[0])
    lines = [
        ("prediction", names[best]),
        ("probability", f"{shares[best]:.3f} ± {prediction.probability_std[0, best]:.3f} over the networks"),
        ("disagreement", f"{prediction.disagreement[0]:.3g} nats"),
    ]
    if prediction.sets is not None:
        inside = [name for name, there in zip(names, prediction.sets[0], strict=True) if there]
        lines.append(("set", " or ".join(inside) or "none: unlike all rows of training"))
    return Answer(tuple(lines), tuple((names[i], float(shares[i])) for i in order.tolist()), outside)


_PARTS = (
    ("spread", "of which the networks disagree"),
    ("noise", "of which scatter that the networks predict"),
    ("data_spread", "of which errors of the targets"),
    ("input_spread", "of which errors of the features"),
    ("scatter", "of which intrinsic scatter"),
    ("total", "error of the true value"),
)


def _of_numbers(prediction: NumberPrediction, predictor: Predictor) -> list[tuple[str, str]]:
    lines = []
    level = 0.95 if predictor.conformal is None else predictor.conformal.level
    for number, target in enumerate(prediction.targets):
        unit = predictor.preparation.units.get(target, "")
        end = f" {unit}" if unit else ""
        value, std = prediction.mean[0, number], prediction.std[0, number]
        low, high = prediction.low[0, number], prediction.high[0, number]
        lines.append((str(target), f"{readable(value, 4)} ± {readable(std, 2)}{end}"))
        lines.append((f"{100 * level:.0f} % interval", f"{readable(low, 4)} to {readable(high, 4)}{end}"))
        for name, words in _PARTS:
            values = getattr(prediction, name)
            if values is not None and np.isfinite(values[0, number]):
                lines.append((words, readable(float(values[0, number]), 2) + end))
    return lines
