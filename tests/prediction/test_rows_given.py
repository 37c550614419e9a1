"""A row may be given as a dict, rows as a list of dicts; predictions show themselves."""

from __future__ import annotations

import numpy as np
import pytest

import shoal

ROW = {"x": 0.25, "c": "<b>"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> shoal.Run:
    x = np.linspace(-1.0, 1.0, 90)
    table = {"x": x, "c": ["<b>", "low", "mid"] * 30, "y": ["<i>" if v > 0 else "down" for v in x]}
    tiny = {"networks": 1, "hidden": (3,), "epochs": 2, "engine": "native", "page": False}
    return shoal.fit(table, target="y", out=str(tmp_path_factory.mktemp("rows") / "run"), **tiny)


@pytest.mark.slow
def test_a_row_and_rows_predict_as_columns_do(run: shoal.Run) -> None:
    columns = run.predict({"x": [0.25, None], "c": ["<b>", "low"]}).probabilities
    rows = run.predict([ROW, {"c": "low", "x": None}]).probabilities
    np.testing.assert_array_equal(rows, columns)
    np.testing.assert_array_equal(run.predict(ROW).probabilities, columns[:1])


@pytest.mark.slow
def test_rows_of_unlike_names_are_refused(run: shoal.Run) -> None:
    with pytest.raises(shoal.DataError, match="row 2 of the data has no column 'c', unlike row 1"):
        run.predict([ROW, {"x": 1.0}])
    with pytest.raises(shoal.DataError, match="row 2 of the data has a column 'z', unlike row 1"):
        run.predict([ROW, {**ROW, "z": 1.0}])
    with pytest.raises(shoal.DataError, match="no column 'c', which the model was trained on"):
        run.predict({"x": 1.0})


@pytest.mark.slow
def test_predictions_show_few_rows_with_escaped_texts(run: shoal.Run) -> None:
    shown = run.predict({"x": np.linspace(-1.0, 1.0, 5000), "c": ["<b>"] * 5000})._repr_html_()
    assert "&lt;i&gt;" in shown
    assert "<i>" not in shown
    assert shown.count("<tr>") < 30
