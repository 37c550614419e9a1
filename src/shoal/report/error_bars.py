"""What the page says of error bars: sentences, and the table of scores before and after calibration."""

from __future__ import annotations

from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.predictions import TestRows
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.tables import Cell, Table
from shoal.report.words import (
    count,
    in_the_mean,
    interval,
    interval_range,
    interval_value,
    joined,
    label,
    number,
    percent,
)
from shoal.results import Interval

_NAMES = {"calibration_error": "calibration error", "log_loss": "log-loss"}
_PARTS = {"validation": "validation rows, cross-fitted", "test": "test rows"}


def error_bars(record: Record) -> tuple[str, ...]:
    """Return what is to be said of the error bars, a sentence each; nothing where nothing is known of them."""
    found = record.get(ErrorBars)
    if found is None:
        return ()
    lines = [_coverage(record, found), _calibration(found)]
    if found.disagreement is not None:
        lines.append(
            f"{percent(round(found.disagreement, 3))} of the entropy of the predictions comes from disagreement "
            "between the networks (mutual information; Houlsby et al. 2011); the rest is what they agree on not knowing"
        )
    if found.quantile_levels:
        pairs = zip(found.quantile_levels, found.quantile_shares, strict=True)
        said = joined(f"{interval(share)} below that of {percent(level)}" for level, share in pairs)
        lines.append(f"Of the test values lie, of the predicted quantiles, {said}")
    if found.nll is not None:
        what = "" if len(record[DataRecord].targets) == 1 else ", all targets of a row together"
        lines.append(f"The negative log-likelihood of a test {record[TestRows].unit} is {interval(found.nll)}{what}")
    if found.outside is not None:
        lines.append(_outside(record, found, found.outside))
    return tuple(lines)


def _coverage(record: Record, found: ErrorBars) -> str:
    held = record[TestRows].coverage
    classes = bool(record[DataRecord].classes)
    what = f"{percent(found.level)} {'sets' if classes else 'intervals'}"
    share = "" if held is None else f" hold {interval(held)} of the test values"
    size = ""
    if found.set_size is not None:
        mean = in_the_mean(found.set_size, "class", "classes")
        size = f", with {mean}; the likeliest class is always in, so that they hold more where it is mostly right"
    groups = f"; {count(found.groups_known, 'group')} had rows enough for one of its own" if found.groups_known else ""
    text = f"{what}{share}{size}. They are made by {found.how}{groups}"
    if any(column.role == "time" for column in record[DataRecord].columns):
        text += ". Rows are in the order of time, so that this holds only while the future is like the past"
    return text


def _calibration(found: ErrorBars) -> str:
    names = {
        "temperature": "Probabilities were averaged over the networks and calibrated by one temperature, T = {}",
        "isotonic": "Probabilities were averaged over the networks and calibrated by a rising function for each class",
        "scaling": "Standard deviations were multiplied by {}, so that pulls are as wide as they should be",
        "none": "Nothing was calibrated",
    }
    said = names[found.calibration].format(joined(number(value) for value in found.parameters))
    reason = "" if found.calibration == "scaling" else f": {found.reason}"
    return f"{said}{reason}"


def _outside(record: Record, found: ErrorBars, share: Interval) -> str:
    rows = record[SplitRecord].rows.get("test", 0)
    low, high = 100 * share.low, 100 * share.high
    text = (
        f"{count(found.outside_rows, 'test row')} of {rows:,} ({number(low, 2)} to {number(high, 2)} %) "
        f"{'lies' if found.outside_rows == 1 else 'lie'} outside the region of the training rows, where no error bar "
        f"can be relied on; of rows like those of training {percent(found.outside_rate)} is expected"
    )
    if share.low > found.outside_rate:
        text += ". These are more: the test rows differ from the training rows"
    return text


def error_bars_table(record: Record) -> Table | None:
    """Return calibration error and log-loss before and after, or None for numbers."""
    found = record.get(ErrorBars)
    if found is None or not found.scores or found.calibration == "none":
        return _as_it_was(found) if found is not None and found.scores else None
    rows = []
    for part, words in _PARTS.items():
        for name, by_part in found.scores.items():
            both = by_part[part]
            cells = [Cell(interval_value(one), interval_range(one), False) for one in (both.before, both.after)]
            rows.append((f"{_NAMES.get(name, label(name))}, {words}", cells))
    return Table(("", "before", "after"), tuple(rows), _note())


def error_bars_title(record: Record) -> str:
    """Return the title of the table."""
    found = record.get(ErrorBars)
    return "Calibration" if found is None or found.calibration == "none" else "Before and after calibration"


def _as_it_was(found: ErrorBars) -> Table:
    parts = found.scores["calibration_error"]
    rows = []
    for part, words in _PARTS.items():
        one = parts[part].before
        rows.append(
            (f"calibration error, {words.split(',')[0]}", [Cell(interval_value(one), interval_range(one), False)])
        )
    return Table(("", "as averaged"), tuple(rows), _note())


def _note() -> str:
    from shoal.prediction.calibration import ECE

    return f"{ECE[0].upper()}{ECE[1:]} (Naeini et al. 2015). It is never below zero, so that few rows show some of it."
