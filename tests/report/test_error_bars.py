"""What the page says of error bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from shoal.evaluation.record import Record
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.prediction.input_noise import InputNoise
from shoal.report import page_html
from shoal.report.blocks import Bullets, PageBlock, ScoreTable
from shoal.report.topics.error_bars import sections

Maker = Callable[..., Record]


def blocks_of(record: Record) -> tuple[PageBlock, ...]:
    return tuple(block for section in sections(record) for block in section.blocks)


def error_bars(record: Record) -> tuple[str, ...]:
    return tuple(str(item) for block in blocks_of(record) if isinstance(block, Bullets) for item in block.items)


def error_bars_table(record: Record) -> ScoreTable | None:
    return next((block for block in blocks_of(record) if isinstance(block, ScoreTable)), None)


def changed(record: Record, **changes: object) -> Record:
    return record.having(dataclasses.replace(record[ErrorBars], **changes))  # type: ignore[arg-type]


def test_classes_have_sets_a_temperature_and_a_table(record_of: Maker) -> None:
    record = record_of()
    text = " ".join(error_bars(record))
    assert "95 % sets" in text
    assert "T = 1.31" in text
    assert "12 % of the entropy" in text
    assert "1 of 30 test rows" in text
    table = error_bars_table(record)
    assert table is not None
    assert table.header == ("", "before", "after")
    assert table.rows[0][0] == "calibration error, validation rows, cross-fitted"


def test_numbers_have_intervals_and_a_factor(record_of: Maker) -> None:
    record = record_of(classes=(), targets=("y",))
    text = " ".join(error_bars(record))
    assert "95 % intervals hold 0.940 [0.880, 0.970] of the test values" in text
    assert "multiplied by 1.31" in text
    assert error_bars_table(record) is None


def test_what_was_not_calibrated_is_said_with_its_reason(record_of: Maker) -> None:
    record = changed(record_of(), calibration="none", reason="temperature raises it", parameters=())
    assert "Nothing was calibrated: temperature raises it" in error_bars(record)[1]
    table = error_bars_table(record)
    assert table is not None
    assert table.header == ("", "uncalibrated")


def test_what_errors_of_features_count_is_said(record_of: Maker) -> None:
    record = record_of(classes=(), targets=("y",))
    full, part = (InputNoise((share,), (share,), (1.0,), (0.25,)) for share in (1.0, 0.35))
    said = " ".join(error_bars(changed(record, input_noise=full)))
    assert "move the prediction of y by 0.250 (root mean square over the validation rows); the variance of each" in said
    assert "35 % of the variance of each row counts" in " ".join(error_bars(changed(record, input_noise=part)))
    assert "Errors of features" not in " ".join(error_bars(record))


def test_another_level_is_told_everywhere(record_of: Maker) -> None:
    page = page_html(changed(record_of(classes=(), targets=("y",)), level=0.9), {})
    assert "their 90\u00a0% interval" in page
    assert "their 95\u00a0% interval" not in page


def test_runs_that_know_nothing_of_it_say_nothing(record_of: Maker) -> None:
    record = record_of().without(ErrorBars)
    assert error_bars(record) == ()
    assert error_bars_table(record) is None
    page = page_html(record, {})
    assert 'id="error-bars"' not in page
    assert "#error-bars" not in page


def test_more_rows_outside_than_expected_are_remarked(record_of: Maker) -> None:
    from shoal.results import Interval

    few = " ".join(error_bars(record_of()))
    many = changed(record_of(), outside=Interval(0.3, 0.2, 0.4, "wilson"), outside_rows=9)
    assert "differ from the training rows" not in few
    assert "differ from the training rows" in " ".join(error_bars(many))
    assert isinstance(many.get(ErrorBars), ErrorBars)
