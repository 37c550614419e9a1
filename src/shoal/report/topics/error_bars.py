"""What error bars are worth: sentences, and the scores before and after calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.predictions import PredictedTestRows
from shoal.evaluation.topics.split import SplitRecord
from shoal.prediction.calibration_error import ECE
from shoal.report.blocks import Cell, ScoreTable, Section, figures, sentences
from shoal.report.words import answers_for, count, integer, interval, joined, label, number, on_average, percent
from shoal.results import Interval

_PARTS = {"validation": "validation rows, cross-fitted", "test": "test rows"}
_CALIBRATION = {
    "temperature": "Probabilities were averaged over the networks and calibrated by one temperature, T = {}",
    "isotonic": "Probabilities were averaged over the networks and calibrated by a rising function for each class",
    "scaling": "Standard deviations were multiplied by {}, so that pulls are as wide as they should be",
    "none": "Nothing was calibrated",
}


def sections(record: Record) -> Iterator[Section]:
    """Give the section on error bars, where something is known of them."""
    bars = record.get(ErrorBars)
    if bars is not None:
        table = [calibration_table(bars)] if bars.scores else []
        blocks = sentences(lines(record, bars)), *table, figures("calibration", "coverage", "pit")
        yield Section("error-bars", 60, blocks, "Error bars", "Error bars")


def lines(record: Record, bars: ErrorBars) -> tuple[str, ...]:
    """Return what is to be said of the error bars, a sentence each."""
    texts = [_coverage(record, bars), _calibration(bars, len(record[Candidates].kept))]
    if bars.class_weight:
        texts.append(
            f"{answers_for(bars.class_weight)}, but for those before and after calibration: these weigh classes"
        )
    if bars.disagreement is not None and len(record[Candidates].kept) > 1:
        share = percent(round(bars.disagreement, 3)) if bars.disagreement >= 0.001 else "Less than 0.1 %"
        texts.append(
            f"{share} of the entropy of the predictions comes from disagreement "
            "between the networks (mutual information; Houlsby et al. 2011); the rest is what they agree on not knowing"
        )
    if bars.quantile_levels:
        pairs = zip(bars.quantile_levels, bars.quantile_shares, strict=True)
        below = joined(f"{interval(share)} below that of {percent(level)}" for level, share in pairs)
        texts.append(f"Of the test values lie, of the predicted quantiles, {below}")
    if bars.nll is not None:
        what = "" if len(record[DataRecord].targets) == 1 else ", all targets of a row together"
        texts.append(
            f"The negative log-likelihood of a test {record[PredictedTestRows].unit} is {interval(bars.nll)}{what}"
        )
    texts += [_crps(*of_target, units=record[DataRecord].units) for of_target in bars.crps.items()]
    if bars.input_noise is not None:
        shares = zip(record[DataRecord].targets, bars.input_noise.typical, bars.input_noise.share, strict=True)
        texts += [_input_noise(*of_target, data=record[DataRecord]) for of_target in shares]
    if bars.outside is not None:
        texts.append(_outside(record, bars, bars.outside))
    return tuple(texts)


def _coverage(record: Record, bars: ErrorBars) -> str:
    held = record[PredictedTestRows].coverage
    classes = bool(record[DataRecord].classes)
    what = f"{percent(bars.level)} {'sets' if classes else 'intervals'}"
    true_ones = f"true classes of the test {record[PredictedTestRows].unit}s" if classes else "test values"
    share = "" if held is None else f" hold {interval(held)} of the {true_ones}"
    size = ""
    if bars.set_size is not None:
        mean = on_average(bars.set_size, "class", "classes")
        size = f", with {mean}; the likeliest class is always in, so that they hold more where it is mostly right"
    groups = f"; {count(bars.groups_known, 'group')} had rows enough for one of its own" if bars.groups_known else ""
    text = f"{what}{share}{size}. They are made by {bars.how}{groups}"
    if any(column.role == "time" for column in record[DataRecord].columns):
        text += ". Rows are in the order of time, so that this holds only while the future is like the past"
    return text


def _crps(target: str, score: Interval, units: Mapping[str, str]) -> str:
    value = f"{interval(score)} {units.get(target, '')}".rstrip()
    return (
        f"The continuous ranked probability score (CRPS) of {target} is {value}: how far the predicted distributions "
        "lie from the test values; without error bars it would be the mean absolute error"
    )


def _input_noise(target: str, typical: float, share: float, data: DataRecord) -> str:
    unit = data.units.get(target, "")
    moved = f"Errors of features move the prediction of {target} by {f'{number(typical)} {unit}'.rstrip()}"
    counted = "the variance of each row counts in full"
    if share < 1.0:
        counted = f"{percent(share)} of the variance of each row counts, all that their scatter leaves room for"
    return f"{moved} (root mean square over the validation rows); {counted}"


def _calibration(bars: ErrorBars, kept: int) -> str:
    text = _CALIBRATION[bars.calibration].format(joined(number(value) for value in bars.parameters))
    text = text if kept > 1 else text.replace("averaged over the networks and ", "")
    return text if bars.calibration == "scaling" else f"{text}: {bars.reason}"


def _outside(record: Record, bars: ErrorBars, share: Interval) -> str:
    rows = record[SplitRecord].rows.get("test", 0)
    low, high, how_many = 100 * share.low, 100 * share.high, integer(bars.outside_rows) if bars.outside_rows else "None"
    text = (
        f"{how_many} of {count(rows, 'test row')} ({number(low, 2)} to {number(high, 2)} %) "
        f"{'lie' if bars.outside_rows > 1 else 'lies'} outside the region of the training rows, where no error bar "
        f"can be relied on; {percent(bars.outside_rate)} of rows like those of training are expected there"
    )
    if share.low > bars.outside_rate:
        text += ". These are more: the test rows differ from the training rows"
    return text


def calibration_table(bars: ErrorBars) -> ScoreTable:
    """Return calibration error and log-loss of classes before and after; where nothing was calibrated, the error."""
    note = f"{ECE[0].upper()}{ECE[1:]} (Naeini et al. 2015). It is never below zero, so that few rows show some of it."
    if bars.calibration == "none":
        errors = bars.scores["calibration_error"]
        rows = [(f"calibration error, {w.split(',')[0]}", [Cell.of(errors[p].before)]) for p, w in _PARTS.items()]
        return ScoreTable("Calibration", ("", "uncalibrated"), tuple(rows), note)
    rows = [
        (f"{label(name)}, {words}", [Cell.of(by_part[part].before), Cell.of(by_part[part].after)])
        for part, words in _PARTS.items()
        for name, by_part in bars.scores.items()
    ]
    return ScoreTable("Before and after calibration", ("", "before", "after"), tuple(rows), note)
