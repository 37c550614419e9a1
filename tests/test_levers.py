"""The trainer by which `benchmarks/levers.py` tries what the default does without."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def levers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("levers")
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(FOLDER)):
            sys.modules.pop(name)


def test_every_lever_trains_and_absent_units_stay_zero(levers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    populations = importlib.import_module("populations")
    posed, seen = levers.pose("penguins", 0), []
    drawn = [h.model_copy(update={"epochs": 2}) for h in populations.draw_candidates(posed, 0)]
    monkeypatch.setattr(populations, "draw_candidates", lambda *_: drawn)
    start = populations.Adam.__init__
    monkeypatch.setattr(populations.Adam, "__init__", lambda self, p, *a: (seen.append(p), start(self, p, *a))[1])
    for lever in levers.LEVERS.values():
        made = populations.train(posed, lever, levers.rows_of(posed, lever, 0), 0)
        assert np.isfinite(made.score).all()
        assert made.answer.sum(axis=-1) == pytest.approx(1.0, abs=1e-5)
        absent = torch.arange(seen[-1].p["W0"].shape[2]) >= torch.tensor([[h.hidden[0]] for h in drawn])
        assert not seen[-1].p["W0"].detach().transpose(1, 2)[absent].any()


def test_a_candidate_sees_the_columns_that_its_lever_leaves(levers: Any) -> None:
    posed = levers.pose("penguins", 0)
    half = levers.rows_of(posed, levers.LEVERS["baseline"], 0).seen
    plain = posed.problem.x.shape[1]
    assert half[:, :plain].all()
    assert half[1::2].all()
    assert not half[::2, plain:].any()
    hidden = levers.rows_of(posed, levers.LEVERS["without 50 % of the columns"], 0).seen
    count = len(posed.preparation.encoders)
    starts = np.cumsum([0, *(len(e.names) for e in posed.preparation.encoders)])[:-1]
    assert (hidden[:, starts].sum(1) == count - round(0.5 * count)).all()
