"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from shoal.report.words import (
    count,
    integer,
    interval,
    joined,
    label,
    number,
    seconds,
    sentence,
    setting,
    short,
)
from shoal.results import Interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.96667, "0.967"),
        (9.999, "10.0"),
        (-0.5, "−0.500"),
        (1234.5, "1,234"),
        (1.5e7, "1.50 × 10⁷"),
        (-2e-6, "−2.00 × 10⁻⁶"),
        (0.0, "0"),
        (math.nan, "–"),
        (-math.inf, "−∞"),
        (None, "–"),
    ],
)
def test_a_number_has_three_significant_digits(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Interval(29 / 30, 0.9, 1.0), "0.967 [0.900, 1.000]"),
        (Interval(1.0, 0.8865, 1.0), "1.000 [0.886, 1.000]"),
        (Interval(9.774, 8.263, 10.92), "9.77 [8.26, 10.92]"),
        (Interval(-0.021, -0.31, 0.163), "−0.021 [−0.310, 0.163]"),
        (Interval(5321.4, 4810.0, 5890.0), "5,321 [4,810, 5,890]"),
        (Interval(0.99812, 0.9978, 0.9985), "0.99812 [0.99780, 0.99850]"),
        (Interval(3.2e-7, 1e-7, 5e-7), "3.20 × 10⁻⁷ [1.00 × 10⁻⁷, 5.00 × 10⁻⁷]"),
        (Interval(0.5, math.nan, math.nan), "0.500"),
        (Interval(0.0, 0.0, 0.0), "0 [0, 0]"),
        (Interval(1.0986123, 1.0986122999999, 1.0986123), "1.10 [1.10, 1.10]"),
    ],
)
def test_an_interval_shows_as_many_decimals_as_its_width_bears(value: Interval, text: str) -> None:
    assert interval(value) == text


def test_settings_are_shown_without_python() -> None:
    assert setting((64, 32)) == "64, 32"
    assert setting(("relu",)) == "relu"
    assert setting(()) == "none"
    assert setting(False) == "no"
    assert setting({"momentum": 0.9}) == "momentum 0.9"
    assert setting(0.00642713, digits=3) == "0.00643"
    assert short(1e-5) == "10⁻⁵"


def test_words() -> None:
    assert label("r2") == "R²"
    assert count(1, "class", "classes") == "1 class"
    assert integer(1797) == "1,797"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert sentence("it rose") == "It rose."
    assert sentence("Did it?") == "Did it?"
    assert seconds(3725) == "1 h 2 min"
