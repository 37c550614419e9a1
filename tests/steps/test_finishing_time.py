"""A time budget is shared between training and what comes after it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from shoal.settings import check_settings
from shoal.steps import training
from shoal.steps.finishing_time import BASE, OF_A_ROW, PASSES, PASSES_OF_SIGNALS, Speed
from shoal.training.member import Member

MEMBERS: list[Any] = [Member(0, None)] * 64  # type: ignore[arg-type]


def left(monkeypatch: pytest.MonkeyPatch, rows: int, spent: float, minutes: float, load: float = 1.0) -> float:
    """Return the seconds that training has, of a budget of which so many seconds are spent."""
    monkeypatch.setattr(training.Speed, "measured", lambda *_: Speed(1e-6, load))
    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: 100.0 + spent))
    problem: Any = SimpleNamespace(
        y=np.empty(round(0.64 * rows)), validation_y=np.empty(round(0.16 * rows)), folds=None
    )
    session: Any = SimpleNamespace(timing=SimpleNamespace(began=100.0))
    settings = check_settings({"minutes": minutes})
    seconds = training.seconds_left(problem, MEMBERS, settings, session, searching=True)
    assert seconds is not None
    return seconds


@pytest.mark.parametrize("rows", [1_000, 1_000_000])
def test_training_has_what_reading_and_finishing_leave(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    needed = Speed(1e-6, 1.0).finishing_seconds(rows, 8)
    assert needed == pytest.approx(BASE + rows * (OF_A_ROW + PASSES * 8 * 1e-6))
    assert left(monkeypatch, rows, 7.0, 2.0) == pytest.approx(120.0 - 7.0 - needed)
    assert left(monkeypatch, rows, 7.0, 2.0, load=3.0) == pytest.approx(120.0 - 7.0 - 3.0 * needed)


def test_training_has_a_second_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    assert left(monkeypatch, 1_000, 40.0, 0.5) == 1.0


def test_images_and_series_are_asked_about_more_often_than_rows_of_a_table() -> None:
    table, images = (Speed(1e-6, 1.0, passes).finishing_seconds(1_000, 8) for passes in (PASSES, PASSES_OF_SIGNALS))
    assert images - table == pytest.approx((PASSES_OF_SIGNALS - PASSES) * 8e-3)
