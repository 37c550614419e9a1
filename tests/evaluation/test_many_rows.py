"""Of very many rows some stand for all: where, the page says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.evaluation import evaluation
from shoal.evaluation.baselines import tabular
from shoal.evaluation.topics import baselines

ROWS, SOME = 300, 70
RNG = np.random.default_rng(5)
X = RNG.normal(size=(ROWS, 2))
DATA = {"a": X[:, 0], "b": X[:, 1], "y": X[:, 0] * X[:, 1] + 0.1 * RNG.normal(size=ROWS)}


@pytest.fixture
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MOST_ASKED", SOME)
    for module in (tabular, baselines):
        monkeypatch.setattr(module, "MOST_ROWS", SOME)


def fitted(folder: Path, **settings: Any) -> shoal.Run:
    return shoal.fit(DATA, target="y", networks=2, epochs=2, hidden=(4,), out=str(folder / "run"), **settings)


@pytest.mark.parametrize("cv", ["none", "3"])
@pytest.mark.usefixtures("few_are_many")
def test_the_page_says_of_how_many_rows_a_part_stands_for_all(tmp_path: Path, cv: str) -> None:
    run = fitted(tmp_path, cv=cv)
    page = (tmp_path / "run" / "report.html").read_text()
    assert f"Training: {SOME} of these rows, drawn by chance." in page
    assert f"They learned from {SOME} of the rows that networks saw, drawn by chance." in page
    assert f"on {SOME} of the training rows (gap" in run.metrics["verdict"]["overfitting_text"]


def test_where_all_rows_are_asked_nothing_is_said(tmp_path: Path) -> None:
    run = fitted(tmp_path)
    page = (tmp_path / "run" / "report.html").read_text()
    assert "drawn by chance" not in page
    assert "on the training rows (gap" in run.metrics["verdict"]["overfitting_text"]


@pytest.mark.usefixtures("few_are_many")
def test_simple_methods_learn_from_some_rows_with_one_of_each_class() -> None:
    classes = np.zeros(ROWS, int)
    classes[[7, 211]] = 1, 2
    places = tabular.rows_to_learn_from(ROWS, classes, seed=0)
    assert len(classes[places]) == SOME
    assert set(classes[places]) == {0, 1, 2}
    assert np.array_equal(places, tabular.rows_to_learn_from(ROWS, classes, seed=0))
    assert not np.array_equal(places, tabular.rows_to_learn_from(ROWS, classes, seed=1))
    assert tabular.rows_to_learn_from(SOME, None, seed=0) == slice(None)
