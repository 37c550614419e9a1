"""Rows of a run beside what was predicted for them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PredictedRows:
    """Rows of one part with what was predicted for them, kept for later comparisons and cuts.

    `rows` `(rows,)` are their positions in the data, from 0; `truth` and `guess` are as metrics take them, `weights`
    `(rows,)` or None; `groups` `(rows,)` says what belongs together, as in `Scored`, None where each stands for itself.
    """

    rows: np.ndarray
    truth: np.ndarray
    guess: np.ndarray
    weights: np.ndarray | None = None
    groups: np.ndarray | None = None
