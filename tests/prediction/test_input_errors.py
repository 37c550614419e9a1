"""Errors of features carried through the ensemble."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from shoal.errors import DataError
from shoal.prediction.input_errors import DRAWS, input_spread, redrawn_features

ERRORS = {"x": "dx", "z": "dz"}


def table(rows: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    columns = {name: rng.uniform(0.5, 1.5, rows) for name in ("x", "dx", "z", "dz")}
    return pl.DataFrame({**columns, "w": np.arange(rows)})


def test_of_a_plane_it_is_the_propagated_error() -> None:
    rows = table(2000)
    spread = input_spread(rows, ERRORS, lambda t: (3.0 * t["x"] - 2.0 * t["z"]).to_numpy()[:, None])
    exact = np.hypot(3.0 * rows["dx"].to_numpy(), 2.0 * rows["dz"].to_numpy())
    ratio = spread[:, 0] / exact
    assert ratio.mean() == pytest.approx(1.0, abs=0.01)
    assert ratio.std() == pytest.approx(1.0 / np.sqrt(2 * (DRAWS - 1)), rel=0.1)


def test_the_same_table_gives_the_same_draws_and_other_columns_stay() -> None:
    rows = table(20)
    one, again, other = (redrawn_features(rows, ERRORS, draw) for draw in (1, 1, 2))
    assert one.equals(again)
    assert not one.equals(other)
    assert one.drop("x", "z").equals(rows.drop("x", "z"))
    standard = (one["x"] - rows["x"]) / rows["dx"], (one["z"] - rows["z"]) / rows["dz"]
    assert abs(np.corrcoef(*standard)[0, 1]) < 0.7


def test_missing_errors_count_as_none_and_negative_ones_are_refused() -> None:
    rows = pl.DataFrame({"x": [1.0, 2.0, None], "dx": [None, 0.5, 0.5]})
    one = redrawn_features(rows, {"x": "dx"}, 0)["x"].to_list()
    assert one[0] == 1.0
    assert one[1] != 2.0
    assert one[2] is None
    with pytest.raises(DataError, match="column 'dx': an error cannot be negative, but row 2 holds -1"):
        redrawn_features(pl.DataFrame({"x": [1.0, 2.0], "dx": [0.0, -1.0]}), {"x": "dx"}, 0)
