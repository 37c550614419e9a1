"""What new rows lack beside their features, and what that does to their error bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from shoal.data.conversion import to_numbers
from shoal.errors import listing
from shoal.results import Task

if TYPE_CHECKING:
    from shoal.data import Inputs
    from shoal.prediction.prediction import NumberPrediction
    from shoal.prediction.predictor import Predictor


def absent_columns(predictor: Predictor, inputs: Inputs) -> list[str]:
    """Return a sentence for each column, or its values, that error bars miss in new rows."""
    if not isinstance(inputs, pl.DataFrame):
        return []
    return [*_of_features(predictor, inputs), *_of_targets(predictor, inputs), *_of_groups(predictor, inputs)]


def _of_features(predictor: Predictor, table: pl.DataFrame) -> Iterator[str]:
    errors = predictor.input_errors
    absent = {feature: name for feature, name in errors.items() if name not in table.columns}
    if absent:
        what = "count them as large as they were in the fit, the same in each row"
        if predictor.input_noise is None:
            what = "do not count them (the run is of an earlier version)"
        yield (
            f"no column {listing(map(repr, absent.values()))} with the errors of {listing(map(repr, absent))}: error "
            f"bars {what}; add {'it' if len(absent) == 1 else 'them'}, with 0 where a value is exact"
        )
        return
    for name in dict.fromkeys(errors.values()):
        missing = to_numbers(table.get_column(name)).is_null()
        if missing.any():
            yield f"{_without(name, missing)}: counted as 0, so that error bars are too small there"


def _of_targets(predictor: Predictor, table: pl.DataFrame) -> Iterator[str]:
    columns = () if predictor.measured is None else tuple(dict.fromkeys(predictor.measured.columns))
    present = [name for name in columns if name in table.columns]
    absent = [name for name in columns if name not in table.columns]
    if present and absent:
        yield f"no column {listing(map(repr, absent))} with errors of targets: total is the error of a true value"
    for name in present if not absent else ():
        missing = to_numbers(table.get_column(name)).is_null()
        if missing.any():
            what = "total is the error of a true value" if missing.all() else "there, total is empty"
            yield f"{_without(name, missing)}: {what}"


def _of_groups(predictor: Predictor, table: pl.DataFrame) -> Iterator[str]:
    known = predictor.conformal
    if known is not None and known.column is not None and known.by_group and known.column not in table.columns:
        what = "sets" if predictor.preparation.task is Task.CLASSIFICATION else "intervals"
        yield f"no column {known.column!r}: {what} are those for any group; add it for those of each row's own"


def _without(name: str, missing: pl.Series) -> str:
    rows = int(missing.sum())
    where = f"{rows} row{'' if rows == 1 else 's'}, the first of them row {int(missing.arg_max() or 0) + 1}"
    return f"column {name!r} holds no error in {where}"


def total_meaning(predictor: Predictor, prediction: NumberPrediction) -> str:
    """Return what `total` is the error of in a prediction, a sentence; empty where there is none."""
    if predictor.measured is None:
        return ""
    if prediction.total_of_measurement:
        return "total is the error of these measurements: it holds the errors that the table gives of them."
    columns = listing(map(repr, predictor.measured.columns))
    more = f"; with {columns} in the table it would be that of a new measurement" if columns else ""
    return f"total is the error of a true value{more}."
