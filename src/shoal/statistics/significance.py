"""Significance of a counting experiment: how clearly s expected signal events stand out of b of background.

* `s/sqrt(b)` and `s/sqrt(s + b)`;
* `asimov`: `sqrt(2 ((s + b) ln(1 + s/b) - s))`, the median significance of discovery (Cowan et al., Eur. Phys. J. C 71,
  1554, 2011, eq. 97), and with a relative uncertainty u of the background, `v = (u b)²`,
  `sqrt(2 ((s + b) ln((s + b)(b + v) / (b² + (s + b) v)) - b²/v ln(1 + v s / (b (b + v)))))` (Cowan, "Discovery
  sensitivity for a counting experiment with background uncertainty", 2012);
* `ams`: the Asimov formula for `b + b_reg`, with b_reg = 10 (Adam-Bourdarios et al., PMLR 42, 19, 2015).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.errors import SettingError, suggest

B_REG = 10.0
MEASURES = ("asimov", "ams", "s/sqrt(b)", "s/sqrt(s+b)")


def simple_significance(s: Any, b: Any) -> np.ndarray:
    """Return `s / sqrt(b)`; NaN where b is not positive.

    Example:
        >>> float(simple_significance(10.0, 100.0))
        1.0
    """
    s, b = np.asarray(s, np.float64), np.asarray(b, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(b > 0, s / np.sqrt(b), np.nan)


def counting_significance(s: Any, b: Any) -> np.ndarray:
    """Return `s / sqrt(s + b)`; NaN where s + b is not positive.

    Example:
        >>> float(counting_significance(10.0, 90.0))
        1.0
    """
    return simple_significance(s, np.asarray(s, np.float64) + b)


def asimov_significance(s: Any, b: Any, uncertainty: float = 0.0) -> np.ndarray:
    """Return the median significance of discovery in a counting experiment.

    Args:
        s: expected signal events.
        b: expected background events; NaN where they are not positive.
        uncertainty: relative standard deviation of b, e.g. 0.1.

    Example:
        >>> round(float(asimov_significance(10.0, 100.0)), 4), round(float(asimov_significance(10.0, 100.0, 0.1)), 4)
        (0.984, 0.6902)
    """
    s, b = np.asarray(s, np.float64), np.asarray(b, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        if uncertainty == 0:
            squared = 2.0 * ((s + b) * np.log1p(s / b) - s)
        else:
            v = (uncertainty * b) ** 2
            first = (s + b) * (np.log1p(s / b) - np.log1p(s * v / (b * (b + v))))
            squared = 2.0 * (first - b**2 / v * np.log1p(v * s / (b * (b + v))))
        # a cut that keeps less signal than none, by negative weights, is a deficit
        size = np.sign(s) * np.sqrt(np.maximum(squared, 0.0))
        return np.where((b > 0) & (s + b > 0), size, np.nan)


def ams_significance(s: Any, b: Any, b_reg: float = B_REG) -> np.ndarray:
    """Return the approximate median significance, the Asimov formula for `b + b_reg`.

    Example:
        >>> round(float(ams_significance(10.0, 90.0)), 4)
        0.984
    """
    return asimov_significance(s, np.asarray(b, np.float64) + b_reg)


@dataclass(frozen=True)
class Yields:
    """What the user expects: events of signal and background, the relative uncertainty of the background, and b_reg."""

    signal: float
    background: float
    uncertainty: float = 0.0
    b_reg: float = B_REG

    def __post_init__(self) -> None:
        for name, value in (("signal_yield", self.signal), ("background_yield", self.background)):
            if not (np.isfinite(value) and value > 0):
                raise SettingError(f"{name} must be a positive number of expected events, got {value}")
        for name, value in (("background_uncertainty", self.uncertainty), ("b_reg", self.b_reg)):
            if not (np.isfinite(value) and value >= 0):
                raise SettingError(f"{name} must be zero or positive, got {value}")
        if self.uncertainty > 1:
            raise SettingError(f"background_uncertainty is relative, 0.1 for ten per cent, but got {self.uncertainty}")

    def measure(self, name: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """Return a measure of significance as a function of the kept signal and background events."""
        measures: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
            "asimov": lambda s, b: asimov_significance(s, b, self.uncertainty),
            "ams": lambda s, b: ams_significance(s, b, self.b_reg),
            "s/sqrt(b)": simple_significance,
            "s/sqrt(s+b)": counting_significance,
        }
        if name not in measures:
            raise SettingError(f"measure must be one of {', '.join(MEASURES)}, got {name!r}.{suggest(name, MEASURES)}")
        return measures[name]
