"""The place of a minimum is that which scipy finds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from shoal.statistics.minimum import minimum


@pytest.mark.parametrize("at", [0.3, 1.0, 4.7])
def test_the_minimum_is_that_of_scipy(at: float) -> None:
    def function(x: float) -> float:
        return float(np.log1p((x - at) ** 2) + 0.1 * x)

    theirs = minimize_scalar(function, bounds=(0.0, 10.0), method="bounded", options={"xatol": 1e-9}).x
    assert minimum(function, np.linspace(0.0, 10.0, 21)) == pytest.approx(theirs, abs=1e-6)


def test_a_minimum_at_the_first_place_is_that_place() -> None:
    assert minimum(lambda x: x**4, np.linspace(0.0, 1.0, 5)) == 0.0
