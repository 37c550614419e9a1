from __future__ import annotations

import math

import numpy as np
import pytest

from shoal.errors import SettingError
from shoal.statistics.significance import (
    Yields,
    ams_significance,
    asimov_significance,
    counting_significance,
    simple_significance,
)


def test_formulas_against_numbers_computed_by_hand() -> None:
    assert simple_significance(12.0, 36.0) == pytest.approx(2.0)
    assert counting_significance(12.0, 24.0) == pytest.approx(2.0)
    # Cowan et al. 2011, eq. 97
    assert asimov_significance(5.0, 1.0) == pytest.approx(math.sqrt(2 * (6 * math.log(6) - 5)))
    # Cowan 2012: s, b and sigma as he writes them
    s, b, sigma = 20.0, 100.0, 15.0
    v = sigma**2
    expected = math.sqrt(
        2
        * (
            (s + b) * math.log((s + b) * (b + v) / (b**2 + (s + b) * v))
            - b**2 / v * math.log(1 + v * s / (b * (b + v)))
        )
    )
    assert asimov_significance(s, b, 0.15) == pytest.approx(expected, rel=1e-12)
    assert ams_significance(s, b) == pytest.approx(math.sqrt(2 * (130 * math.log(1 + 20 / 110) - 20)))


def test_limits_of_the_formulas() -> None:
    assert asimov_significance(1.0, 1e6) == pytest.approx(1e-3, rel=1e-3)
    assert asimov_significance(30.0, 1e6, 1e-6) == pytest.approx(float(asimov_significance(30.0, 1e6)), rel=1e-3)
    # s / sqrt(b + sigma^2) for s << b
    assert asimov_significance(10.0, 1e4, 0.05) == pytest.approx(10 / math.sqrt(1e4 + 500**2), rel=2e-3)
    assert np.isnan(asimov_significance(3.0, 0.0))
    assert np.isnan(simple_significance(3.0, -1.0))
    assert asimov_significance(-2.0, 100.0) < 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signal": 0.0, "background": 1.0}, "signal_yield must be a positive number of expected events, got 0.0"),
        ({"signal": 1.0, "background": float("nan")}, "background_yield must be a positive"),
        ({"signal": 1.0, "background": 1.0, "uncertainty": 10.0}, "background_uncertainty is relative"),
        ({"signal": 1.0, "background": 1.0, "uncertainty": -0.1}, "background_uncertainty must be zero or positive"),
    ],
)
def test_yields_that_make_no_sense_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Yields(**options)


def test_an_unknown_measure_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SettingError, match=r"measure must be one of asimov.*Did you mean 'asimov'"):
        Yields(1, 1).measure("asimow")
